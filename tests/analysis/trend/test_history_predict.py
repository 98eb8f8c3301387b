"""Whether the interval of a run predicts the next run of the same code, alone and with what earlier runs knew."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.analysis.trend.predict import Pair, lines, pairs
from suite.core.records import Cell
from suite.report.history.entries import HistoryEntry

CELL = Cell(workload="digits_cnn", technique="static_int8", device="cpu")


def history(values, *, half=0.01, **more):
    return [
        HistoryEntry(
            run=f"run-{k:02}", started=f"2026-11-{k + 1:02}T10:00:00+00:00", commit="abc", dirty=False,
            versions={"torch": "2.15.0"}, profile="default", quiet=True, threads=1, cell=CELL, value=float(value),
            unit="1", better="higher", low=value * (1 - half), high=value * (1 + half), **{"metric": "speedup", **more},
        )
        for k, value in enumerate(values)
    ]  # fmt: skip


def test_intervals_that_overlap_meet_and_others_do_not():
    """1.00 and 1.01 with a hundredth on either side meet, 1.01 and 1.04 do not."""
    assert [True, False] == [pair.alone for pair in pairs([history([1.0, 1.01, 1.04])])]


def test_what_earlier_runs_differed_by_widens_the_fourth_run_on():
    """Three runs that differ by some percent know that the next one will; two are not asked."""
    found = pairs([history([1.0, 1.05, 0.98, 1.04, 3.0])])
    assert [None, None, True, False] == [pair.widened for pair in found]


@given(st.integers(0, 2**32 - 1), st.floats(0.001, 0.1))
def test_a_widened_interval_never_misses_what_the_interval_alone_meets(seed, half):
    """Knowing more of the spread only widens."""
    found = pairs([history(np.random.default_rng(seed).normal(1, 0.02, 10), half=half)])
    assert all(pair.widened is not False for pair in found if pair.alone)


def test_runs_that_differ_by_noise_alone_predict_one_another():
    """Of 2,000 pairs whose intervals know nothing of the spread between runs at least 98 % meet when widened."""
    rng = np.random.default_rng(0)
    found = pairs([history(np.exp(rng.normal(0, 0.03, 14)), half=0.005) for _ in range(200)])
    widened = [pair.widened for pair in found if pair.widened is not None]
    assert 2000 <= len(widened)
    assert 0.98 <= sum(widened) / len(widened)
    assert 0.5 > sum(pair.alone for pair in found) / len(found)


@pytest.mark.parametrize(
    "other",
    [{"commit": "def"}, {"commit": None}, {"dirty": True}, {"versions": {"torch": "2.16.0"}}, {"low": None}],
)
def test_only_pairs_of_the_same_code_with_intervals_count(other):
    """Another commit, an unknown one, changed files or another torch may be another speed."""
    first, second = history([1.0, 1.0])
    assert [] == pairs([[first, replace(second, **other)]])
    assert [] == pairs([history([1.0, 1.0], metric="accuracy")])


@pytest.mark.parametrize(("missed", "of"), [(0, 1), (1, 20), (3, 100)])
def test_fewer_pairs_than_wanted_are_not_said_to_be_too_few_where_chance_explains_them(missed, of):
    """The upper end of the interval is 98 % or more."""
    found = [Pair(alone=True, widened=k >= missed) for k in range(of)]
    assert list(lines(found))[-1].endswith("])")


@pytest.mark.parametrize(("after", "meets"), [(1.15, True), (1.18, False)])
def test_three_runs_know_their_spread_with_one_and_a_half_degrees_of_freedom(after, meets):
    """They differ by 1 % each time: Student's t at 99 % is 15.6 for 1.6 degrees and 9.9 for the two of a variance."""
    values = [1.0, np.exp(0.01), 1.0, after]
    assert meets is pairs([history(values, half=0.0001)])[-1].widened


def test_runs_of_other_code_say_nothing_of_the_spread():
    """A step between commits is no noise: the two runs of the new one are too few to widen by."""
    entries = [
        replace(entry, commit=commit)
        for entry, commit in zip(history([1.0, 1.01, 1.0, 2.0, 2.01, 2.0, 2.9]), "aaabbbb", strict=True)
    ]
    assert [None, None, None, None, False] == [pair.widened for pair in pairs([entries])]


def test_too_few_pairs_that_meet_are_said():
    """And nothing is said where there are no pairs."""
    assert [] == list(lines([]))
    alone, widened = lines([Pair(alone=False, widened=False), Pair(alone=True, widened=True)] * 5)
    assert alone.startswith(
        "the 99 % interval of a run meets that of the next one on the same code in 5 of 10 pairs (50"
    )
    assert "widened by what the runs before differed by, in 5 of 10 pairs (50" in widened
    assert widened.endswith(": too few, where at least 98% should; runs differ by more than earlier ones did")
    (alone,) = lines([Pair(alone=True, widened=None)])
    assert "1 of 1 pairs (100.0% [" in alone
