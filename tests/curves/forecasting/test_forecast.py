"""Forecasts: published check values, bounds, and what must not change them."""

import numpy as np
import pytest
from forecasts import NEXT, SIZES, STEPS, accuracy, few, finite, fractions, loss, positive
from hypothesis import given
from hypothesis import strategies as st

from suite.curves.forecasting import Forecast, extrapolate

LAW = 0.9 - 0.4 * (SIZES / 16) ** -0.5
CHECKED = {  # of a prototype of the method, computed independently
    "families distrusted": (
        LAW + 0.004 * np.sin(7 * STEPS),
        {"mean": [0.85278, 0.87252], "low": [0.84460, 0.85483], "high": [0.86307, 0.89686]},
    ),
    "families trusted": (
        LAW + 0.004 * np.sin(2 * STEPS),
        {"mean": [0.84916, 0.86528], "low": [0.83440, 0.83905], "high": [0.86322, 0.88950]},
    ),
    "falling accuracy": (0.7 - 0.01 * np.log2(SIZES / 16) + 0.002 * np.sin(7 * STEPS), {"mean": [0.64870, 0.64565]}),
    "loss": (
        (1.7 + 3 * (SIZES / 16) ** -0.3) * (1 + 0.01 * np.sin(2 * STEPS)),
        {"mean": [2.59492, 2.43422], "low": [2.51435, 2.27343], "high": [2.67249, 2.58111]},
    ),
}


def same(left, right, rel=1e-7):
    """Whether two forecasts agree in all that they say."""
    arrays = all(
        getattr(left, name) == pytest.approx(getattr(right, name), rel=rel, abs=1e-9)
        for name in ("mean", "low", "high")
    )
    return arrays and left.abstained == right.abstained


def row(forecast, at):
    """One curve of a forecast of many."""
    return Forecast(
        **{name: getattr(forecast, name)[at] for name in ("mean", "low", "high", "to", "last", "abstained")},
        level=forecast.level,
    )


@pytest.mark.parametrize("name", CHECKED)
def test_check_values_are_reproduced(name):
    """To the last digit that is known of them."""
    y, expected = CHECKED[name]
    forecast = extrapolate(SIZES, y, to=NEXT, better=None if name == "loss" else "higher")
    for field, values in expected.items():
        assert pytest.approx(values, abs=6e-6) == getattr(forecast, field)


def test_a_rising_accuracy_needs_no_options():
    """The truth lies inside, better is higher, and the last value is beaten."""
    forecast = extrapolate(SIZES, accuracy(), to=NEXT)
    truth = 0.9 - 0.4 * (NEXT / 16) ** -0.5
    assert (forecast.low <= truth).all()
    assert (truth <= forecast.high).all()
    assert (np.abs(forecast.mean - truth) < np.abs(forecast.last - truth)).all()
    assert forecast.abstained is None


def test_a_falling_loss_needs_no_options():
    """Likewise with better lower."""
    forecast = extrapolate(SIZES, loss(), to=NEXT)
    truth = 1.7 + 3 * (NEXT / 16) ** -0.3
    assert (forecast.low <= truth).all()
    assert (truth <= forecast.high).all()
    assert (np.abs(forecast.mean - truth) < np.abs(forecast.last - truth)).all()
    assert forecast.abstained is None


def test_an_error_rate_is_an_accuracy_turned_over():
    """One minus the forecast of one minus the values, ends swapped."""
    y = accuracy()
    right, wrong = (
        extrapolate(SIZES, y, to=NEXT, kind="accuracy"),
        extrapolate(SIZES, 1 - y, to=NEXT, kind="accuracy", better="lower"),
    )
    assert pytest.approx(1 - right.mean) == wrong.mean
    assert pytest.approx(1 - right.high) == wrong.low
    assert pytest.approx(1 - right.low) == wrong.high


def test_an_error_rate_that_reaches_zero_stays_in_bounds():
    """It has no logarithm, and is told to be bounded."""
    forecast = extrapolate(SIZES, np.maximum(0, 0.3 - 0.02 * STEPS), to=NEXT)
    assert pytest.approx([0, 0], abs=2e-3) == forecast.mean
    assert (forecast.low == 0).all()
    assert (forecast.high <= 1).all()


