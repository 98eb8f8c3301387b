"""A slow rank is named from the times of the ranks' own parts."""
# the expected value stands on the left

import pytest

from suite.core.errors import UsageError
from suite.training.distributed.stragglers import imbalance, slowest


def test_a_slow_rank_is_named_with_its_factor_and_what_the_others_wait():
    found = slowest((0.010, 0.030, 0.010, 0.011), step=0.040)
    assert (1, 4, True) == (found.rank, found.world, found.is_slow)
    said = "rank 1 of 4 is slow: its own part of a step takes 30 ms, 3 times the 10 ms of the others"
    assert str(found).startswith(f"{said}, which wait for it in 50% of a step")


def test_ranks_that_are_alike_have_no_slow_one():
    found = slowest((0.010, 0.011), step=0.020)
    assert (1, False) == (found.rank, found.is_slow)


@pytest.mark.parametrize(("own", "expected"), [((1.0, 1.0), 0.0), ((1.0, 3.0), 0.5)])
def test_imbalance_is_the_slowest_against_the_mean(own, expected):
    assert expected == imbalance(own)


def test_others_wait_a_whole_step_at_most():
    assert 1.0 == slowest((0.001, 0.1), step=0.05).waited


def test_one_rank_is_slow_against_nobody():
    with pytest.raises(UsageError, match="two ranks or more, got 1"):
        slowest((1.0,), step=1.0)
