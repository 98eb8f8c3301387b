"""The parent process decides the exit code by the finished run's record; no code of the run's process can better it."""
# the expected value stands on the left

import json
from types import SimpleNamespace

import pytest
import tiny
from samples import header, measured

from suite.bench import exit_code
from suite.bench.exit_code import CUT_SHORT, NO_RUN, decide, tell, told_code
from suite.bench.options import ENDED, Options
from suite.core.records import GROUPS, RunEnd, Verdict, VerdictKind
from suite.report.results.folder import RunFolder

GATE = Options()
CASE = tiny.case_of(tiny.registry(), "nhwc")
SPEED = measured("baseline", "speedup", 1.0)
WRONG = Verdict(kind=VerdictKind.ERROR, cell=SPEED.cell, metric="", group="speed", reason="broken")
END = RunEnd(groups=1, done=1, whole=True, code=0)


@pytest.fixture
def told(tmp_path):
    return tmp_path / "ended"


def run(told, *records, code=0):
    """A run whose process ended by itself with ``code``."""
    folder = RunFolder.create(told.parent / "reports", header(groups=1))
    folder.append(SPEED, *records)
    told.write_text(f"{json.dumps({'run': str(folder.path)})}\n{json.dumps({'code': code})}\n", "utf-8")
    return folder


def test_a_finished_run_keeps_its_code(told):
    """Nothing is said then."""
    run(told, END)
    assert decide(0, told, GATE) == (0, "")
    run(told, RunEnd(groups=1, done=1, whole=True, code=10))
    assert decide(10, told, GATE) == (10, "")


def test_a_process_that_left_no_code_was_cut_short(told):
    """`os._exit(0)`, wherever it stands: 0 is 12."""
    assert decide(0, told, GATE) == (12, CUT_SHORT)


def test_a_process_that_measured_nothing_gates_nothing(told):
    """A hook that runs no test and sets the exit code to 0."""
    told.write_text('{"code": 0}\n', "utf-8")
    assert decide(0, told, GATE) == (12, NO_RUN)


@pytest.mark.parametrize("records", [(), (RunEnd(groups=1, done=0, whole=False),)])
def test_a_run_without_its_end_gates_nothing(told, records):
    """A run that was interrupted, or has written no end, and a process that says 0."""
    run(told, *records)
    assert decide(0, told, GATE)[0] == 12


@pytest.mark.parametrize(("recorded", "said"), [(1, 0), (1, 10), (12, 0), (10, 0)])
def test_the_recorded_code_stands_against_a_better_one(told, recorded, said):
    """A conftest.py that sets `session.exitstatus` after the verdicts were counted."""
    run(told, RunEnd(groups=1, done=1, whole=True, code=recorded))
    code, why = decide(said, told, GATE)
    assert recorded == code
    assert f"exit code {said}" in why


def test_an_error_among_the_verdicts_fails_whatever_code_is_recorded(told):
    """A conftest.py that replaces what counts them."""
    run(told, WRONG, END)
    assert decide(0, told, GATE)[0] == 1
    assert decide(0, told, Options(expect="off"))[0] == 1


@pytest.mark.parametrize("code", [1, 2, 11, 12])
def test_a_code_that_fails_stays(told, code):
    """The process may know of more than the records hold."""
    run(told, END)
    assert decide(code, told, GATE) == (code, "")


def test_unknown_codes_are_unusable(told):
    """Killed by a signal, or by a module's own exit."""
    assert decide(-9, told, GATE) == (11, "")
    assert decide(77, told, GATE) == (11, "")


def test_listing_measures_nothing_and_is_no_gate(told):
    """`suite bench --collect-only`."""
    assert decide(0, told, GATE, ["--collect-only"]) == (0, "")


def test_a_damaged_record_is_unusable(told):
    """The message is the reader's own."""
    folder = run(told, END)
    folder.results.write_text("no record\n", "utf-8")
    assert decide(0, told, GATE)[0] == 11


def test_what_is_told_reaches_the_file_of_the_parent(told, monkeypatch):
    """Line by line; without a parent nothing is written."""
    tell(code=1)
    monkeypatch.setenv(ENDED, str(told))
    tell(run="here")
    tell(code=1)
    assert [{"run": "here"}, {"code": 1}] == [json.loads(line) for line in told.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("left", "changes", "crashed", "expected"),
    [
        ([], {}, False, 0),
        ([(CASE, "speed")], {}, False, 12),
        ([(CASE, "speed")], {"partial": True}, False, 0),
        ([(CASE, "size")], {"partial": True}, False, 12),
        ([(CASE, "speed")], {"expect": "report"}, False, 0),
        ([(CASE, "speed")], {"failing": 1}, False, 1),
        ([(CASE, "speed")], {"failing": 10}, False, 10),
        ([], {}, True, 1),
        ([], {"failed": 2, "taken_back": 2}, False, 10),
        ([], {"failed": 2, "taken_back": 1}, False, 1),
    ],
)
def test_a_run_that_did_not_measure_what_it_planned_has_not_gated(left, changes, crashed, expected, monkeypatch):
    """A conftest.py that skips leaves no verdict, and no verdict is not a pass, in a chosen part neither."""
    given = {key: value for key, value in changes.items() if key in ("partial", "expect")}
    monkeypatch.setattr(exit_code, "of_verdicts", lambda _: changes.get("failing", 0))
    run = SimpleNamespace(
        left_out=lambda: left,
        passed_over=(),
        faults={},
        options=Options(**given),
        partial=given.get("partial", False),
        planned={CASE: GROUPS},
        taken_back=changes.get("taken_back", 0),
    )
    groups, failures = ("quality", "size", "memory") if given.get("partial") else GROUPS, changes.get("failed", 0)
    ending = exit_code.Ending(
        status=int(failures > 0),
        failures=failures,
        crashed=crashed,
        collected={(CASE, group) for group in groups},
    )
    code, problem = exit_code.of_run(run, ending)
    assert expected == code
    assert (expected == 12) is bool(problem)


@pytest.mark.parametrize("text", ["", "0", "[]", '{"code": "0"}', '{"run": "x"}', "no json"])
def test_a_file_that_says_no_code_says_none(tmp_path, text):
    """A user's code may have written anything."""
    (tmp_path / "told").write_text(text, "utf-8")
    assert told_code(tmp_path / "told") is None
    assert told_code(tmp_path / "missing") is None
