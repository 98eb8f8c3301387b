"""The smallest effect that a comparison could have shown."""
# the expected value stands on the left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.stats.intervals import paired_difference
from suite.core.stats.smallest import shows, smallest_effect

STEPS = st.integers(0, 1000)


def test_it_is_how_far_the_interval_reaches_towards_zero():
    """An interval need not lie around its value: one of proportions does not."""
    assert pytest.approx(0.0034) == smallest_effect(-0.0028, -0.0061, 0.0006)
    assert pytest.approx(0.0008) == smallest_effect(0.0010, 0.0002, 0.0030)
    assert pytest.approx(0.0011) == smallest_effect(0.0, -0.0010, 0.0011)


@given(value=st.integers(-1000, 1000), below=STEPS, above=STEPS)
def test_an_effect_shows_where_it_is_larger(value, below, above):
    """The same as that its interval does not hold zero."""
    low, high = value - below, value + above
    assert shows(low, high) == (abs(value) > smallest_effect(value, low, high))


@given(value=st.integers(-1000, 1000), below=STEPS, above=STEPS)
def test_it_does_not_hang_on_which_direction_is_called_positive(value, below, above):
    found = smallest_effect(value, value - below, value + above)
    assert found == smallest_effect(-value, -value - above, -value + below)


def test_more_items_show_smaller_effects():
    """Equal answers to four thousand items leave less room than to four hundred."""
    few, many = (smallest_effect(0.0, *paired_difference(0, 0, n, 0.95)) for n in (400, 4000))
    assert 9 < few / many < 11
