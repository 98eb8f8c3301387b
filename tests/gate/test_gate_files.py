"""Reading expectation files: what they mean, and the line of everything that is wrong with them."""
# the expected value stands on the left

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from expect_samples import FAMILY, TECHNIQUE, UNTIMED
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import ExpectationFileError
from suite.core.records import Expectation, Origin, XFail
from suite.core.toml_lines import Lines, blocks
from suite.gate import load, load_all

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = f"""schema = 1

[origin]
commit = "3f9c2ab"
date = 2026-11-23
versions = {{ torch = "2.15.0", python = "3.11" }}
machine = "cpu-x86_64-amd-epyc-2c"
threads = 1
data_digest = "d1"

["{TECHNIQUE}".speedup]   # baseline / technique
value = 2.24
low = 2.17           # value * (1 - max(1 %, 4 s))
unit = "1"
better = "higher"
tier = "family"
processes = 5
noise = 0.008
"""
HEADER_LINE, VALUE_LINE, LOW_LINE, UNIT_LINE, BETTER_LINE, TIER_LINE = 11, 12, 13, 14, 15, 16


def write(folder: Path, text: str, level: str = FAMILY) -> Path:
    path = folder / level / "digits_cnn.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def test_a_file_is_parsed_again_once_its_text_is_another(tmp_path):
    """And not before: a large one takes a third of a second."""
    (first,), (again,) = load(write(tmp_path, ENTRY)), load(write(tmp_path, ENTRY))
    (changed,) = load(write(tmp_path, ENTRY.replace("2.17", "2.16")))
    assert first is again
    assert 2.16 == changed.low


def test_an_entry_is_read_with_its_level_workload_origin_and_line(tmp_path):
    """Level and workload come from the path; path and line say where to mend it."""
    path = write(tmp_path, ENTRY)
    wanted = Expectation(
        workload="digits_cnn",
        technique=TECHNIQUE,
        metric="speedup",
        level=FAMILY,
        value=2.24,
        low=2.17,
        unit="1",
        better="higher",
        tier="family",
        processes=5,
        noise=0.008,
        origin=Origin(
            commit="3f9c2ab",
            date=date(2026, 11, 23),
            versions={"torch": "2.15.0", "python": "3.11"},
            machine="cpu-x86_64-amd-epyc-2c",
            threads=1,
            data_digest="d1",
        ),
        path=str(path),
        line=HEADER_LINE,
    )
    assert (wanted,) == load(path)


def test_marks_and_an_origin_of_its_own_are_read(tmp_path):
    """An entry's `recorded` overrides the fields it gives and inherits the others."""
    text = ENTRY + (
        'xfail = { reason = "torch 123", until = 2026-12-31 }\nonly = ["cuda"]\n'
        'recorded = { commit = "1b", threads = 4 }\n'
    )
    (entry,) = load(write(tmp_path, text))
    assert XFail(reason="torch 123", until=date(2026, 12, 31)) == entry.xfail
    assert ("cuda",) == entry.only
    assert ("1b", 4, "d1") == (entry.origin.commit, entry.origin.threads, entry.origin.data_digest)


def test_conditions_values_by_seed_and_machines_seen_are_read(tmp_path):
    """Seeds are whole numbers again, though TOML's keys are texts."""
    text = ENTRY + (
        'conditions = { batch = 64, threads = 1, tf32 = "off" }\n'
        'by_seed = { "0" = 0.99, "10" = 1 }\nseen = { cpu-2c = 2.24, "cpu 4c" = 2.3 }\n'
    )
    (entry,) = load(write(tmp_path, text))
    assert {"batch": 64, "threads": 1, "tf32": "off"} == entry.conditions
    assert {0: 0.99, 10: 1} == entry.by_seed
    assert {"cpu-2c": 2.24, "cpu 4c": 2.3} == entry.seen
    assert None is entry.retired


def test_an_entry_of_an_old_name_is_of_the_metric_that_is_meant(tmp_path):
    """With a warning that says the name of today."""
    text = ENTRY.replace(".speedup]", ".mean_average_precision]").replace("value = 2.24", "value = 0.85")
    text = text.replace("low = 2.17", "low = 0.83").replace('tier = "family"', 'tier = "portable"')
    path = write(tmp_path, text.replace("processes = 5", "seeds = 3"), level="any")
    with pytest.warns(FutureWarning, match="is called average_precision_50 now"):
        assert ["average_precision_50"] == [entry.metric for entry in load(path)]


def test_a_retired_entry_may_name_a_metric_that_is_gone(tmp_path):
    """What it says of unit and direction is then all that is known; without the mark it is refused."""
    text = ENTRY.replace("speedup]", "speedup_b64]") + 'retired = "renamed speedup"\n'
    (entry,) = load(write(tmp_path, text))
    assert ("speedup_b64", "1", "higher", "renamed speedup") == (entry.metric, entry.unit, entry.better, entry.retired)
    with pytest.raises(ExpectationFileError, match="did you mean highe"):
        load(write(tmp_path, text.replace('better = "higher"', 'better = "highr"')))
    with pytest.raises(ExpectationFileError, match="unit is missing"):
        load(write(tmp_path, text.replace('unit = "1"\n', "")))


