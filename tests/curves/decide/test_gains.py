"""Marginal returns, gains and what a target needs, with intervals; when to stop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw

from suite.curves.decide import best_spending, doubling_gain, marginal_return, resource_for, step_gain, stop_rule
from suite.curves.families import FAMILIES, CurveError
from suite.curves.fitting import fit
from suite.curves.testing import cases

X = np.geomspace(2, 300, 30)
EXP3, GOMPERTZ = FAMILIES["exp3"], FAMILIES["gompertz"](0.95, 4.0, 0.1)
TRUE = EXP3(0.9, 0.5, 20.0)


@pytest.fixture(scope="module")
def rising():
    return fit(X, TRUE(X) + np.random.default_rng(0).normal(0, 0.003, len(X)), family="exp3")


@pytest.fixture(scope="module")
def falling():
    curve = FAMILIES["pow3"](1.7, -3.0, 0.3)
    return fit(X, curve(X) * (1 + np.random.default_rng(0).normal(0, 0.003, len(X))), family="pow3")


def test_a_marginal_return_has_its_interval(rising):
    found = marginal_return(rising, 30)
    assert found.low < float(TRUE.derivative(30)) < found.high
    assert found.low <= found.value <= found.high
    assert "Q/R" == found.unit


def test_a_doubling_gain_is_a_step_of_its_own_size(rising):
    assert step_gain(rising, 40, 40) == doubling_gain(rising, 40)
    assert doubling_gain(rising, 10).value > doubling_gain(rising, 80).value


def test_a_figure_says_itself_in_one_line(rising):
    assert str(step_gain(rising, 40, 40)).endswith("] Q")


@pytest.mark.parametrize("function", [lambda found: step_gain(found, 3, 0), lambda found: doubling_gain(found, -1)])
def test_a_step_must_lead_somewhere(rising, function):
    with pytest.raises(CurveError, match="must be positive"):
        function(rising)


def test_a_target_within_reach_needs_an_interval_of_resources(rising):
    found = resource_for(rising, 0.85)
    assert found.low < float(TRUE.inverse(0.85)) < found.high
    assert not found.unreachable
    assert 1 == found.reaching


def test_a_target_beyond_the_asymptote_is_unreachable(rising):
    found = resource_for(rising, 0.95)
    assert found.unreachable
    assert math.isinf(found.value)
    assert "0.95 is unreachable at 95%" == str(found)


def test_a_target_near_the_asymptote_has_an_open_interval(rising):
    """Some of the curves that the data allow reach it, others do not."""
    found = resource_for(rising, rising.params["a"])
    assert math.isinf(found.high)
    assert not found.unreachable


def test_a_target_that_is_passed_from_the_beginning_needs_nothing(rising):
    assert 0 == resource_for(rising, 0.1).value


def test_a_loss_has_targets_too(falling):
    found = resource_for(falling, 2.4)
    assert found.low < float(FAMILIES["pow3"](1.7, -3.0, 0.3).inverse(2.4)) < found.high
    assert resource_for(falling, 1.0).unreachable


def test_it_stops_where_even_the_best_case_is_below_the_price(rising):
    assert stop_rule(rising, 200, step=50, price=1e-4).stops
    assert not stop_rule(rising, 10, step=10, price=1e-4).stops
    assert str(stop_rule(rising, 200, step=50, price=1e-4)).startswith("stop: the next step gains at most")


def test_a_falling_loss_is_a_gain(falling):
    found = stop_rule(falling, 20, step=20, price=0.001)
    assert found.gain.low > 0
    assert not found.stops


def test_noise_alone_does_not_stop_it():
    """Four points with much noise: the gain could still be worth its price."""
    found = fit(X[::6], TRUE(X[::6]) + np.random.default_rng(2).normal(0, 0.05, 5), family="saturating_exponential")
    assert not stop_rule(found, 60, step=20, price=1e-4).stops


def test_a_price_is_not_negative(rising):
    with pytest.raises(CurveError, match="price must not be negative, got -1"):
        stop_rule(rising, 10, step=1, price=-1)


@given(price=st.floats(0.0002, 0.0269))
def test_the_best_spending_on_a_gompertz_is_the_closed_form(price):
    """R* = ln(beta / u) / gamma with u = -W0(-price / (alpha gamma)), while the price is below 0.0269307."""
    u = -lambertw(-price / (0.95 * 0.1)).real
    assert pytest.approx(math.log(4 / u) / 0.1, rel=1e-6) == best_spending(GOMPERTZ, price, up_to=1000).resource


@given(price=st.floats(0.02694, 0.0349))
def test_a_stationary_point_can_be_worse_than_nothing(price):
    """From 0.0269307 to alpha gamma / e the marginal return equals the price somewhere, yet nothing is best."""
    assert 0 == best_spending(GOMPERTZ, price, up_to=1000).resource


@given(price=st.floats(1e-4, 0.1), other=st.floats(0, 200))
def test_no_other_spending_is_better(price, other):
    found = best_spending(TRUE, price, up_to=200)
    assert float(TRUE(other)) - price * other <= found.net + 1e-12


SPENT = {  # of prices per unit, by calculus
    "pow2": (FAMILIES["pow2"](1.0, 0.5), 0.05, 100.0, 10.0 - 5.0),
    "pow2 that falls": (FAMILIES["pow2"](2.0, -0.5), 0.001, 100.0, 0.2 + 0.1),
    "pow3": (FAMILIES["pow3"](0.8, 0.6, 0.2), 0.001, 54.03199, 0.475808),
    "logarithm": (FAMILIES["logarithm"](0.0, 0.1), 0.01, 10.0, 0.1 * math.log(10) - 0.1),
    "ilog": (FAMILIES["ilog"](0.9, 0.5), 0.5 / (math.e * 1.0), math.e, 0.9 - 0.5 - 0.5),
    "exp3 that falls": (FAMILIES["exp3"](2.0, -5.0, 30.0), 0.001, 30 * math.log(5 / 0.03), 2.18348),
    "pow2 that saturates nowhere": (FAMILIES["pow2"](0.001, 2.0), 0.05, 1000.0, 950.0),
    "pow2 that is not worth it": (FAMILIES["pow2"](0.001, 2.0), 1.5, 0.0, 0.0),
}


@pytest.mark.parametrize("name", SPENT)
def test_the_best_spending_is_found_where_a_curve_has_no_value_at_nothing(name):
    """Its limit there counts; a curve that falls is a loss, whose price is added."""
    curve, price, resource, net = SPENT[name]
    found = best_spending(curve, price, up_to=1000)
    assert pytest.approx(resource, rel=1e-6) == found.resource
    assert pytest.approx(net, rel=1e-5) == found.net


EVERY = st.sampled_from(sorted(FAMILIES)).flatmap(lambda name: cases(FAMILIES[name]))


@given(case=EVERY, price=st.floats(-6, 6), other=st.floats(0, 1))
def test_no_other_spending_on_any_family_is_better(case, price, other):
    """Or the curve has an end that is endlessly good, which is an error."""
    curve, most = case.curve, float(case.resource[-1])
    cost = 10**price * abs(float(curve(most))) / most + 1e-30
    found = best_spending(curve, cost, up_to=most)
    least = curve.domain[0]
    resource = max(least + other * (most - least), case.resource[0])
    sign = 1 if curve.rising else -1
    slack = 1e-9 * (float(case.terms(resource)) + cost * resource)
    assert sign * float(curve(resource)) - cost * resource <= sign * found.net + slack


def test_a_direction_against_the_curve_spends_nothing_or_is_refused():
    """What gets worse with more is best without; the end where it is endlessly good is none."""
    assert 0 == best_spending(TRUE, 0.001, up_to=100, better="lower").resource
    with pytest.raises(CurveError, match="the fewer resources, the better, without a limit"):
        best_spending(FAMILIES["pow3"](0.8, 0.6, 0.2), 0.001, up_to=100, better="lower")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"price": math.inf}, "price must be positive, got inf"),
        ({"up_to": 1.0}, "up_to must be above 1 and at most 1e\\+60, got 1.0"),
        ({"up_to": math.nan}, "up_to must be above 1"),
        ({"better": "more"}, "better must be higher or lower, got 'more'"),
    ],
)
def test_spending_that_cannot_be_judged_is_named(options, message):
    with pytest.raises(CurveError, match=message):
        best_spending(FAMILIES["ilog"](0.9, 0.5), **{"price": 0.1, "up_to": 10.0, **options})


def test_spending_has_a_price():
    with pytest.raises(CurveError, match="price must be positive, got 0"):
        best_spending(TRUE, 0, up_to=10)
