"""Smooth curves that follow a classical family are forecast by it, and their intervals hold."""

import numpy as np
import pytest

from suite.curves import FAMILIES, extrapolate
from suite.curves.forecasting import refined

EPOCHS, SIZES = np.arange(1.0, 41.0), np.geomspace(16, 470, 40)
CURVES = {
    "exp3 over epochs": (EPOCHS, FAMILIES["exp3"](0.95, 0.9, 10.0)),
    "exp3 over sizes": (SIZES / 16, FAMILIES["exp3"](0.95, 0.9, 20.0)),
    "the article's gompertz": (EPOCHS, FAMILIES["gompertz"](0.95, 4.0, 0.1)),
    "pow3": (SIZES, FAMILIES["pow3"](0.95, 1.5, 0.5)),
    "mmf4": (SIZES, FAMILIES["mmf4"](0.1, 0.93, 60.0, 1.1)),
    "a loss": (SIZES, FAMILIES["pow3"](1.7, -3.0, 0.3)),
}


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_without_noise_is_forecast_far_better_than_by_its_last_value(name):
    """Twice and four times the last resource: a fifth of the last value's error or less, and inside the interval."""
    x, curve = CURVES[name]
    to = x[-1] * np.array([2.0, 4.0])
    found, truth = extrapolate(x, curve(x), to=to), curve(to)
    assert np.all(np.abs(found.mean - truth) < np.maximum(np.abs(found.last - truth) / 3, 1e-3))
    assert np.all((found.low <= truth) & (truth <= found.high))


@pytest.mark.parametrize("name", CURVES)
def test_intervals_of_smooth_curves_hold(name):
    """Noise of a thousandth: of 60 curves at least seven in ten are inside, where none was by the grid alone."""
    x, curve = CURVES[name]
    to = x[-1] * np.array([2.0, 4.0])
    noisy = curve(x) + np.random.default_rng(0).normal(0, 0.001, (60, len(x)))
    found = extrapolate(np.tile(x, (60, 1)), noisy, to=to)
    assert 0.7 < np.mean((found.low <= curve(to)) & (curve(to) <= found.high))


def test_smooth_is_little_noise_for_the_range():
    curve = FAMILIES["exp3"](0.95, 0.9, 10.0)(EPOCHS)
    noise = np.random.default_rng(0).normal(0, 1, 40)
    curves = np.stack([curve, curve + 0.002 * noise, curve + 0.03 * noise])
    assert [True, True, False] == refined.is_smooth(curves, np.ones_like(curves, dtype=bool)).tolist()


def test_too_few_points_are_not_called_smooth():
    assert not refined.is_smooth(np.array([[0.1, 0.2, 0.3, 0.35]]), np.ones((1, 4), dtype=bool))[0]


def test_a_missing_point_changes_nothing():
    """What has no weight stands at the front and may be anything."""
    t = np.log2(EPOCHS / 40)[None]
    y, tau = FAMILIES["gompertz"](0.95, 4.0, 0.1)(EPOCHS)[None], np.array([[1.0, 2.0]])
    plain = refined.average(t, y, np.ones_like(t), tau)
    gap = [
        np.concatenate([np.full((1, 1), front), part], axis=1)
        for front, part in ((-9.0, t), (7.0, y), (0.0, y * 0 + 1))
    ]
    assert plain.predicted == pytest.approx(refined.average(*gap, tau).predicted, rel=1e-4)