def test_a_file_with_windows_line_ends_has_the_same_lines(tmp_path):
    """Line ends are no content."""
    (entry,) = load(write(tmp_path, ENTRY.replace("\n", "\r\n")))
    assert HEADER_LINE == entry.line


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("value = 2.24", "value 2.24", VALUE_LINE, "not valid TOML"),
        ("value = 2.24", "valu = 2.24", VALUE_LINE, "did you mean value"),
        ("speedup]", "speedup_b65]", HEADER_LINE, "did you mean speedup"),
        ("value = 2.24", "value = nan", VALUE_LINE, "finite"),
        ("low = 2.17", "low = -inf", LOW_LINE, "finite"),
        ("value = 2.24", f"value = 1{'0' * 400}", VALUE_LINE, "finite"),
        ("value = 2.24", 'value = "2.24"', VALUE_LINE, "must be a number"),
        ("value = 2.24", "value = true", VALUE_LINE, "must be a number"),
        ("value = 2.24\n", "", HEADER_LINE, "value is missing"),
        ("low = 2.17", "high = 2.3\nlow = 2.5", LOW_LINE + 1, "is above high"),
        ("low = 2.17", "low = 2.5", LOW_LINE, "excludes the entry's own value"),
        ("low = 2.17", "high = 2.0", LOW_LINE, "excludes the entry's own value"),
        ("low = 2.17", "", HEADER_LINE, "neither low nor high"),
        ('unit = "1"', 'unit = "s"', UNIT_LINE, "unit is 's', but speedup has '1'"),
        ('unit = "1"\n', "", HEADER_LINE, 'unit is missing; add unit = "1"'),
        ('better = "higher"', 'better = "lower"', BETTER_LINE, "better is 'lower', but speedup has 'higher'"),
        ('tier = "family"', 'tier = "famly"', TIER_LINE, "did you mean family"),
        ('tier = "family"', "tier = 3", TIER_LINE, "tier must be a text"),
        ('tier = "family"\n', "", HEADER_LINE, "tier is missing"),
        ("processes = 5", "processes = 0", 17, "at least 1"),
        ("processes = 5", "seeds = true", 17, "at least 1"),
        ("noise = 0.008", "noise = -1", 18, "standard deviation"),
        ("noise = 0.008", "xfail = { reason = 'x' }", 18, "xfail needs both"),
        ("noise = 0.008", "xfail = { until = 2026-12-31 }", 18, "xfail needs both"),
        ("noise = 0.008", "xfail = { reason = '', until = 2026-12-31 }", 18, "reason must be a text"),
        ("noise = 0.008", "xfail = { reason = 'x', until = '2026-12-31' }", 18, "until must be a date"),
        ("noise = 0.008", "xfail = { reason = 'x', until = 2026-12-31T10:00:00 }", 18, "until must be a date"),
        ("noise = 0.008", "xfail = { reson = 'x', until = 2026-12-31 }", 18, "did you mean reason"),
        ("noise = 0.008", "xfail = true", 18, "xfail must be a table"),
        ("noise = 0.008", 'only = "cpu"', 18, "list of texts"),
        ("noise = 0.008", 'only = ["cuda:0"]', 18, "write 'cuda'"),
        ("noise = 0.008", "conditions = 64", 18, "conditions must be a table"),
        ("noise = 0.008", "conditions = { batch = 6.4 }", 18, "batch must be a whole number or a text, not 6.4"),
        ("noise = 0.008", "conditions = { tf32 = true }", 18, "tf32 must be a whole number or a text, not True"),
        ("noise = 0.008", "conditions = { tf32 = '' }", 18, "tf32 must be a whole number or a text, not ''"),
        ("noise = 0.008", "by_seed = { '01' = 0.9 }", 18, "'01' is no seed"),
        ("noise = 0.008", "by_seed = { one = 0.9 }", 18, "'one' is no seed"),
        ("noise = 0.008", "by_seed = { '1' = nan }", 18, "finite"),
        ("noise = 0.008", "seen = { 'cpu-2c' = 'fast' }", 18, "cpu-2c must be a number"),
        ("noise = 0.008", "retired = ''", 18, "retired must be a text"),
        ("noise = 0.008", "retird = 'gone'", 18, "did you mean retired"),
        ("noise = 0.008", "recorded = { family = 'x' }", 18, "unknown key 'family'"),
        ("noise = 0.008", "recorded = { thread = 1 }", 18, "did you mean threads"),
        ("schema = 1", "schema = 2", 1, "schema is 2"),
        ("schema = 1", "schema = true", 1, "schema is True"),
        ("schema = 1\n", "schem = 1\n", None, "schema is missing"),
        ("schema = 1\n", "schema = 1\nnote = 1\n", 2, "unknown key 'note'"),
        ('commit = "3f9c2ab"', "comit = 1", 4, "did you mean commit"),
        ('commit = "3f9c2ab"', "commit = 3", 4, "commit must be a text"),
        ("date = 2026-11-23", 'date = "2026-11-23"', 5, "date must be a date"),
        ('torch = "2.15.0"', "torch = 2.15", 6, "put it in quotes"),
        ("threads = 1", "threads = 1.5", 8, "whole number"),
        ("[origin]", "[orgin]", 4, "belongs to no metric of 'orgin'"),
        ("[origin]", "[empty]\n[origin]", 3, "[empty] has no metric"),
    ],
)
def test_what_is_wrong_is_refused_with_file_and_line(tmp_path, old, new, line, words):
    """Each error names the file, the line of the fault, the value and the fix."""
    path = write(tmp_path, ENTRY.replace(old, new, 1))
    with pytest.raises(ExpectationFileError) as caught:
        load(path)
    assert (path, line) == (caught.value.path, caught.value.line)
    assert words in str(caught.value)


