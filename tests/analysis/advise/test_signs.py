"""Falls, overfitting and noise, what the last doubling brought, and what is known of others like it."""
# the expected value stands on the left

import curves
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.analysis.advise.facts import FACTS, fact
from suite.analysis.advise.outlook import kind_of
from suite.analysis.advise.signs import last_gain, noise, signs


def found_in(curve):
    return list(signs(curve, kind_of(curve)))


def test_a_rising_curve_has_no_sign():
    """Nothing is made up."""
    assert [] == found_in(curves.curve(curves.RISING))


def test_a_fall_is_told_with_its_place():
    """The best point, and how much was lost."""
    (sign,) = found_in(curves.curve(curves.FALLING))
    assert "it is 0.3 worse than its best, 0.9 at 320" == sign


def test_training_that_improves_while_this_falls_is_overfitting():
    """The gap opens after the best point."""
    said = found_in(curves.curve(curves.FALLING, train=np.linspace(0.5, 1.0, 9)))
    assert any(sign.startswith("overfitting: from 320 on") for sign in said)


def test_training_that_falls_too_is_no_overfitting():
    """Something else went wrong."""
    said = found_in(curves.curve(curves.FALLING, train=curves.FALLING + 0.05))
    assert not any(sign.startswith("overfitting") for sign in said)


def test_a_gain_below_the_noise_is_told():
    """It may be nothing."""
    quality = np.array([0.5, 0.6, 0.55, 0.65, 0.6, 0.7, 0.66, 0.75, 0.76])
    assert any("smaller than the noise" in sign for sign in found_in(curves.curve(quality)))


def test_the_last_doublings_gain_lies_between_points_by_the_logarithm():
    """From 8 to 16 of the points 4 and 16: half of the rise."""
    sizes = np.array([1.0, 4.0, 16.0])
    accuracy = curves.curve([0.2, 0.4, 0.6], sizes=sizes, kind="accuracy", better="higher")
    assert pytest.approx(0.1) == last_gain(accuracy, kind_of(accuracy))


def test_a_loss_that_falls_has_gained():
    """Better is lower."""
    loss = curves.curve([4.0, 2.0, 1.0], kind="loss")
    assert pytest.approx(1.0) == last_gain(loss, kind_of(loss))


def test_less_than_a_doubling_has_no_gain():
    """There is no point at half the resource."""
    short = curves.curve([0.5, 0.6], sizes=np.array([10.0, 15.0]), better="higher")
    assert last_gain(short, kind_of(short)) is None


def test_too_few_points_tell_no_noise():
    """Below five."""
    assert noise(np.arange(4.0)) is None


@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(5, 30))
def test_a_straight_line_has_no_noise(start, slope, points):
    """Whatever its slope."""
    assert pytest.approx(0, abs=1e-9) == noise(start + slope * np.arange(points))


@pytest.mark.parametrize(("points", "share"), [(-0.1, 0.15), (0.0, 0.03), (0.5, 0.03), (1.0, None), (2.5, 0.86)])
def test_the_share_of_public_curves_that_went_on(points, share):
    """Nothing is said from 0.5 to 2 points, where nothing was measured."""
    known = fact(points / 100)
    assert share == (known.share if known else None)


def test_shares_are_probabilities():
    """As percentages in words."""
    assert all(0 <= known.share <= 1 and "of 6,192 public curves" in str(known) for known in FACTS)
