"""By how much points contradict a shape: nothing where they have it, what was planted where they have not."""
# the expected value stands on the left

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from suite.gate.files.shapes import SHAPES, excess

CURVES = {
    "non-increasing": lambda x: 1 / x,
    "non-decreasing": lambda x: x**3,
    "convex": lambda x: x**2 - 3 * x,
    "concave": lambda x: 5 * x - x**2,
    "unimodal": lambda x: -((x - 4) ** 2),
}
AXES = st.lists(st.integers(1, 60), min_size=3, max_size=8, unique=True).map(sorted)
NOISE = st.lists(st.floats(-1, 1), min_size=8, max_size=8)


def points(shape, axis):
    x = [value / 6 for value in axis]
    return x, [CURVES[shape](value) for value in x]


@pytest.mark.parametrize("shape", SHAPES)
@given(axis=AXES, noise=NOISE, slack=st.floats(1e-6, 1.0))
def test_a_curve_of_the_shape_with_noise_below_the_slack_never_violates_it(shape, axis, noise, slack):
    """Whatever the amounts: two points that err by half the slack each are apart by no more than the slack."""
    x, y = points(shape, axis)
    noisy = [value + error * slack / 2 for value, error in zip(y, noise, strict=False)]
    assert excess(shape, x, noisy, noisy).amount <= slack * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("shape", SHAPES)
@given(axis=AXES, errors=NOISE, width=st.floats(0, 0.5))
def test_intervals_that_hold_a_curve_of_the_shape_never_violate_it(shape, axis, errors, width):
    """The truth lies in them, so a curve of the shape runs through them."""
    x, y = points(shape, axis)
    values = [value + error * width for value, error in zip(y, errors, strict=False)]
    low, high = [value - width for value in values], [value + width for value in values]
    assert excess(shape, x, low, high).amount <= 1e-9


@pytest.mark.parametrize(
    ("shape", "sign"), [("non-increasing", 1), ("non-decreasing", -1), ("convex", 1), ("concave", -1)]
)
@given(axis=AXES, place=st.integers(1, 6), width=st.floats(0.001, 0.5), more=st.floats(0.01, 2.0), errors=NOISE)
def test_a_planted_violation_larger_than_the_noise_is_always_found(shape, sign, axis, place, width, more, errors):  # noqa: PLR0917
    """At an inner point, lifted above its neighbours (or the chord between them) by more than both intervals."""
    assume(place < len(axis) - 1)
    x, y = [value / 6 for value in axis], [0.0] * len(axis)
    y[place] = sign * (4 * width + more)
    values = [value + error * width for value, error in zip(y, errors, strict=False)]
    low, high = [value - width for value in values], [value + width for value in values]
    assert excess(shape, x, low, high).amount >= more - 1e-9


@given(width=st.floats(0.001, 0.5), more=st.floats(0.01, 2.0), errors=NOISE)
def test_a_valley_deeper_than_the_noise_is_not_unimodal(width, more, errors):
    """Two peaks, whatever the noise within the intervals."""
    y = [0.0, -4 * width - more, 0.0]
    values = [value + error * width for value, error in zip(y, errors, strict=False)]
    low, high = [value - width for value in values], [value + width for value in values]
    assert excess("unimodal", [1.0, 2.0, 3.0], low, high).amount >= more - 1e-9


def test_the_point_that_violates_most_is_named():
    """By its index."""
    found = excess("non-increasing", [1, 2, 3, 4], [0.9, 0.8, 0.95, 0.5], [0.9, 0.8, 0.95, 0.5])
    assert (pytest.approx(0.15), 2) == (found.amount, found.at)


def test_unequal_steps_count_in_convexity():
    """The chord between 0 and 10 is at 9 already near its end."""
    y = [0.0, 8.9, 10.0]
    assert excess("convex", [0, 9, 10], y, y).amount < 0 < excess("convex", [0, 5, 10], y, y).amount
