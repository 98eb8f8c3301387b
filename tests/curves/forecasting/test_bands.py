"""Widths of intervals: by the distance of the target, and by the level."""
# the expected value stands on the left

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.curves.forecasting.bands import FAMILIES, TREND_WORSE, factor, stretch


@pytest.mark.parametrize("pair", [TREND_WORSE, FAMILIES])
def test_a_factor_grows_geometrically_with_the_doublings(pair):
    """The first figure holds at the last point, the second two doublings beyond it."""
    at_last, far = pair
    assert pytest.approx([at_last, (at_last * far) ** 0.5, far, far**2 / at_last]) == factor(
        pair, np.array([0.0, 1.0, 2.0, 4.0])
    )


@pytest.mark.parametrize(
    ("level", "width"),
    [(0.5, 0.740697 / 2.131847), (0.9, 1.0), (0.95, 2.776445 / 2.131847), (0.99, 4.604095 / 2.131847)],
)
def test_other_levels_are_as_wide_as_quantiles_of_student_say(level, width):
    """With four degrees of freedom, from a table."""
    assert pytest.approx(width, rel=1e-6) == stretch(level)


@given(st.floats(0.01, 0.999), st.floats(0.01, 0.999))
def test_more_confidence_is_wider(first, second):
    low, high = sorted((first, second))
    assert 0 < stretch(low) <= stretch(high)
