"""How long cells took before: of runs like this one, newest first, whatever else is in the folder."""
# the expected value stands on the left

import os
from dataclasses import replace

import pytest

from suite.core.records import Cell, CellFailure, Duration, RunHeader, Where
from suite.report.results.durations import Past, alike
from suite.report.results.folder import RESULTS, RunFolder, point_latest
from suite.report.results.lines import decode, encode

WHERE = Where(machine="m", family="f", device="cpu", threads=1)
HEADER = RunHeader(
    run="new", started="2026-11-24T10:00:00+00:00", command="suite bench", commit=None, where=WHERE, seeds=(0,),
    profile="quick", quiet=True,
)  # fmt: skip
CELL = Cell(workload="digits_cnn", technique="baseline", device="cpu")


def took(seconds, group="size", **details):
    return Duration(cell=CELL, group=group, seconds=seconds, **details)


def kept(folder, day, *records, **changes):
    header = replace(HEADER, run=f"run-{day}", started=f"{day}T10:00:00+00:00", **changes)
    made = RunFolder.create(folder, header)
    made.append(*records)
    return made


def test_a_duration_comes_back_as_it_was_written():
    """It is a record among the others of a run."""
    found = took(1.5, reuse=True)
    assert found == decode(encode(found))


def test_runs_come_newest_first_with_what_each_group_took(tmp_path):
    """A group that was measured again counts as it was then; other records do not disturb."""
    failure = CellFailure(cell=CELL, group="memory", kind="unavailable", reason="none here")
    kept(tmp_path, "2026-11-21", took(9.0))
    kept(tmp_path, "2026-11-22", took(1.0), failure, took(2.0, "speed", reuse=True), took(3.0))
    newest, older = alike(tmp_path, HEADER)
    assert Past(day="2026-11-22", reuse=True, seconds={CELL: {"size": 3.0, "speed": 2.0}}) == newest
    assert ("2026-11-21", False) == (older.day, older.reuse)


@pytest.mark.parametrize(
    "changes",
    [
        {"profile": "full"},
        {"seeds": (0, 1)},
        {"processes": 5},
        {"where": replace(WHERE, machine="another")},
        {"where": replace(WHERE, threads=2)},
    ],
    ids=str,
)
def test_another_kind_of_run_tells_nothing(tmp_path, changes):
    """A full run on five processes takes hours where a quick one takes minutes."""
    kept(tmp_path, "2026-11-21", took(9.0), **changes)
    assert [] == alike(tmp_path, HEADER)


def test_what_cannot_be_read_is_passed_over(tmp_path):
    """An empty file, a broken header, a line that a killed process left, a run without durations, this run itself."""
    good = kept(tmp_path, "2026-11-21", took(9.0))
    with good.results.open("ab") as file:
        file.write(encode(took(1.0, "speed")).encode()[:-9])
    for name, content in (("empty", ""), ("broken", '{"type": "header"}\n'), ("text", "x\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / RESULTS).write_text(content)
    kept(tmp_path, "2026-11-20")
    RunFolder.create(tmp_path, HEADER).append(took(5.0))
    (found,) = alike(tmp_path, HEADER)
    assert {CELL: {"size": 9.0}} == found.seconds
    assert [] == alike(tmp_path / "nowhere", HEADER)


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege here")
def test_the_link_to_the_latest_run_is_no_second_run(tmp_path):
    """One run counts once."""
    point_latest(tmp_path, kept(tmp_path, "2026-11-21", took(9.0)).path.name)
    assert 1 == len(alike(tmp_path, HEADER))