def test_a_second_table_for_one_metric_is_refused_with_its_line(tmp_path):
    """The later of two tables is the one to remove."""
    again = f'["{TECHNIQUE}".speedup]\nvalue = 1.0\n'
    with pytest.raises(ExpectationFileError, match="twice") as caught:
        load(write(tmp_path, ENTRY + again))
    assert 19 == caught.value.line


def test_a_text_that_never_ends_is_refused_at_the_end(tmp_path):
    """The parser gives no line at the end of the document; the last line is the nearest."""
    with pytest.raises(ExpectationFileError, match="not valid TOML") as caught:
        load(write(tmp_path, ENTRY + 'only = """a\nb'))
    assert 20 == caught.value.line


def test_a_file_that_is_missing_or_no_utf8_is_refused(tmp_path):
    """The operating system's reason and the broken line are passed on."""
    path = write(tmp_path, ENTRY)
    path.write_bytes(b"schema = 1\n# \xff\n")
    with pytest.raises(ExpectationFileError, match=":2: is not UTF-8"):
        load(path)
    with pytest.raises(ExpectationFileError, match="cannot be read"):
        load(tmp_path / "any" / "none.toml")


def test_all_files_below_a_folder_are_read_but_the_ledger_of_claims(tmp_path):
    """Levels lie beside the claims, which have a format of their own."""
    write(tmp_path, ENTRY)
    write(tmp_path, ENTRY, level="any")
    write(tmp_path, "no expectation", level="claims")
    assert ["any", FAMILY] == [entry.level for entry in load_all(tmp_path)]
    assert () == load_all(tmp_path / "missing")


def test_a_file_outside_a_level_is_refused(tmp_path):
    """Nobody would ever read it."""
    (tmp_path / "digits_cnn.toml").write_text(ENTRY, encoding="utf-8")
    with pytest.raises(ExpectationFileError, match="is in no level's folder; move it to"):
        load_all(tmp_path)


def test_a_header_within_a_text_is_no_header():
    """Only where the text before it is complete does a line in brackets open a table."""
    text = '[a]\nx = """\n[b]\ny = 1\n"""\n[c]\nz = 1\n'
    assert [(), ("a",), ("c",)] == [block.path for block in blocks(text)]
    assert (1, 2, 7, None) == tuple(Lines(text).of(*keys) for keys in (("a",), ("a", "x"), ("c", "z"), ("b",)))


@UNTIMED
@given(st.lists(st.sampled_from(["[a]", '["b+c(d=1)".e]', "x = 1", "# note", "", "y = [\n1]", "z.q = 2"]), max_size=12))
def test_blocks_hold_every_line_once(lines):
    """Joined, the tables are the text."""
    text = "\n".join(lines)
    parts = ["\n".join(text.split("\n")[block.start : block.stop]) for block in blocks(text)]
    assert text == "\n".join(parts[1:] if blocks(text)[0].stop == 0 else parts)


def test_an_entry_of_another_machine_in_a_machines_folder_is_refused(tmp_path):
    """A machine's file says its family; what another machine recorded would gate with figures that were never here."""
    path = tmp_path / "cpu-here" / "digits_cnn.toml"
    path.parent.mkdir()
    entry = '["baseline".macs]\nvalue = 1\nhigh = 1\nunit = "1"\nbetter = "lower"\ntier = "exact"\n'
    text = f'schema = 1\n[origin]\nmachine = "MACHINE"\nfamily = "cpu-all"\n\n\n\n{entry}'
    path.write_text(text.replace("MACHINE", "cpu-here"), "utf-8")
    assert 1 == len(load(path))
    path.write_text(text.replace("MACHINE", "cpu-there"), "utf-8")
    with pytest.raises(ExpectationFileError, match="recorded on cpu-there and is in the folder of cpu-here") as told:
        load(path)
    assert ":8:" in str(told.value)
    assert str(tmp_path / "cpu-there" / "digits_cnn.toml") in str(told.value)