@few
@given(y=fractions)
def test_bounded_forecasts_stay_within_zero_and_one(y):
    """Whatever the values: the interval holds the mean, and nothing leaves [0, 1]."""
    x = np.arange(1, len(y) + 1)
    forecast = extrapolate(x, y, to=[2 * len(y), 16 * len(y)], kind="accuracy")
    assert (forecast.low >= 0).all()
    assert (forecast.low <= forecast.mean).all()
    assert (forecast.mean <= forecast.high).all()
    assert (forecast.high <= 1).all()


@few
@given(y=finite)
def test_intervals_are_ordered_and_finite(y):
    """Any values without any option."""
    forecast = extrapolate(np.arange(1, len(y) + 1), y, to=[2 * len(y), 16 * len(y)])
    assert np.isfinite([forecast.low, forecast.mean, forecast.high]).all()
    assert (forecast.low <= forecast.mean).all()
    assert (forecast.mean <= forecast.high).all()


@few
@given(y=positive)
def test_a_loss_is_never_predicted_below_zero(y):
    """Not even by the lower end."""
    assert (extrapolate(np.arange(1, len(y) + 1), y, to=[8 * len(y)], kind="loss").low >= 0).all()


@few
@given(y=finite, pair=st.tuples(st.floats(0.3, 0.99), st.floats(0.3, 0.99)))
def test_more_confidence_never_narrows_the_interval(y, pair):
    """Intervals are nested."""
    x, to = np.arange(1, len(y) + 1), [3 * len(y)]
    inner, outer = (extrapolate(x, y, to=to, level=level) for level in sorted(pair))
    assert outer.low <= inner.low
    assert inner.high <= outer.high


@few
@given(y=fractions, exponent=st.integers(-40, 40))
def test_the_unit_of_the_resource_does_not_matter(y, exponent):
    """Images or batches of images, epochs or steps."""
    x, to, factor = np.arange(1, len(y) + 1), np.array([2 * len(y)]), 2.0**exponent
    assert same(extrapolate(x, y, to=to), extrapolate(x * factor, y, to=to * factor))


@pytest.mark.parametrize("factor", [1e-20, 1e-3, 0.6931, 1e3, 1e20])
def test_the_unit_of_a_loss_scales_its_forecast(factor):
    """Nats or bits, watts or milliwatts."""
    plain, scaled = (extrapolate(SIZES, unit * loss(), to=NEXT, kind="loss") for unit in (1, factor))
    for name in ("mean", "low", "high"):
        assert pytest.approx(factor * getattr(plain, name), rel=1e-9) == getattr(scaled, name)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_an_unbounded_quality_turned_over_is_its_mirror_image(better):
    """A gain that rises and a cost that falls are the same curve."""
    y, other = 30 * accuracy() - 50, {"higher": "lower", "lower": "higher"}[better]
    plain = extrapolate(SIZES, y, to=NEXT, kind="unbounded", better=better)
    turned = extrapolate(SIZES, -y, to=NEXT, kind="unbounded", better=other)
    assert pytest.approx(-plain.mean) == turned.mean
    assert pytest.approx(-plain.low) == turned.high


def mixed():
    """Accuracies, losses and a signed quality, with gaps, each at its own resources."""
    y = np.array([accuracy(), loss(), 30 * accuracy(seed=2) - 50, accuracy(seed=3), loss(seed=4)])
    y[1, [0, 7, 8, 39]] = np.nan
    y[3, :20] = np.nan
    return SIZES * np.array([[1.0], [1.5], [2.0], [1.0], [7.0]]), y


def test_many_curves_are_forecast_as_one_by_one():
    """Kinds, gaps and resources of the others make no difference."""
    x, y = mixed()
    to = 2 * x[:, -1:]
    batch = extrapolate(x, y, to=to)
    for at in range(len(y)):
        there = np.isfinite(y[at])
        assert same(extrapolate(x[at, there], y[at, there], to=to[at]), row(batch, at))


