"""The file of decisions: only ever added to, by several writers, whatever happened to its last line."""
# the expected value stands on the left

from statistics import stdev

import pytest

from studies.gate.decision_log import DecisionLog, sharpest
from suite.core.errors import ResultsError

VERSIONS = {"torch": "2.15"}
BOUND = {"kind": "bound", "at": "now", "low": 0.99, "versions": VERSIONS}


@pytest.fixture
def decision_log(tmp_path):
    return DecisionLog(path=tmp_path / "deep" / "machine.jsonl")


def test_an_absent_file_has_no_decisions(decision_log):
    """The first session starts from nothing."""
    assert [] == decision_log.rows()
    assert decision_log.bound(VERSIONS) is None


def test_decisions_belong_to_the_bound_that_judged_them(decision_log):
    """The newest bound of these versions counts, and what was judged by it."""
    rows = [BOUND, {"kind": "decision", "bound": "now"}, {"kind": "decision", "bound": "before"}]
    for row in rows:
        decision_log.append(row)
    assert rows == decision_log.rows()
    assert BOUND == decision_log.bound(VERSIONS)
    assert [rows[1]] == decision_log.decisions(BOUND)


def test_another_torch_needs_another_bound(decision_log):
    """Figures of other kernels say nothing."""
    decision_log.append(BOUND)
    assert decision_log.bound({"torch": "2.16"}) is None


def test_a_line_that_was_cut_off_costs_itself_alone(decision_log):
    """A killed session leaves half a line, in whose place the next one writes."""
    decision_log.append(BOUND)
    with decision_log.path.open("a") as file:
        file.write('{"kind": "dec')
    assert [BOUND] == decision_log.rows()
    decision_log.append(BOUND)
    assert [BOUND, BOUND] == decision_log.rows()


def test_a_line_that_is_no_record_is_named(decision_log):
    """Somebody edited the file: what it says is not guessed."""
    decision_log.append(BOUND)
    with decision_log.path.open("a") as file:
        file.write("oops\n")
    with pytest.raises(ResultsError, match=":2: this line is no record"):
        decision_log.rows()


def test_the_sharpest_bound_keeps_one_percent():
    """Copies that agree are not gated tighter than anything repeats."""
    assert (0.99, 0.0) == sharpest([1.0, 1.0, 1.0])


def test_noise_moves_the_bound_as_far_as_lint_asks():
    """3.1 standard deviations: noise alone breaks it in one run of a thousand."""
    values = [0.99, 1.0, 1.01]
    low, noise = sharpest(values)
    assert stdev(values) == noise
    assert pytest.approx(1 - 3.1 * noise, abs=1e-5) == low
