"""The chance of a gain from a forecast's intervals."""
# the expected value stands on the left

from dataclasses import dataclass, replace

import curves
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.analysis.advise.outlook import LEVELS, MOST_TIMES, Outlook, chance_above, kind_of, outlook
from suite.curves import ExtrapolationError

TAILS = np.linspace(0.01, 0.99, 11)


def test_the_chance_of_more_than_the_median_is_one_half():
    """By definition."""
    assert pytest.approx(0.5) == chance_above(0.0, np.linspace(-1, 1, 11), TAILS)


def test_beyond_the_widest_interval_nothing_is_certain():
    """1 % is left at either side."""
    quantiles = np.linspace(-1, 1, 11)
    assert pytest.approx(0.01) == chance_above(5.0, quantiles, TAILS)
    assert pytest.approx(0.99) == chance_above(-5.0, quantiles, TAILS)


@dataclass(frozen=True)
class Told:
    """A forecast at one resource."""

    mean: list[float]
    low: list[float]
    high: list[float]
    abstained: str | None = None


def uniform(_, quality, *, level, better, **_options):
    """A forecast whose gain is uniform between 0 and 1: the ends of an interval are the tails it leaves."""
    sign = 1 if better == "higher" else -1
    ends = sorted(quality[-1] + sign * np.array([(1 - level) / 2, (1 + level) / 2]))
    return Told([quality[-1] + sign * 0.5], ends[:1], ends[1:])


@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize(
    ("worth", "chance"), [(0.005, 0.99), (0.05, 0.95), (0.1, 0.9), (0.3, 0.7), (0.5, 0.5), (0.925, 0.075), (2.0, 0.01)]
)
def test_the_chance_of_a_uniform_gain_is_what_is_left_above_the_price(worth, chance, better, monkeypatch):
    """Both tails of every interval are read, each with half of what the interval leaves."""
    monkeypatch.setattr("suite.analysis.advise.outlook.extrapolate", uniform)
    found = outlook(curves.curve(curves.RISING, kind="unbounded", better=better), worth)
    assert pytest.approx(chance) == found.chance
    assert pytest.approx((0.05, 0.5, 0.95)) == (found.low, found.gain, found.high)


def test_a_rising_curve_gains_and_a_flat_one_does_not():
    """One point of accuracy."""
    assert outlook(curves.curve(curves.RISING), 0.01).chance > 0.9
    assert outlook(curves.curve(curves.FLAT), 0.01).chance < 1 / 3


def test_where_the_forecast_abstains_there_is_no_chance():
    """Its reason is kept."""
    found = outlook(curves.curve(curves.FALLING), 0.01)
    assert found.chance is None
    assert found.abstained


def test_an_accuracy_above_one_is_impossible():
    """Whatever the interval says."""
    assert 0 == outlook(curves.curve(curves.RISING), 0.9).chance


HALF = [0.25, 0.375, 0.5]  # its last value is one half to the bit


@pytest.mark.parametrize(
    ("kind", "better", "worth", "possible"),
    [
        ("accuracy", "higher", 0.25, True),
        ("accuracy", "higher", 0.5, False),
        ("accuracy", "lower", 0.75, True),
        ("accuracy", "lower", 0.875, False),
        ("loss", "lower", 0.75, True),
        ("loss", "lower", 0.875, False),
        ("unbounded", "higher", 0.75, True),
        ("unbounded", "lower", 0.75, True),
    ],
)
def test_only_what_lies_beyond_the_end_of_the_scale_is_impossible(kind, better, worth, possible, monkeypatch):
    """An accuracy of exactly 1 and an error of exactly 0 may be reached; other qualities have no end."""
    monkeypatch.setattr("suite.analysis.advise.outlook.extrapolate", uniform)
    found = outlook(curves.curve([0.25, 0.5, 0.75], kind=kind, better=better), worth)
    assert (pytest.approx(1 - worth) if possible else 0.0) == found.chance


def test_a_forecast_is_asked_for_at_every_level_with_what_is_known_of_the_curve(monkeypatch):
    """Its points, its kind and direction, and whether they are the log of one training."""
    asked = []

    def asking(resource, quality, **options):
        asked.append((resource.tolist(), quality.tolist(), options))
        return uniform(resource, quality, **options)

    monkeypatch.setattr("suite.analysis.advise.outlook.extrapolate", asking)
    for annealed in (True, False):
        outlook(curves.curve(HALF, kind="accuracy", better="lower", annealed=annealed), 0.1, times=4.0)
    told = {"to": [160.0], "kind": "accuracy", "better": "lower"}
    points = [10.0, 20.0, 40.0], HALF
    assert [
        (*points, told | {"level": level, "annealed": annealed}) for annealed in (True, False) for level in LEVELS
    ] == asked


