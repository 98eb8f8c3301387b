"""Probabilities that hold for many tests together."""
# the expected value stands on the left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.stats.multiplicity import holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(P_VALUES)
def test_adjusted_probabilities_keep_their_order_and_never_fall(values):
    """At least what they were, the least one at most n times, none above 1."""
    adjusted = holm(values)
    assert all(one <= other <= 1 for one, other in zip(values, adjusted, strict=True))
    order = sorted(range(len(values)), key=values.__getitem__)
    assert sorted(adjusted) == [adjusted[index] for index in order]
    assert min(1.0, len(values) * min(values)) == pytest.approx(min(adjusted))


@given(P_VALUES)
def test_it_rejects_all_that_bonferroni_rejects(values):
    """And nothing above the error itself."""
    adjusted = holm(values)
    assert all(p <= 0.05 for value, p in zip(values, adjusted, strict=True) if value <= 0.05 / len(values) * (1 - 1e-9))
    assert all(value <= 0.05 for value, p in zip(values, adjusted, strict=True) if p <= 0.05)


def test_the_example_of_three():
    """Three times the least, twice the next one, but never less than the one before."""
    assert [pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06)] == holm([0.01, 0.03, 0.04])


def test_of_nothing_there_is_nothing():
    """A run may have no timing."""
    assert [] == holm([])
