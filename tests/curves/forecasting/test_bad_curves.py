"""Curves, targets and options that no forecast can be made of: each says what to change."""

import numpy as np
import pytest
from forecasts import NEXT, SIZES, accuracy, loss

from suite.core.errors import SuiteError
from suite.curves.forecasting import ExtrapolationError, extrapolate


def changed(values, at, to):
    """A copy with one value replaced."""
    out = np.array(values, dtype=float)
    out[at] = to
    return out


Y = accuracy()
BAD = {
    "three points": ((SIZES[:3], Y[:3]), {}, "3 different resources above 0; a forecast needs at least 4"),
    "one resource": ((np.ones(40), Y), {}, "1 different resources"),
    "an empty row": ((SIZES, [Y, np.full(40, np.nan)]), {}, "curve 1 has 0 different resources"),
    "NaN": ((SIZES, changed(Y, 5, np.nan)), {}, "quality holds NaN; drop those points, or give a 2-D array"),
    "infinite quality": ((SIZES, changed(Y, 5, np.inf)), {}, "quality must be finite, got inf at point 5"),
    "huge quality": ((SIZES, 1e70 * Y), {}, "choose another unit"),
    "negative resource": ((changed(SIZES, 3, -1), Y), {}, "not negative, got -1 at point 3"),
    "NaN resource": ((changed(SIZES, 3, np.nan), Y), {}, "resources must be finite and not negative, got nan"),
    "percent": ((SIZES, 100 * Y), {"kind": "accuracy"}, r"an accuracy is in \[0, 1\], got .*; use fractions"),
    "loss at zero": ((SIZES, loss() - loss()[-1]), {"kind": "loss"}, "a loss is above 0, got 0; use kind="),
    "rising loss": ((SIZES, loss()), {"kind": "loss", "better": "higher"}, "a loss is better when lower"),
    "target inside": ((SIZES, Y), {"to": [SIZES[-1]]}, "targets must be beyond the last resource"),
    "target NaN": ((SIZES, Y), {"to": [np.nan]}, "targets must be beyond the last resource"),
    "level in percent": ((SIZES, Y), {"level": 90}, "level must be a number between 0 and 1, both excluded, got 90"),
    "level of text": ((SIZES, Y), {"level": "high"}, "level must be a number"),
    "unknown kind": ((SIZES, Y), {"kind": "acc"}, "kind must be one of 'auto', 'accuracy', .*, got 'acc'"),
    "unknown direction": ((SIZES, Y), {"better": "up"}, "better must be one of 'higher', 'lower', got 'up'"),
    "shapes": ((SIZES[:5], Y), {}, "resource of shape .* does not go with quality"),
    "targets of others": ((SIZES, Y), {"to": [[1e4], [1e4]]}, "to of shape .* does not go with quality"),
    "text": ((SIZES, ["good"] * 40), {}, "quality must be an array of numbers"),
    "ragged": (([[1, 2], [1]], [[1, 2], [1]]), {}, "quality must be an array of numbers, rows of the same length"),
    "nothing": (([], []), {}, r"quality must be \[n\] for one curve"),
    "weight zero": ((SIZES, Y), {"weights": np.zeros(40)}, "weights must be finite and above 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_refused_with_a_remedy(name):
    """Nothing reaches NumPy's own errors or warnings."""
    arguments, options, message = BAD[name]
    with pytest.raises(ExtrapolationError, match=message):
        extrapolate(*arguments, **{"to": NEXT, **options})


def test_the_error_is_one_that_users_are_shown():
    """A message, no traceback."""
    assert issubclass(ExtrapolationError, SuiteError)


@pytest.mark.parametrize("scale", [1e-300, 1e-100, 1e100, 1e300])
def test_resources_of_any_size_are_taken(scale):
    """Ratios count, and do not overflow."""
    forecast = extrapolate(SIZES / 16 * scale, Y, to=NEXT / 16 * scale)
    assert pytest.approx(extrapolate(SIZES, Y, to=NEXT).mean) == forecast.mean


def test_resources_many_decades_apart_give_a_finite_forecast():
    """600 decades in six points."""
    x = np.array([1e-300, 1e-200, 1e-100, 1, 1e100, 1e200])
    assert np.isfinite(extrapolate(x, Y[:6], to=[1e300]).mean).all()
