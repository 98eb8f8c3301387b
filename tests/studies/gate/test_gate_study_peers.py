"""The rules of other tools, on seconds that are made up."""
# the expected value stands on the left

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.gate.peers import PEERS, flagged

MEAN, MIN, ASV = PEERS
SECONDS = np.linspace(1.0, 1.2, 50)


def test_growth_within_what_is_allowed_is_flagged_by_nobody():
    """4 % lie below every threshold."""
    assert not any(flagged(SECONDS, 1.04 * SECONDS).values())


def test_six_percent_are_beyond_five_and_within_a_factor_of_1_1():
    """pytest-benchmark's rules see 6 %, asv's does not look below 10 %."""
    assert {MEAN: True, MIN: True, ASV: False} == flagged(SECONDS, 1.06 * SECONDS)


def test_twice_the_time_is_flagged_by_all():
    """Distributions that do not overlap differ by any test."""
    assert all(flagged(SECONDS, 2 * SECONDS).values())


def test_one_long_interruption_moves_the_mean_alone():
    """The least call and the median do not see it."""
    disturbed = np.append(SECONDS, 20.0)
    assert {MEAN: True, MIN: False, ASV: False} == flagged(SECONDS, disturbed)


def test_few_calls_prove_nothing_to_a_rank_test():
    """Three against three calls cannot reach p < 0.002, however far apart they lie."""
    assert flagged(np.ones(3), np.full(3, 2.0))[ASV] is False


@given(st.floats(1.2, 5.0))
def test_faster_code_is_never_flagged(factor):
    """No rule calls an improvement a regression."""
    assert not any(flagged(SECONDS, SECONDS / factor).values())


@pytest.mark.parametrize("scale", [1e-6, 1e3])
def test_rules_do_not_depend_on_the_unit(scale):
    """Seconds or microseconds, the same answer."""
    assert flagged(SECONDS, 1.06 * SECONDS) == flagged(scale * SECONDS, scale * 1.06 * SECONDS)
