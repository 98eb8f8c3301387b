"""A comparison's verdicts are those of a run."""
# the expected value stands on the left

import math

import pytest

from suite.compare.judge import Rules, Timing
from suite.compare.measure import Compared, Exact
from suite.compare.protocol import SideRequest
from suite.compare.records import as_records
from suite.core.records import Cell, Reason, VerdictKind
from suite.report.github import commands
from suite.report.results.lines import decode, encode

CELL = Cell(workload="digits_cnn", technique="baseline", device="cpu")
REQUEST = SideRequest(workload="digits_cnn", technique="baseline", device="cpu", batch=64)
SLOW = Timing(metric="speed", looked=[math.log(0.9), math.log(0.91), math.log(0.905)])
RULES = Rules()


def records(*verdicts, **more):
    one = Compared(cell="digits_cnn-baseline-cpu", request=REQUEST, **more)
    return as_records([one], list(verdicts), RULES)


def test_a_regression_has_its_ratio_interval_and_bound():
    """Over pairs of processes; a program reads the code."""
    (verdict,) = records("regressed", timings=[SLOW])
    assert (VerdictKind.REGRESSED, CELL, "speed", Reason.BELOW) == (
        verdict.kind, verdict.cell, verdict.metric, verdict.code,
    )  # fmt: skip
    assert verdict.measurement.low < 0.905 < verdict.measurement.high
    assert (pytest.approx(0.905, abs=1e-3), 3, 1.0) == (
        verdict.measurement.value,
        verdict.measurement.n,
        verdict.threshold,
    )


def test_each_verdict_can_be_written_and_read_as_those_of_a_run():
    """Sizes and cells that could not be compared, too."""
    exact = [
        Exact(metric="parameters", current=11, reference=10, verdict="regressed"),
        Exact(metric="bytes", current=10, reference=10, verdict="same"),
    ]
    found = records("pass", exact=exact, timings=[SLOW]) + records(problem=("error", "it raised"))
    assert [VerdictKind.REGRESSED, VerdictKind.PASS, VerdictKind.PASS, VerdictKind.ERROR] == [one.kind for one in found]
    assert found == [decode(encode(one)) for one in found]


def test_a_timing_without_pairs_says_why():
    """There is no ratio then."""
    (verdict,) = records("inconclusive", timings=[Timing(metric="speed", trouble="no core was free")])
    assert (VerdictKind.INCONCLUSIVE, None, "no core was free") == (verdict.kind, verdict.measurement, verdict.reason)


def test_outputs_that_are_infinitely_far_away_can_be_written():
    """Those of another shape: the verdict says so, and holds no number."""
    (verdict,) = records(exact=[Exact(metric="outputs", current=math.inf, reference=None, verdict="regressed")])
    assert (VerdictKind.REGRESSED, None, "inf") == (verdict.kind, verdict.measurement, verdict.reason)
    assert verdict == decode(encode(verdict))


def test_github_annotates_them_as_a_runs(tmp_path):
    """With the cell, the metric and the ratio."""
    (line,) = commands(records("regressed", timings=[SLOW]), fails=lambda one: one.kind == "regressed", root=tmp_path)
    assert line.startswith("::error title=regressed speed::digits_cnn baseline cpu: speed")
    assert "of the reference's speed over 3 pairs" in line
