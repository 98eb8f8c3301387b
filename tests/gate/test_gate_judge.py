"""One judgement: its code and its words, and how long a sample has to be."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from expect_samples import TODAY, expectation, measurement

from suite.core.records import Reason, VerdictKind, XFail
from suite.gate.judge import Judgement, consider_xfail, judge

SPEEDUP = expectation("speedup", 2.24, low=2.17, high=2.4)
LATER = TODAY + timedelta(days=1)


def judged(name, value, entry, *, quiet=True, **changes):
    return judge(measurement(name, value, **changes), entry, quiet=quiet, today=TODAY)


@pytest.mark.parametrize(
    ("low", "high", "code", "words"),
    [
        (2.17, 2.4, Reason.WITHIN, ""),
        (2.0, 2.16, Reason.BELOW, "2.24 -> 2.2 [2, 2.16], -1.8 %, bound 2.17"),
        (2.41, 2.5, Reason.ABOVE, "2.24 -> 2.2 [2.41, 2.5], -1.8 %, bound 2.4"),
        (2.15, 2.3, Reason.STRADDLES, "2.24 -> 2.2 [2.15, 2.3], -1.8 %, its interval contains the bound 2.17; "),
        (2.18, 2.45, Reason.STRADDLES, "2.24 -> 2.2 [2.18, 2.45], -1.8 %, its interval contains the bound 2.4; "),
        (2.4, 2.5, Reason.STRADDLES, "2.24 -> 2.2 [2.4, 2.5], -1.8 %, its interval contains the bound 2.4; "),
        (2.1, None, Reason.NO_INTERVAL, "2.2 was measured without an interval"),
        (None, 2.1, Reason.NO_INTERVAL, "2.2 was measured without an interval"),
    ],
)
def test_each_place_of_an_interval_has_its_code_and_its_words(low, high, code, words):
    found = judged("speedup", 2.2, SPEEDUP, low=low, high=high, n=100)
    assert code is found.code
    assert words == found.reason[: len(words)]
    assert bool(words) == bool(found.reason)


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (9.0, Reason.ABSOLUTE_TIME, "absolute times vary with the machine's load; the paired metrics decide"),
        (float("nan"), Reason.NOT_A_NUMBER, "measured nan, which cannot be compared with a bound"),
    ],
)
def test_a_point_that_decides_nothing_has_its_code_and_its_words(value, code, words):
    found = judged("latency_p50", value, expectation("latency_p50", 0.01, high=0.0125))
    assert code is found.code
    assert found.reason.endswith(words)
    assert value != value or found.reason.startswith("0.01 s -> 9 s")  # noqa: PLR0124  # a nan differs from itself


def test_an_energy_beyond_its_bound_decides_as_little_as_a_time():
    """Idle power and other processes are in it."""
    found = judged("energy_per_item", 9.0, expectation("energy_per_item", 1.0, high=2.0))
    assert (VerdictKind.INCONCLUSIVE, Reason.ABSOLUTE_TIME) == (found.kind, found.code)
    assert found.reason.endswith("absolute energies vary with the machine's load; the paired metrics decide")


def test_what_does_not_count_has_its_code_and_its_words():
    """A suspect one first, whatever the process was."""
    told = [judged("speedup", 2.2, SPEEDUP, quiet=False, suspect=suspect) for suspect in ("minor faults", None)]
    assert [Reason.SUSPECT, Reason.NOT_QUIET] == [found.code for found in told]
    assert ["minor faults", "not measured in a quiet process"] == [found.reason for found in told]
    assert all(found.evidence is not None for found in told)


def test_one_verdict_needs_the_run_threshold_and_another_enough_items():
    low = judge(
        measurement("speedup", 2.1, low=2.09, high=2.11), replace(SPEEDUP, noise=0.005, processes=5), quiet=True,
        today=TODAY, timings=100,
    )  # fmt: skip
    assert (VerdictKind.INCONCLUSIVE, Reason.RUN_THRESHOLD) == (low.kind, low.code)
    few = judged("accuracy", 0.98, expectation("accuracy", 0.98, low=0.972), n=100, share=True)
    assert (VerdictKind.INCONCLUSIVE, Reason.FEW_ITEMS) == (few.kind, few.code)
    assert few.reason.startswith("the margin of 0.80% is less than 100 items can detect")


def test_a_share_that_is_exact_or_beyond_its_bound_needs_no_more_items():
    entry = expectation("accuracy", 0.98, low=0.972)
    assert VerdictKind.PASS is judged("accuracy", 0.98, entry, n=100, share=True, tier="exact").kind
    assert Reason.BELOW is judged("accuracy", 0.9719, entry, n=100, share=True).code


@pytest.mark.parametrize(
    ("low", "value", "high", "words"),
    [
        (2.15, 2.2, 2.3, "a sample 2.8 times as long would decide it (278 rounds instead of 100)"),
        (2.3, 2.35, 2.43, "a sample 2.6 times as long would decide it (257 rounds instead of 100)"),
        (2.1, 2.2, 2.5, "a sample 11 times as long would decide it (1112 rounds instead of 100)"),
        (2.1, 2.17, 2.3, "the value is so close to the bound that no sample length decides it"),
        (2.1, 2.171, 2.3, "the value is so close to the bound that no sample length decides it"),
    ],
)
def test_the_length_that_decides_grows_with_the_square_of_reach_over_way(low, value, high, words):
    """Of two bounds inside, the nearer one decides."""
    found = judged("speedup", value, SPEEDUP, low=low, high=high, n=100)
    assert words == found.reason.split("; ")[-1]


@pytest.mark.parametrize(("low", "words"), [(0.0, "4 times"), (-4.0, "1e+02 times"), (-4.01, "no sample length")])
def test_a_hundred_times_the_rounds_are_still_an_answer(low, words):
    """From 1 the bound is half a unit away; a bound on one side is enough."""
    found = judged("speedup", 1.0, expectation("speedup", 1.2, low=0.5), low=low, high=1.5, n=10)
    assert words in found.reason


def test_remarks_are_joined_and_empty_ones_left_out():
    first = Judgement(kind=VerdictKind.PASS, code=Reason.WITHIN)
    assert "" == first.noting("").reason
    assert "one; two" == first.noting("one").noting("").noting("two").reason
    opened = first.open(Reason.FEW_ITEMS, "few")
    assert (VerdictKind.INCONCLUSIVE, Reason.FEW_ITEMS, "few") == (opened.kind, opened.code, opened.reason)


@pytest.mark.parametrize(
    ("kind", "until", "changed", "words"),
    [
        (VerdictKind.REGRESSED, TODAY, VerdictKind.XFAIL, "said; torch 123"),
        (
            VerdictKind.PASS,
            LATER,
            VerdictKind.XPASS,
            f"said; passes, although it is marked to fail until {LATER}; remove its xfail: torch 123",
        ),
        (VerdictKind.IMPROVED, TODAY, VerdictKind.IMPROVED, "said"),
        (
            VerdictKind.REGRESSED,
            date(2026, 11, 22),
            VerdictKind.REGRESSED,
            "said; xfail expired on 2026-11-22: torch 123",
        ),
    ],
)
def test_a_known_failure_changes_the_kind_and_says_why(kind, until, changed, words):
    before = Judgement(kind=kind, code=Reason.BELOW, reason="said")
    after = consider_xfail(before, XFail(reason="torch 123", until=until), TODAY)
    assert (changed, Reason.BELOW, words) == (after.kind, after.code, after.reason)
    assert before is consider_xfail(before, None, TODAY)
