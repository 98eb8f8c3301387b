"""What holds for the article's two families, and what seems to hold and does not, with its counter-example."""

import math

import numpy as np
import pytest
from hypothesis import assume, find, given, settings
from hypothesis import strategies as st

from suite.curves.article import GOMPERTZ, SATURATING
from suite.curves.families.curve import CurveError
from suite.curves.families.gompertz import Gompertz
from suite.curves.families.saturating_exponential import SaturatingExponential

tops = st.floats(0.01, 100)
exponentials = st.builds(SaturatingExponential, top=tops, scale=st.floats(1e-3, 1e3))
gompertz_curves = st.builds(Gompertz, alpha=tops, beta=st.floats(0.01, 50), gamma=st.floats(1e-3, 10))
both = exponentials | gompertz_curves
resources = st.floats(0, 1e4)
whole = st.integers(0, 2000)


def counter_example(strategy, broken):
    """The simplest value for which a property is broken."""
    return find(strategy, broken, settings=settings(max_examples=2000, database=None, deadline=None))


@given(curve=both, pair=st.tuples(resources, resources))
def test_true_more_resources_never_lower_the_quality_which_stays_between_0_and_its_top(curve, pair):
    """To rounding in the last place, since exp() need not be monotone in floats."""
    less, more = sorted(pair)
    assert curve(less) <= curve(more) + 4 * math.ulp(curve.asymptote)
    assert 0 <= curve(less) <= curve.asymptote


@given(curve=exponentials, shares=st.floats(0, 30))
def test_true_the_exponential_is_concave_and_its_slope_is_the_gap_over_the_scale(curve, shares):
    """P'' < 0 and P' = (top - P) / s."""
    r = shares * curve.scale
    gap = curve.top - curve(r)
    assert curve.second_derivative(r) < 0
    assert pytest.approx(gap / curve.scale, abs=1e-15 * curve.top / curve.scale) == curve.derivative(r)


@given(curve=gompertz_curves, share=st.floats(0.01, 0.99))
def test_true_gompertz_marginal_returns_rise_to_their_peak_and_fall_after_it(curve, share):
    """The peak is at max(0, ln(beta) / gamma); its height there is alpha gamma / e unless it is at 0."""
    peak = max(0.0, math.log(curve.beta) / curve.gamma)
    before, after = peak * share, peak + share / curve.gamma
    assert curve.derivative(before) <= curve.derivative(peak) * (1 + 1e-12)
    assert curve.derivative(after) < curve.derivative(peak)
    if peak:
        assert pytest.approx(curve.alpha * curve.gamma / math.e) == curve.derivative(peak)


@given(curve=gompertz_curves, r=st.floats(0, 20))
def test_true_gompertz_is_concave_everywhere_if_and_only_if_beta_is_at_most_1(curve, r):
    """Otherwise it is convex at 0."""
    if curve.beta <= 1:
        assert curve.inflection is None
        assert curve.second_derivative(r) <= 0
    else:
        assert curve.second_derivative(0) > 0


@given(curve=gompertz_curves, r=st.floats(0, 10))
def test_true_the_gompertz_slope_follows_from_its_value(curve, r):
    """P' = gamma P ln(alpha / P)."""
    value = float(curve(r))
    assume(value < 0.99 * curve.alpha)  # nearer, the logarithm of a ratio near 1 has lost its digits
    assert pytest.approx(curve.gamma * value * math.log(curve.alpha / value), rel=1e-11) == curve.derivative(r)


@given(curve=gompertz_curves, r=st.floats(0, 5), shift=st.floats(0, 5))
def test_true_beta_only_shifts_a_gompertz_curve_along_the_resource(curve, r, shift):
    """P(R + d; beta e^(gamma d)) = P(R; beta); M-03 calls it a position on the other axis."""
    shifted = curve.replace(beta=curve.beta * math.exp(curve.gamma * shift))
    assert pytest.approx(curve(r), rel=1e-11, abs=1e-300) == shifted(r + shift)


@given(curve=both, share=st.floats(0.001, 0.999))
def test_true_the_closed_inverse_brings_back_the_quality(curve, share):
    """R = -s ln(1 - P/Pmax) and R = ln(beta / ln(alpha/P)) / gamma, between the ends of what is reached."""
    low, high = curve.reached
    quality = low + share * (high - low)
    assert pytest.approx(quality, rel=1e-9) == curve(curve.inverse(quality))


@pytest.mark.parametrize(("curve", "about"), [(SATURATING, 749), (GOMPERTZ, 390)])
def test_false_strictly_monotone_in_floats(curve, about):
    """At this whole resource the curve is its supremum, exactly, and no further resource adds anything.

    numpy's exp() differs between instruction sets by a bit in the last place, which moves the resource by one or two.
    """
    first = counter_example(whole, lambda r: curve(r) == curve.asymptote)
    assert abs(first - about) <= 2
    assert curve(first - 1) < curve.asymptote


def test_false_a_difference_from_1_is_good_enough():
    """1 - exp(-x) is 0 for small x, where the curve is x."""
    powers = st.integers(0, 30)
    power = counter_example(powers, lambda power: 1 - math.exp(-(10.0**-power)) == 0)
    assert 17 == power
    assert pytest.approx(0.95e-17, rel=1e-14) == SATURATING(20 * 1e-17)


def test_false_gompertz_marginal_returns_fall_from_the_start():
    """They rise up to ln(4) / 0.1 = 13.86: the first counter-example is the start, the last whole one 13."""
    slope = GOMPERTZ.derivative
    assert 0 == counter_example(whole, lambda r: slope(r + 1) > slope(r))
    assert 13 == counter_example(whole.map(lambda r: 2000 - r), lambda r: slope(r + 1) > slope(r))


def test_false_a_gompertz_curve_is_positive():
    """exp(-beta) underflows at no resource from beta = 746 on; at 800 it is 0, without a warning."""
    start = st.integers(1, 2000).map(lambda beta: Gompertz(0.95, beta, 0.1))
    assert 746 == counter_example(start, lambda curve: curve(0) == 0).beta
    assert 0 == Gompertz(0.95, 800, 0.1)(0)
    assert 0 == Gompertz(0.95, 800, 0.1).inverse(0.0)


@pytest.mark.parametrize("curve", [SATURATING, GOMPERTZ])
def test_false_every_quality_has_an_inverse(curve):
    """From the supremum on there is none: a clear error instead of an infinite resource or NaN."""

    def refused(hundredths):
        with np.errstate(all="raise"):
            try:
                curve.inverse(hundredths / 100)
            except CurveError:
                return True
        return False

    assert 95 == counter_example(st.integers(2, 1000), refused)
