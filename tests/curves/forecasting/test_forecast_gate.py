"""How far the families are trusted: the ratio of Durbin and Watson by hand, and the weight that follows."""
# the expected value stands on the left

import numpy as np
import pytest

from suite.curves.forecasting.gate import MOST_REFINED, durbin_watson, trust

ABSENT, THERE = False, True


@pytest.mark.parametrize(
    ("residual", "ratio"),
    [
        ([3.0, -1.0], 3.2),  # 16 / 10 * 2 / 1
        ([1.0, -1.0, 1.0, -1.0], 4.0),  # 12 / 4 * 4 / 3
        ([1.0, 2.0, 3.0, 5.0], 8 / 39),  # 6 / 39 * 4 / 3
        ([0.0, 0.0, 0.0], 0.0),
        ([7.0], 0.0),
    ],
)
def test_the_ratio_is_that_of_squared_steps_and_squared_residuals(residual, ratio):
    """Times n / (n - 1), for n points have n - 1 steps."""
    assert pytest.approx([ratio]) == durbin_watson(np.array([residual]), np.full((1, len(residual)), THERE))


def test_a_missing_point_has_no_step_and_no_residual():
    """Missing ones stand first; each curve has its own number of points."""
    residual = np.array([[9.0, 1.0, -1.0, 1.0], [1.0, -1.0, 1.0, -1.0], [9.0, 9.0, 9.0, 2.0]])
    present = np.array([[ABSENT, THERE, THERE, THERE], [THERE] * 4, [ABSENT, ABSENT, ABSENT, THERE]])
    assert pytest.approx([4.0, 4.0, 0.0]) == durbin_watson(residual, present)


def test_independent_residuals_have_a_ratio_of_two():
    """On average; a constant miss has one of zero."""
    noise = np.random.default_rng(0).standard_normal((2000, 30))
    assert pytest.approx(2.0, abs=0.1) == durbin_watson(noise, np.full(noise.shape, THERE)).mean()
    assert [0.0] == durbin_watson(np.ones((1, 30)), np.full((1, 30), THERE)).tolist()


def test_trust_begins_at_a_ratio_of_one_and_a_half_and_is_full_at_two():
    """In proportion between the two."""
    ratio = np.array([0.0, 1.5, 1.75, 2.0, 4.0])
    assert [0.0, 0.0, 0.375, 0.75, 0.75] == trust(ratio).tolist()
    assert pytest.approx([0.0, 0.0, 0.475, 0.95, 0.95]) == trust(ratio, MOST_REFINED)
