"""Fresh processes asked for a second opinion: who decides, and what the luck of the draw cannot do."""
# the expected value stands on the left

from dataclasses import replace
from datetime import date
from functools import partial
from statistics import fmean

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.bench.confirm import Confirmation
from suite.core.metrics import measured
from suite.core.records import Expectation, VerdictKind, Where
from suite.gate import check

CELL = tiny.BASELINE_CELL
WHERE = Where(machine="m", family="f", device="cpu", threads=1)
ENTRY = Expectation(
    workload=CELL.workload, technique=CELL.technique, metric="speedup", level="m", value=1.0, low=0.95, high=None,
    unit="1", better="higher", tier="family", path="x", line=1,
)  # fmt: skip
RATIO = st.floats(0.8, 1.1)
OTHERS = [replace(ENTRY, metric="speedup_b1"), replace(ENTRY, metric="train_step_speedup", low=None)]


def speedup(value, half=1e-3, **more):
    return measured(CELL, "speedup", value, low=value - half, high=value + half, confidence=0.99, n=100, **more)


def judged(found, *, entries=(ENTRY,)):
    return list(
        check(
            measurements=found, failures=[], expectations=entries, where=WHERE, planned={CELL: ("speed",)},
            fresh_processes=True, quiet=True, today=date(2026, 11, 26),
        )
    )  # fmt: skip


def settled(first, *further):
    """The verdict on a first process, and how many of the further ones were asked."""
    left = list(further)
    asked = Confirmation(repeat=lambda: {"speedup": speedup(left.pop(0))}, judged=judged)
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


def after(first, *further, judge=judged, **options):
    """The verdicts on a first process, with what further ones measured (or raised)."""
    left = list(further)

    def repeat():
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return {one.metric: one for one in found}

    asked = Confirmation(repeat=repeat, judged=judge, **options)
    return asked.settled(judge(first)), len(further) - len(left)


def test_a_regression_of_one_of_several_timings_is_repeated_for_itself():
    """The cell's other entries are judged once; that the repeat says nothing of them is no news."""
    both = [speedup(0.8), replace(speedup(1.0), metric="speedup_b1")]
    verdicts, asked = after(both, both, judge=partial(judged, entries=(ENTRY, *OTHERS)))
    assert 1 == asked
    kinds = {verdict.metric: verdict.kind for verdict in verdicts}
    assert {"speedup": "regressed", "speedup_b1": "pass", "train_step_speedup": "missing"} == kinds


@pytest.mark.parametrize("third", [[speedup(0.8, suspect="page faults")], [], ValueError("no")])
def test_one_against_one_is_open_where_the_third_does_not_tell(third):
    """Two of three must say so; a process that was disturbed, or is not there, is not one of them."""
    ((verdict,), asked) = after([speedup(0.8)], [speedup(1.0)], third)
    assert (VerdictKind.INCONCLUSIVE, 2) == (verdict.kind, asked)


def test_a_disturbed_sample_is_replaced_by_one_of_a_fresh_process():
    """Only in a gate that has the time; what was disturbed is told."""
    first, second = [speedup(0.8, suspect="page faults")], [speedup(1.0)]
    ((verdict,), asked) = after(first, second, replaces_suspect=True)
    assert (VerdictKind.PASS, 1) == (verdict.kind, asked)
    assert "measured in a fresh process, since the first sample was suspect: page faults" == verdict.reason
    ((verdict,), asked) = after(first, second)
    assert (VerdictKind.INCONCLUSIVE, 0) == (verdict.kind, asked)


@pytest.mark.parametrize("second", [[speedup(1.0, suspect="preempted")], [], ValueError("no")])
def test_a_sample_stays_open_where_the_fresh_process_tells_no_more(second):
    """Disturbed as well, absent, or broken."""
    ((verdict,), asked) = after([speedup(0.8, suspect="page faults")], second, replaces_suspect=True)
    assert (VerdictKind.INCONCLUSIVE, 1) == (verdict.kind, asked)


def test_a_regression_in_the_place_of_a_disturbed_sample_is_confirmed_like_any_other():
    """The disturbed one is no witness."""
    first, low = [speedup(1.0, suspect="page faults")], [speedup(0.8)]
    ((verdict,), asked) = after(first, low, low, replaces_suspect=True)
    assert (VerdictKind.REGRESSED, 2) == (verdict.kind, asked)
    ((verdict,), asked) = after(first, low, [speedup(1.0)], [speedup(1.0)], replaces_suspect=True)
    assert (VerdictKind.INCONCLUSIVE, 3) == (verdict.kind, asked)
