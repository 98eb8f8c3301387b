"""Fresh processes asked for a second opinion: who decides, and what the luck of the draw cannot do."""
# the expected value stands on the left

from datetime import date
from statistics import fmean

import numpy as np
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.expect import check
from suite.metrics import measured
from suite.records import Expectation, VerdictKind, Where
from suite.run.confirm import Confirmation

CELL = tiny.BASELINE_CELL
WHERE = Where(machine="m", family="f", device="cpu", threads=1)
ENTRY = Expectation(
    workload=CELL.workload, technique=CELL.technique, metric="speedup", level="m", value=1.0, low=0.95, high=None,
    unit="1", better="higher", tier="family", path="x", line=1,
)  # fmt: skip
RATIO = st.floats(0.8, 1.1)


def speedup(value, half=1e-3):
    return measured(CELL, "speedup", value, low=value - half, high=value + half, confidence=0.99, n=100)


def judged(found):
    return list(
        check(
            measurements=found, failures=[], expectations=[ENTRY], where=WHERE, planned={CELL: ("speed",)},
            fresh_processes=True, quiet=True, today=date(2026, 11, 26),
        )
    )  # fmt: skip


def settled(first, *further):
    """The verdict on a first process, and how many of the further ones were asked."""
    left = list(further)
    asked = Confirmation(repeat=lambda: {"speedup": speedup(left.pop(0))}, judged=judged, limit=lambda entry: entry.low)
    (verdict,) = asked.settled(judged([speedup(first)]))
    return verdict.kind, len(further) - len(left)


@settings(deadline=None)
@given(st.tuples(RATIO, RATIO, RATIO))
def test_a_regression_has_two_processes_and_the_mean_behind_it(values):
    """Whatever three processes say: at most as many are asked as it takes, and a mean above the bound never fails."""
    kind, asked = settled(*values)
    low = [value + 1e-3 < ENTRY.low for value in values[: 1 + asked]]
    if kind is VerdictKind.REGRESSED:
        assert sum(low) >= 2
        assert len(low) == 2 or fmean(values) < ENTRY.low
    if not low[0]:
        assert 0 == asked


def test_unchanged_code_whose_processes_differ_does_not_fail():
    """500 simulated runs of a ratio that every third process draws at 0.94: the mean saves some that a vote fails."""
    rng = np.random.default_rng(0)
    runs = rng.choice([0.94, 1.0, 1.0], (500, 3)) + rng.normal(0, 0.002, (500, 3))
    low = (runs + 1e-3 < ENTRY.low).sum(axis=1)
    by_vote = np.mean([first and count >= 2 for first, count in zip(runs[:, 0] < 0.949, low, strict=True)])
    failed = np.mean([settled(*map(float, run))[0] is VerdictKind.REGRESSED for run in runs])
    assert by_vote > 0.15
    assert failed < 0.7 * by_vote


def test_a_loss_that_every_process_shows_fails_after_one_repeat():
    """A real loss of 8 % with the same spread is found each time."""
    rng = np.random.default_rng(1)
    runs = rng.normal(0.92, 0.005, (100, 3))
    assert {(VerdictKind.REGRESSED, 1)} == {settled(*map(float, run)) for run in runs}
