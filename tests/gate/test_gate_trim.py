"""Entries that no technique answers: found, and taken out of their files with nothing else."""
# the expected value stands on the left

import pytest
from expect_samples import expectation

from suite.core.errors import ExpectationFileError, UsageError
from suite.gate.files.files import load, load_all
from suite.gate.files.trim import orphans, told, trim

FILE = """# the whole file
schema = 1

[origin]
commit = "x"

# about the gone one
["gone(ratio=0.5)".parameters]
value = 7
low = 7
high = 7
unit = "1"
better = "lower"
tier = "exact"

# about the baseline
["baseline".parameters]
value = 3 # three
low = 3
high = 3
unit = "1"
better = "lower"
tier = "exact"

["gone(ratio=0.5)".macs]
value = 9
high = 9
unit = "1"
better = "lower"
tier = "exact"
# the end
"""
LEFT = """# the whole file
schema = 1

[origin]
commit = "x"

# about the baseline
["baseline".parameters]
value = 3 # three
low = 3
high = 3
unit = "1"
better = "lower"
tier = "exact"
# the end
"""


def canonical(name):
    if not name.startswith("baseline"):
        raise UsageError(f"no {name}")
    return name


def found(entries):
    return orphans(entries, workloads=["digits_cnn"], canonical=canonical)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "any" / "digits_cnn.toml"
    path.parent.mkdir()
    path.write_text(FILE, "utf-8")
    return tmp_path


def test_an_entry_whose_technique_is_gone_is_an_orphan(folder):
    """Named with file and line, and with what removes it."""
    gone = found(load_all(folder))
    assert [("gone(ratio=0.5)", "parameters"), ("gone(ratio=0.5)", "macs")] == [(e.technique, e.metric) for e in gone]
    assert f"{folder / 'any' / 'digits_cnn.toml'}:8: orphaned: no technique 'gone(ratio=0.5)'" in told(gone[0])
    assert "suite record --trim" in told(gone[0])


def test_retired_entries_and_those_of_other_projects_are_no_orphans():
    """They wait for no answer, or somebody else gives it."""
    assert [] == found([expectation("macs", 1, technique="gone", retired="too slow")])
    assert [] == found([expectation("macs", 1, technique="gone", workload="theirs")])


def test_trimming_takes_out_orphans_with_their_comment_and_nothing_else(folder):
    """Other entries, their comments and those at both ends stay byte for byte."""
    path = folder / "any" / "digits_cnn.toml"
    assert (path,) == trim(folder, found(load_all(folder)))
    assert LEFT == path.read_text("utf-8")
    assert ["baseline"] == [entry.technique for entry in load(path)]
    assert () == trim(folder, found(load_all(folder)))


def test_an_inline_table_is_left_to_its_writer(folder):
    """What cannot be taken out alone is refused, and the file stays."""
    path = folder / "any" / "digits_cnn.toml"
    entry = '{ value = 1, high = 1, unit = "1", better = "lower", tier = "exact" }'
    text = f'schema = 1\n["gone"]\nmacs = {entry}\n'
    path.write_text(text, "utf-8")
    with pytest.raises(ExpectationFileError, match="remove it by hand"):
        trim(folder, found(load_all(folder)))
    assert text == path.read_text("utf-8")