def test_an_outlook_says_what_was_asked(monkeypatch):
    """Twice the last resource unless another multiple is asked for."""
    monkeypatch.setattr("suite.analysis.advise.outlook.extrapolate", uniform)
    curve = curves.curve(HALF, kind="unbounded")
    twice = outlook(curve, 0.25)
    assert Outlook(
        times=2.0, resource=80.0, worth=0.25, gain=0.5, low=pytest.approx(0.05), high=pytest.approx(0.95),
        chance=pytest.approx(0.75), abstained=None,
    ) == twice  # fmt: skip
    most = outlook(curve, 0.25, times=MOST_TIMES)
    assert (32.0, 1280.0) == (most.times, most.resource)


def test_the_reason_of_an_abstention_is_that_of_the_forecast(monkeypatch):
    """The gain and its interval are told, a chance is not: not even that of what is impossible."""
    monkeypatch.setattr(
        "suite.analysis.advise.outlook.extrapolate",
        lambda *points, **options: replace(uniform(*points, **options), abstained="it dips"),
    )
    found = outlook(curves.curve(HALF, kind="accuracy"), 0.75)
    assert (None, "it dips") == (found.chance, found.abstained)
    assert 0.5 == pytest.approx(found.gain)


@pytest.mark.parametrize("kind", ["auto", "unbounded"])
def test_a_quality_without_a_direction_is_refused(kind):
    """Values do not tell it; the message names the curve and the options that do."""
    with pytest.raises(ExtrapolationError, match=r"^whether a is better when higher or lower is not known; "):
        kind_of(replace(curves.curve(HALF, kind=kind), better=None))


@pytest.mark.parametrize(
    ("kind", "better", "told"),
    [
        ("auto", "higher", ("accuracy", "higher")),
        ("auto", "lower", ("loss", "lower")),
        ("unbounded", "lower", ("unbounded", "lower")),
        ("accuracy", None, ("accuracy", "higher")),
        ("loss", None, ("loss", "lower")),
    ],
)
def test_a_kind_or_a_direction_suffices(kind, better, told):
    """An accuracy is better when higher, a loss when lower."""
    found = kind_of(replace(curves.curve(HALF, kind=kind), better=better))
    assert told == (found.space, found.better)


def test_an_error_rate_is_an_accuracy_upside_down():
    """Gains are positive where it is better."""
    accuracy = outlook(curves.curve(curves.RISING, kind="accuracy"), 0.01)
    error = outlook(curves.curve(1 - curves.RISING, kind="accuracy", better="lower"), 0.01)
    assert pytest.approx(accuracy.gain) == error.gain
    assert pytest.approx((accuracy.low, accuracy.high)) == (error.low, error.high)
    assert pytest.approx(accuracy.chance) == error.chance


def test_the_unit_of_the_resource_does_not_matter():
    """Samples or thousands of them."""
    before = curves.curve(curves.RISING)
    after = replace(before, resource=before.resource / 1000)
    assert pytest.approx(outlook(before, 0.01).chance) == outlook(after, 0.01).chance


def test_quantiles_that_cross_are_read_as_their_running_greatest():
    """Ends of intervals that are not nested: the distribution never falls."""
    quantiles, tails = np.array([0.0, 2.0, 1.0, 3.0]), np.array([0.1, 0.3, 0.7, 0.9])
    assert pytest.approx(0.8) == chance_above(1.0, quantiles, tails)
    assert pytest.approx(0.2) == chance_above(2.5, quantiles, tails)


ascending = st.lists(st.floats(-1, 1), min_size=11, max_size=11).map(sorted).map(np.array)


@given(ascending, st.floats(-2, 2), st.floats(0, 2))
def test_a_higher_price_is_never_likelier_to_be_reached(quantiles, worth, more):
    """And a chance is a probability."""
    before, after = (chance_above(each, quantiles, TAILS) for each in (worth, worth + more))
    assert 0 <= after <= before <= 1


@given(st.floats(-1, 1), st.floats(1e-3, 1), st.floats(1, 10), st.floats(-2, 2))
def test_a_wider_distribution_around_the_same_middle_is_never_more_certain(middle, width, wider, worth):
    """Its chance lies nearer to one half."""
    shape = np.linspace(-1, 1, 11)
    narrow, wide = (chance_above(worth, middle + w * shape, TAILS) for w in (width, width * wider))
    assert abs(wide - 0.5) <= abs(narrow - 0.5) + 1e-9


@given(st.integers(0, 1000), st.floats(0, 0.05))
def test_whatever_the_noise_a_chance_is_a_probability(seed, amount):
    """Or there is none, with a reason."""
    found = outlook(curves.curve(np.clip(curves.RISING + curves.noisy(amount, seed), 0, 1)), 0.01)
    assert (found.chance is None) == (found.abstained is not None)
    assert found.chance is None or 0 <= found.chance <= 1
    assert found.low <= found.gain <= found.high
