"""Curves that misbehave are abstained on; those that behave are not."""

import numpy as np
import pytest
from forecasts import NEXT, SIZES, STEPS, accuracy, loss

from suite.curves.forecasting import extrapolate
from suite.curves.forecasting.behaviour import _mirrored
from suite.curves.study.planted import planted

T = np.log2(SIZES / SIZES[-1])
FORMS = ("fall in the last doubling", "fall in the last two doublings", "valley", "lasting drop")


def said(y, **options):
    return extrapolate(SIZES, y, to=options.pop("to", NEXT), **options).abstained


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.005])
@pytest.mark.parametrize("form", FORMS)
def test_planted_dips_are_told(form, noise):
    """Dips of 0.3 ranges, at places drawn at random: nine of ten are found at least."""
    draw = np.random.default_rng(1)
    curves = [accuracy(noise, seed) for seed in range(30)]
    dips = np.array([planted(T, y, 0.3 * np.ptp(y), draw)[form] for y in curves])
    found = [reason is not None for reason in said(dips)]
    assert np.mean(found) >= 0.9


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.005, 0.02])
def test_curves_that_rise_with_noise_are_not_abstained_on(noise):
    """One of ten at most."""
    wrong = [reason is not None for reason in said(np.array([accuracy(noise, seed) for seed in range(60)]))]
    assert np.mean(wrong) <= 0.1


def test_a_loss_that_turns_up_is_told():
    """Divergence late in training, and the reason says which way."""
    y = loss(0.003)
    y[-8:] *= np.linspace(1.02, 1.4, 8)
    assert "risen" in said(y)


def test_a_falling_accuracy_says_so():
    """Better is known to be higher."""
    assert "fallen" in said(accuracy(0.001)[::-1].copy(), better="higher")


def test_a_slow_oscillation_is_told():
    """A quarter of the range, a period of two doublings."""
    assert said(accuracy(0.001) + 0.1 * np.sin(2 * np.pi * STEPS / 16)) is not None


@pytest.mark.parametrize("step", [0.3, -0.3])
def test_a_spike_at_the_end_is_told(step):
    """Everything hangs on the last point."""
    y = 0.5 + 0.1 * accuracy(0.01)
    y[-1] += step
    assert said(y, better="higher") is not None


def test_an_outlier_in_the_middle_is_no_reason():
    """One point of forty."""
    y = accuracy(0.002)
    y[20] -= 0.2
    assert said(y) is None


def test_a_fall_long_ago_is_no_reason():
    """Six doublings before the end, where the forecast does not look."""
    x = 16 * 2 ** (np.arange(80) / 8)
    y = accuracy(0.002, x=x)
    y[:6] += 0.3
    assert extrapolate(x, y, to=[2 * x[-1]]).abstained is None


def test_few_points_are_told():
    """Five allow a forecast, but no claim of its quality."""
    x = 2.0 ** np.arange(5)
    forecast = extrapolate(x, accuracy(x=16 * x), to=[64])
    assert "too few points: fewer than 6" in forecast.abstained
    assert np.isfinite([forecast.low, forecast.mean, forecast.high]).all()


def test_resources_within_a_doubling_are_told():
    """No trend can be told from them."""
    x = np.linspace(100, 150, 20)
    assert "less than one doubling" in extrapolate(x, accuracy(x=x), to=[300]).abstained


def test_far_targets_are_told():
    """Intervals were checked to 16 times the last resource."""
    assert said(accuracy(), to=[16 * SIZES[-1]]) is None
    assert "5 doublings" in said(accuracy(), to=[2 * SIZES[-1], 64 * SIZES[-1]])


def test_the_noise_at_the_ends_is_that_of_their_own_points():
    """Gaps before the first point are no part of a curve's mirror image."""
    own = _mirrored(np.array([[9.0, 9, 0, 1, 2]]), np.array([[False, False, True, True, True]]))[0]
    assert [0, 1, 2, 1, 0] == own[[9, 10, 11, 12, 13]].tolist()
    assert {0.0, 1.0, 2.0} == set(own.tolist())
