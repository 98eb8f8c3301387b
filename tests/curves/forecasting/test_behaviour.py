"""Curves that misbehave are abstained on; those that behave are not."""

import numpy as np
import pytest
from forecasts import NEXT, SIZES, STEPS, accuracy, few, loss
from hypothesis import given
from hypothesis import strategies as st

from studies.forecasts.planted import planted
from suite.curves.forecasting import extrapolate
from suite.curves.forecasting.behaviour import _mirrored

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


RAMP = np.linspace(0, 1, 24)
POINTS = 2.0 ** np.arange(-23 / 8, 17 / 8, 1 / 8)
BORDERS = {  # what is just not, and just enough for a reason to abstain
    "too few points": [
        (POINTS[:count] ** 8, RAMP[:count], POINTS[count - 1] ** 8 * 2) for count in (6, 5)
    ],
    "too short": [(100 * np.linspace(1, end, 12), RAMP[:12], 300) for end in (2.001, 1.999)],
    "5 doublings": [(POINTS[:24], RAMP, POINTS[23] * 2**far) for far in (4.999, 5.001)],
    "fallen by more": [(POINTS, np.append(RAMP, np.full(16, 1 - fall)), 2 * POINTS[-1]) for fall in (0.1545, 0.1555)],
    "jumps away": [(POINTS[:25], np.append(RAMP, 1 + leap), 2 * POINTS[24]) for leap in (0.48, 0.52)],
}  # fmt: skip


@pytest.mark.parametrize("reason", BORDERS)
def test_a_forecast_abstains_from_its_threshold_on(reason):
    """On one side it stands, on the other it is not to be relied on."""
    below, above = (
        extrapolate(x, y, to=[to], kind="unbounded", better="higher").abstained for x, y, to in BORDERS[reason]
    )
    assert reason not in str(below)
    assert reason in above


SIX = np.arange(1.0, 7.0)
BLOWN = {
    "a fall that gets faster": [4.2, 4.19, 4.0, 3.0, 2.2, 1.674],
    "six epochs of a detector": [1.92414, 1.89871, 1.92917, 1.85228, 1.74734, 1.67423],
}


@pytest.mark.parametrize("name", BLOWN)
def test_intervals_wider_than_anything_seen_abstain(name):
    """They spanned 260 powers of ten: a loss that a family predicts below 0 has no slope in its logarithm."""
    found = extrapolate(SIX, BLOWN[name], to=[8, 12, 60], kind="loss")
    assert (
        "the interval is wider than the range of all measured values" == found.abstained
        or "doublings" in found.abstained
    )
    near = extrapolate(SIX, BLOWN[name], to=[12], kind="loss")
    assert "the interval is wider than the range of all measured values" == near.abstained
    assert near.low[0] > 0.01
    assert near.high[0] < 20


@pytest.mark.parametrize("kind", ["accuracy", "loss"])
def test_an_interval_as_wide_as_all_that_was_seen_is_the_border(kind):
    """Of thirty curves with more and more noise: some below, some above, several within a tenth of the border."""
    noise, x = np.random.default_rng(0), 2.0 ** np.arange(8)
    near = {True: 0, False: 0}
    for size in np.linspace(0.006, 0.18, 60):
        y = np.clip(0.5 + 0.02 * np.arange(8) + size * noise.normal(size=8), 0.05, 0.95)
        found = extrapolate(x, y, to=[2 * x[-1]], kind=kind)
        share = (found.high - found.low)[0] / max(np.ptp(y), 0.5 * (1 if kind == "accuracy" else np.median(y)))
        if kind == "loss":
            seen = max(np.log(y.max() / y.min()), np.log(4))
            share = max(share, float(np.log(found.high / found.low)[0]) / seen)
        wide = found.abstained == "the interval is wider than the range of all measured values"
        assert wide == (share > 1) or found.abstained is not None
        near[wide] += abs(share - 1) < 0.15
    assert all(near.values())


values = st.lists(st.floats(1e-3, 1e3), min_size=6, max_size=20)


@few
@given(y=values, scale=st.floats(-6, 6))
def test_what_does_not_abstain_is_no_wider_than_what_was_seen(y, scale):
    """Of a loss: than its range or half its median, and than its largest factor or 4."""
    y = np.array(y) * 10**scale
    found = extrapolate(np.arange(1, len(y) + 1), y, to=[2 * len(y)], kind="loss")
    if found.abstained is None:
        assert found.high[0] - found.low[0] <= 1.001 * max(np.ptp(y), np.median(y) / 2)
        assert found.high[0] / found.low[0] <= 1.001 * max(y.max() / y.min(), 4)


@few
@given(y=values, level=st.floats(0.5, 0.99))
def test_abstaining_does_not_depend_on_the_level(y, level):
    """Whether a forecast can be relied on is not for the reader to choose."""
    usual, other = (
        extrapolate(np.arange(1, len(y) + 1), y, to=[2 * len(y)], kind="loss", level=p) for p in (0.9, level)
    )
    assert usual.abstained == other.abstained
