"""A results file that was cut, joined or left half written is never taken for a whole run."""
# the expected value stands on the left

from dataclasses import replace

import pytest
from samples import header, measured

from suite.analysis.plan.source import cells
from suite.core.errors import ResultsError
from suite.core.records import GroupEnd, RunEnd
from suite.report.endings import check_finished, incomplete, run_end, unfinished
from suite.report.results.folder import RunFolder
from suite.report.tradeoffs import write

SCORE, SPEED = measured("baseline", "accuracy", 0.9), measured("baseline", "speedup", 1.0)
ENDS = [GroupEnd(cell=one.cell, group=one.group, metrics=1) for one in (SCORE, SPEED)]
END = RunEnd(groups=2, done=2, whole=True, code=0)


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path / "reports", header(groups=2))
    made.append(SCORE, ENDS[0], SPEED, ENDS[1], END)
    return made


def lines(folder):
    return folder.results.read_text("utf-8").splitlines(keepends=True)


def cut(folder, count):
    folder.results.write_text("".join(lines(folder)[:count]), "utf-8")


def test_a_run_that_ended_is_whole(folder):
    """Every group and the run have their records."""
    assert unfinished(folder) == ""
    assert frozenset() == incomplete(folder)
    assert END == run_end(folder)


@pytest.mark.parametrize(("count", "done"), [(5, 2), (4, 1), (3, 1), (2, 0), (1, 0)])
def test_a_file_that_was_cut_anywhere_is_unfinished(folder, count, done):
    """`head -n`: the missing groups are counted."""
    cut(folder, count)
    assert unfinished(folder).startswith(f"unfinished: {done} of 2 groups of metrics were measured")


def test_a_file_that_was_cut_within_a_line_is_unfinished(folder):
    """`head -c`."""
    content = folder.results.read_bytes()
    folder.results.write_bytes(content[: len(content) - 30])
    assert unfinished(folder).startswith("unfinished: 2 of 2")


@pytest.mark.parametrize("gone", [1, 2])
def test_a_metric_that_was_taken_out_leaves_its_group_unfinished(folder, gone):
    """The end of a group counts its metrics; without the end, half a group could be all of it."""
    kept = lines(folder)
    del kept[gone]
    folder.results.write_text("".join(kept), "utf-8")
    assert unfinished(folder).startswith("unfinished: 1 of 2")


def test_half_a_group_is_incomplete(folder):
    """The process was killed between a metric and the end of its group."""
    cut(folder, 4)
    assert {(SPEED.cell, "speed")} == incomplete(folder)


def test_a_resumed_run_is_unfinished_until_it_ends_again(folder):
    """An end with records after it is none."""
    folder.append(replace(END, whole=False), SPEED)
    assert run_end(folder) is None
    assert unfinished(folder)
    folder.append(END)
    assert unfinished(folder) == ""


def test_the_files_of_two_runs_in_one_are_an_error(folder):
    """`cat a b`: the second header is named with its line."""
    folder.results.write_text("".join(lines(folder) * 2), "utf-8")
    with pytest.raises(ResultsError, match=r"results\.jsonl:7: a second run's header"):
        folder.measurements()


def test_runs_of_older_versions_stay_readable(tmp_path):
    """They do not say how many groups they planned, and where one ends."""
    folder = RunFolder.create(tmp_path, header())
    folder.append(SCORE)
    assert unfinished(folder) == ""
    assert frozenset() == incomplete(folder)


def test_the_report_and_the_plan_say_that_a_run_is_unfinished(folder):
    """Both go on with what is there."""
    cut(folder, 3)
    *_, markdown = write(folder)
    assert "- **unfinished: 1 of 2 groups" in markdown.read_text("utf-8")
    assert cells(folder).problem.startswith("unfinished: 1 of 2")


def test_an_unfinished_run_is_not_recorded_as_a_whole(folder):
    """The message names the command that finishes it."""
    cut(folder, 3)
    with pytest.raises(ResultsError, match=r"unfinished: 1 of 2.*--resume .*--only"):
        check_finished(folder)


def test_a_file_that_was_changed_after_its_run_had_ended_is_refused(tmp_path):
    """A recording would store what was never measured; a resumed run goes on behind the end."""
    folder = RunFolder.create(tmp_path, header())
    folder.append(measured("baseline", "parameters", 3))
    folder.end(END)
    assert 1 == len(folder.measurements())
    folder.append(measured("baseline", "macs", 5))
    folder.end(END)
    assert 2 == len(folder.measurements())
    folder.results.write_text(folder.results.read_text("utf-8").replace('"value": 3', '"value": 2'), "utf-8")
    with pytest.raises(ResultsError, match=r"results\.jsonl was changed after the run had ended \(line 3\)"):
        folder.measurements()
