"""What a speed-up with its interval decides."""

import pytest

from suite.bench.functions.answers import AnswersApart
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio
from suite.core.errors import UsageError


def ratio(value=1.2, low=1.15, high=1.25, **details):
    return SpeedRatio(value=value, low=low, high=high, rounds=30, confidence=0.99, null=1.0, **details)


@pytest.mark.parametrize(
    ("found", "bound", "holds", "figure"),
    [
        (ratio(), 1.1, True, "speed-up 1.2 [1.15, 1.25], at least 1.1 wanted"),
        (ratio(), 1.15, True, "speed-up 1.2 [1.15, 1.25], at least 1.15 wanted"),
        (ratio(), 1.3, False, "speed-up 1.2 [1.15, 1.25], at least 1.3 wanted"),
        (ratio(), 1.2, False, "inconclusive: speed-up 1.2 [1.15, 1.25], at least 1.2 wanted: the interval contains"),
        (ratio(suspect="it was preempted"), 1.1, False, "at least 1.1 wanted: it was preempted"),
        (ratio(low=None, high=None), 1.1, False, "inconclusive: speed-up 1.2 (no interval from 30 rounds)"),
    ],
)
def test_a_bound_holds_where_the_whole_interval_does(found, bound, holds, figure):
    """What contains the bound, or is suspect, decides nothing."""
    decision = found.at_least(bound)
    assert holds == bool(decision)
    assert figure in repr(decision)


def test_what_decides_nothing_is_asked_of_the_option():
    """`--tradeoff-inconclusive` of the fixture."""
    said = []
    found = ratio(undecided=lambda text: said.append(text) or True)
    assert found.at_least(1.2)
    assert ["inconclusive"] == [text.partition(":")[0] for text in said]
    assert not found.at_least(1.3)
    assert 1 == len(said)


def test_a_result_is_one_line():
    """As pytest shows it below a failed assertion."""
    found = FunctionTradeoff(speedup=ratio(), outputs=AnswersApart(difference=1e-9))
    assert "<speed-up 1.2 [1.15, 1.25], outputs differ by 1e-09 of the largest>" == repr(found)
    assert "<speed-up 1.2 [1.15, 1.25]>" == repr(found.speedup)


@pytest.mark.parametrize("bound", ["1.1", float("nan"), 0, None])
def test_a_bound_that_is_no_number_is_refused(bound):
    """At once, instead of a comparison that never holds."""
    with pytest.raises(UsageError, match="the bound must be a positive number, got"):
        ratio().at_least(bound)
