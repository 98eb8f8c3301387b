"""The model of an all-reduce is found again from times that follow it."""
# the expected value stands on the left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.analysis.distributed.alpha_beta import AllReduceTime, AlphaBeta, fitted
from suite.core.errors import UsageError


def times_of(model, ranks=(2, 4), sizes=(4, 1 << 14, 1 << 22)):
    return [AllReduceTime(ranks=p, payload=n, seconds=model.seconds(p, n)) for p in ranks for n in sizes]


@given(alpha=st.floats(1e-6, 1e-2), beta=st.floats(1e-11, 1e-8))
def test_a_model_is_found_again(alpha, beta):
    """Its error on its own times is none."""
    found = fitted(times_of(AlphaBeta(alpha=alpha, beta=beta, error=0)))
    assert pytest.approx((alpha, beta), rel=1e-3) == (found.alpha, found.beta)
    assert found.error < 1e-6


def test_the_error_is_the_largest_of_the_measured_points():
    times = times_of(AlphaBeta(alpha=1e-4, beta=1e-9, error=0))
    longer = [*times, AllReduceTime(ranks=2, payload=1 << 20, seconds=1.0)]
    assert fitted(longer).error > 0.5


def test_one_rank_waits_for_nobody():
    assert AlphaBeta(alpha=1.0, beta=1.0, error=0).seconds(1, 1000) == 0


def test_more_ranks_take_longer():
    model = AlphaBeta(alpha=1e-4, beta=1e-9, error=0)
    seconds = [model.seconds(ranks, 1 << 20) for ranks in (2, 8, 64, 512, 4096)]
    assert sorted(seconds) == seconds


def test_one_time_alone_is_too_few():
    with pytest.raises(UsageError, match="two times or more, got 1"):
        fitted([AllReduceTime(ranks=2, payload=4, seconds=1.0)])
