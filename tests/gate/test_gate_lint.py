"""`suite lint`: entries that never fail, and folders and files that nothing reads."""
# the expected value stands on the left

from __future__ import annotations

from datetime import date, timedelta

import pytest
from expect_samples import FAMILY, MACHINE, TODAY, expectation

from suite.cli.main import main
from suite.core.errors import ExpectationFileError
from suite.core.records import XFail
from suite.gate import load_all
from suite.gate.files.lint import faults, looser, misspelt, unread

ENTRY = """schema = 1
["baseline".accuracy]
value = 0.97
low = 0.95
unit = "1"
better = "higher"
tier = "portable"
"""


def put(folder, name, text=ENTRY):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("anny/wine.toml", "is in the folder 'anny', which no machine reads; did you mean any?"),
        ("Any/wine.toml", "which no machine reads; did you mean any?"),
        ("machine/wine.toml", "is in the folder 'machine', which no machine reads."),
        ("any/wine.TOML", "rename it to wine.toml"),
        ("wine.toml", "is in no level's folder"),
        ("any/old/wine.toml", "is in no level's folder"),
    ],
)
def test_a_file_that_nothing_reads_is_refused_by_the_gate_too(tmp_path, name, words):
    """A misspelt folder is an expectation that never fails."""
    put(tmp_path, name)
    with pytest.raises(ExpectationFileError, match=words.replace("?", r"\?")):
        load_all(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("any/wine.toml.bak", "nothing reads it"),
        ("any/wine.yaml", "nothing reads it"),
        ("any/old/note.json", "nothing reads it"),
        ("notes.json", "nothing reads it"),
        ("cpux86_64-amd-epyc-2c/wine.toml", "'cpux86_64' is no type of device known here"),
        ("cpu-x86_64-avx22/wine.toml", f"no machine here is of that family; did you mean {FAMILY}?"),
    ],
)
def test_what_no_run_reads_is_listed(tmp_path, name, words):
    """Beside what is read: README files and hidden files are nobody's fault."""
    for fine in ("any/wine.toml", f"{MACHINE}/wine.toml", "README.md", ".gitattributes", "claims/x.json"):
        put(tmp_path, fine)
    families = {MACHINE: FAMILY}
    assert [] == list(unread(tmp_path, families))
    put(tmp_path, name)
    (line,) = unread(tmp_path, families)
    assert words in line


def test_a_file_of_a_workload_that_is_misspelt_is_listed():
    """Others may be another project's."""
    entries = [expectation("speedup", 2.0, low=1.9, workload=name, path=name) for name in ("wnie", "wine", "other")]
    assert ["wnie: no workload 'wnie' is known here; did you mean wine?"] == list(misspelt(entries, ["wine"]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"low": 0.3}, "low = 0.3 accepts a loss of 85% of 2"),
        ({"low": 1.99, "noise": 0.1, "processes": 5}, "standard deviations of 5 processes"),
        ({"only": ("tpuu",)}, "only names 'tpuu', which is no type of device known here"),
        ({"only": ("cudda",)}, "did you mean cuda?"),
        ({"xfail": XFail(reason="x", until=date(9999, 12, 31))}, "is marked to fail until 9999-12-31"),
    ],
)
def test_an_entry_that_never_fails_is_listed_with_its_line(changes, words):
    """It can be read, and a gate takes it; nothing would come of it."""
    entry = expectation("speedup", 2.0, **({"low": 1.9} | changes))
    (said,) = faults([entry], TODAY).values()
    assert words in said
    assert ["any/digits_cnn.toml:3"] == list(faults([entry], TODAY))


def test_what_is_marked_as_usual_is_no_fault():
    """A known failure for a year at most, on devices that there are."""
    soon = XFail(reason="x", until=TODAY + timedelta(days=300))
    assert {} == faults([expectation("speedup", 2.0, low=1.9, xfail=soon, only=("cpu", "cuda"))], TODAY)


def test_the_command_names_all_that_is_wrong_and_fails(tmp_path, capsys):
    """0 where all can be used, 1 where something is never read or never fails, 11 where a file cannot be used."""
    put(tmp_path, "any/wine.toml")
    assert 0 == main(["lint", str(tmp_path)])
    put(tmp_path, "any/wine.toml.orig")
    assert 1 == main(["lint", str(tmp_path)])
    assert "wine.toml.orig: nothing reads it" in capsys.readouterr().out
    put(tmp_path, "any/digits_cnn.toml", ENTRY.replace("low = 0.95", "low = -5"))
    assert 11 == main(["lint", str(tmp_path)])
    assert "digits_cnn.toml:4: low = -5 can never be crossed" in capsys.readouterr().err


def test_a_value_at_the_worst_end_protects_nothing():
    """An accuracy of 0 cannot get worse."""
    zero = expectation("accuracy", 0.0, low=0.0)
    (said,) = faults([zero], TODAY).values()
    assert "value = 0 is the worst that accuracy can be, so nothing regresses" in said


def test_an_entry_that_was_moved_to_another_machine_is_told():
    """What was seen there was seen elsewhere; a machine's own entry may name its runs."""
    moved = expectation("accuracy", 0.9, low=0.8, level="cpu-x86_64-other-9c", seen={MACHINE: 0.9})
    (said,) = faults([moved], TODAY).values()
    assert f"lies in cpu-x86_64-other-9c, and was seen on {MACHINE}" in said
    own = expectation("accuracy", 0.9, low=0.8, level=MACHINE, seen={"2026-11-26T04:18": 0.9})
    assert {} == faults([own], TODAY)


@pytest.mark.parametrize(("low", "is_looser"), [(0.7, True), (0.85, False)])
def test_an_entry_of_a_machine_that_accepts_more_than_what_holds_anywhere_is_told(low, is_looser):
    """It would win over the other."""
    anywhere = expectation("accuracy", 0.9, low=0.8)
    own = expectation("accuracy", 0.9, low=low, level=MACHINE, path=f"{MACHINE}/digits_cnn.toml")
    found = looser([anywhere, own])
    assert is_looser == bool(found)
    said = "low = 0.7 accepts more than 0.8, which holds anywhere (any/digits_cnn.toml:3)"
    assert all(said in one for one in found.values())