def test_more_curves_than_a_chunk_keep_their_order():
    """300 copies of the same curve, each in a unit of its own."""
    units = np.geomspace(1, 1000, 300)[:, None]
    forecast = extrapolate(SIZES, units * loss(), to=NEXT, kind="loss")
    assert pytest.approx(np.broadcast_to(forecast.mean[0], (300, 2))) == forecast.mean / units


def test_the_order_of_the_curves_does_not_matter():
    """Reversed curves have reversed forecasts."""
    x, y = mixed()
    plain, turned = extrapolate(x, y, to=2 * x[:, -1:]), extrapolate(x[::-1], y[::-1], to=2 * x[::-1, -1:])
    assert all(same(row(plain, at), row(turned, 4 - at)) for at in range(5))


def test_shared_resources_give_what_each_curves_own_would():
    """The fast way is the same way."""
    y = np.array([accuracy(seed=seed) for seed in range(3)])
    shared, own = extrapolate(SIZES, y, to=NEXT), extrapolate(np.tile(SIZES, (3, 1)), y, to=np.tile(NEXT, (3, 1)))
    assert same(shared, own)


def test_the_order_of_the_points_does_not_matter():
    """They are sorted by resource."""
    order = np.random.default_rng(1).permutation(40)
    assert same(extrapolate(SIZES, accuracy(), to=NEXT), extrapolate(SIZES[order], accuracy()[order], to=NEXT))


@pytest.mark.parametrize("many", [False, True], ids=["shared", "own"])
def test_repeated_resources_count_as_their_mean(many):
    """Two seeds at each size are one point each."""
    y, spread = accuracy(), np.where(STEPS % 2, 0.01, -0.01)
    x, twice = np.tile(SIZES, 2), np.concatenate([y + spread, y - spread])
    forecast = extrapolate(x[None] if many else x, twice[None] if many else twice, to=NEXT)
    assert same(extrapolate(SIZES, y, to=NEXT), row(forecast, 0) if many else forecast)


def test_a_point_that_is_repeated_weighs_more():
    """As if it came with its number of repetitions."""
    x, y, weights = SIZES.copy(), accuracy(), np.where(STEPS == 20, 5.0, 1.0)
    repeated = extrapolate(np.append(x, [x[20]] * 4), np.append(y, [y[20]] * 4), to=NEXT)
    assert same(extrapolate(x, y, to=NEXT, weights=weights), repeated)
    assert not same(extrapolate(x, y, to=NEXT), repeated)


def test_only_the_ratio_of_weights_matters():
    """Counts or inverse variances."""
    weights = 1 + STEPS % 3
    plain, scaled = (extrapolate(SIZES, accuracy(), to=NEXT, weights=unit * weights) for unit in (1, 1e4))
    assert same(plain, scaled, rel=1e-4)  # as close as a search ends


def test_a_point_before_training_is_left_out():
    """Epoch 0 has no logarithm."""
    assert same(
        extrapolate(SIZES, accuracy(), to=NEXT),
        extrapolate(np.append(0.0, SIZES), np.append(0.1, accuracy()), to=NEXT),
        rel=1e-4,  # as close as a search ends
    )


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 3.0, -3.0])
def test_a_constant_curve_is_forecast_to_stay(value):
    """With a narrow interval, and no abstention: there is nothing odd about it."""
    forecast = extrapolate(SIZES, np.full(40, value), to=NEXT)
    assert pytest.approx([value, value], abs=1e-9) == forecast.mean
    assert (forecast.high - forecast.low <= 0.02 * max(1, abs(value))).all()
    assert forecast.abstained is None


def test_shapes_follow_the_targets():
    """One curve has one axis, many have two."""
    one, many = extrapolate(SIZES, accuracy(), to=NEXT), extrapolate(SIZES, np.array([accuracy()] * 3), to=NEXT)
    assert (2,) == one.mean.shape == one.low.shape == one.high.shape == one.to.shape == one.last.shape
    assert (3, 2) == many.mean.shape == many.low.shape == many.high.shape == many.to.shape == many.last.shape
    assert (None, None, None) == many.abstained


def test_the_last_value_comes_along_as_the_competitor():
    """In the unit and order of the values."""
    assert [accuracy()[-1]] * 2 == extrapolate(SIZES, accuracy(), to=NEXT).last.tolist()
