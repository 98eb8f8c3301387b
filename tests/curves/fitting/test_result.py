"""What a fit says of itself: intervals, bands, criteria, and what the data do not tell."""

import math

import numpy as np
import pytest

from suite.core.errors import SuiteError
from suite.curves.families import FAMILIES
from suite.curves.fitting import FitError, fit

X = np.geomspace(2, 300, 30)
TRUE = FAMILIES["exp3"](0.9, 0.5, 20.0)
SEEDS = 60


def noisy(seed, x=X, curve=TRUE, sd=0.005):
    return curve(x) + np.random.default_rng(seed).normal(0, sd, len(x))


@pytest.fixture(scope="module")
def fits():
    return [fit(X, noisy(seed), family="exp3") for seed in range(SEEDS)]


def covered(fits, inside, level):
    """Whether the share of intervals that hold the truth agrees with their level: a binomial test at 0.1 %."""
    from scipy.stats import binomtest

    return binomtest(sum(map(inside, fits)), len(fits), level).pvalue > 1e-3


@pytest.mark.parametrize("method", ["covariance", "profile", "bootstrap"])
def test_intervals_hold_the_truth_as_often_as_they_say(fits, method):
    """Over 60 data sets, or 30 where refitting takes its time, 90 % intervals of the asymptote."""
    some = fits if method == "covariance" else fits[:30]

    def inside(found):
        low, high = found.interval("a", 0.9, method)
        return low <= 0.9 <= high

    assert covered(some, inside, 0.9)


@pytest.mark.parametrize("kind", ["confidence", "prediction"])
def test_bands_hold_what_they_are_about(fits, kind):
    """The confidence band holds the curve, the prediction band a new measurement, at twice the largest resource."""
    new = np.random.default_rng(99).normal(0, 0.005, SEEDS) if kind == "prediction" else np.zeros(SEEDS)
    target = float(TRUE(600))

    def inside(pair):
        band = pair[0].band([600], 0.9, kind)
        return band.low[0] <= target + pair[1] <= band.high[0]

    assert covered(list(zip(fits, new, strict=True)), inside, 0.9)


def test_a_prediction_band_is_the_wider_one(fits):
    narrow, wide = fits[0].band(X), fits[0].band(X, kind="prediction")
    assert np.all(wide.high - wide.low > narrow.high - narrow.low)


def test_a_prediction_band_has_the_noise_of_the_measurements_around_it():
    """Where noise is known to shrink along the curve, the band does too; beyond the last point it is that one's."""
    sigma = np.geomspace(0.05, 0.001, len(X))
    quality = TRUE(X) + np.random.default_rng(0).normal(0, sigma)
    band = fit(X, quality, family="exp3", sigma=sigma).band([X[0], X[-1], 10 * X[-1]], kind="prediction")
    first, last, beyond = band.high - band.low
    assert first > 10 * last
    assert beyond < 2 * last


def test_the_true_family_wins_by_both_criteria():
    """Among families of as many parameters, on a clear curve."""
    found = {name: fit(X, noisy(0), family=name) for name in ("exp3", "pow3", "gompertz", "wbl3")}
    assert "exp3" == min(found, key=lambda name: found[name].aicc)
    assert "exp3" == min(found, key=lambda name: found[name].bic)


def test_the_criterion_for_few_points_needs_enough_of_them():
    assert math.isinf(fit([1, 2, 4, 8], [0.1, 0.3, 0.35, 0.4], family="pow3").aicc)


def test_a_gompertz_before_its_inflection_has_no_asymptote():
    """The data end before the curve turns: anything could follow."""
    x = np.linspace(0, 12, 25)
    found = fit(x, noisy(0, x, FAMILIES["gompertz"](0.95, 4.0, 0.1), 0.002), family="gompertz")
    assert found.asymptote is None
    assert "asymptote" in found.unidentified


def test_a_gompertz_beyond_its_inflection_has_one():
    x = np.linspace(0, 80, 25)
    found = fit(x, noisy(0, x, FAMILIES["gompertz"](0.95, 4.0, 0.1), 0.002), family="gompertz")
    assert pytest.approx(0.95, abs=0.01) == found.asymptote
    assert {} == dict(found.unidentified)


def test_the_reason_says_what_the_data_allow():
    """A power law's beginning does not tell its end."""
    x = np.geomspace(1, 4, 12)
    found = fit(x, noisy(1, x, FAMILIES["pow3"](0.95, 0.6, 0.3), 0.01), family="pow3")
    assert "fits the data (95 %)" in found.unidentified["asymptote"]


def test_a_family_without_an_asymptote_says_so():
    assert "logarithm has none" == fit(X, noisy(0), family="logarithm").unidentified["asymptote"]


def test_a_point_that_leads_the_fit_is_named():
    """One far resource decides the slope alone."""
    found = fit([1, 1.1, 1.2, 1.3, 1.4, 1.5, 50], [1, 1.2, 0.9, 1.1, 1.0, 1.2, 9], family="pow2", loss="squares")
    assert (6,) == found.diagnostics.leading
    assert pytest.approx(2) == found.diagnostics.leverage.sum()


def test_a_missed_shape_shows_in_the_residuals():
    assert fit(X, TRUE(X), family="logarithm").diagnostics.misses_shape
    assert not fit(X, noisy(0), family="exp3").diagnostics.misses_shape


def test_parameters_that_only_matter_together_have_a_large_condition():
    """On a straight beginning an exponential's top and scale cannot be told apart."""
    x = np.linspace(0, 1, 20)
    curve = FAMILIES["saturating_exponential"](1.0, 50.0)
    assert 1e3 < fit(x, noisy(0, x, curve, 1e-5), family="saturating_exponential").condition
    assert 100 > fit(X, noisy(0), family="exp3").condition


def test_replicates_are_the_same_every_time():
    one, two = (fit(X, noisy(0), family="exp3").interval("a", method="bootstrap") for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "b", "method": "profil"}, "did you mean profile"),
        ({"name": "scal"}, "did you mean scale"),
        ({"name": "b", "level": 95}, "level must be between 0 and 1, got 95"),
    ],
)
def test_a_wrong_question_is_answered_with_a_hint(arguments, message):
    with pytest.raises(SuiteError, match=message):
        fit(X, noisy(0), family="exp3").interval(**arguments)


def test_a_wrong_kind_of_band_is_answered_with_a_hint():
    with pytest.raises(SuiteError, match="did you mean prediction"):
        fit(X, noisy(0), family="exp3").band([1], kind="predicton")


def test_a_level_outside_0_and_1_is_refused():
    with pytest.raises(FitError, match="level"):
        fit(X, noisy(0), family="exp3").interval("a", level=0)


T_95 = {1: 12.706, 2: 4.3027, 4: 2.7764, 10: 2.2281, 28: 2.0484}
"""Two-sided 95 % points of Student's t by degrees of freedom, as printed in tables."""


@pytest.mark.parametrize("dof", T_95)
@pytest.mark.parametrize("method", ["covariance", "profile"])
def test_an_interval_of_a_linear_family_is_students(dof, method):
    """A logarithm is a straight line in ln(r): exact, whatever the method."""
    x = np.geomspace(1, 100, dof + 2)
    found = fit(x, 1 + 2 * np.log(x) + np.random.default_rng(dof).normal(0, 0.1, len(x)), family="logarithm")
    low, high = found.interval("b", 0.95, method)
    assert pytest.approx(T_95[dof], rel=2e-4) == (high - low) / 2 / found.errors["b"]


def test_bands_are_students_too():
    """Four degrees of freedom; at the mean of ln(r) the line is known to noise / sqrt(n)."""
    x = np.geomspace(1, 32, 6)
    found = fit(x, np.log(x) + np.random.default_rng(0).normal(0, 0.1, 6), family="logarithm")
    middle = [math.exp(np.log(x).mean())]
    for kind, factor in (("confidence", 1 / 6), ("prediction", 1 + 1 / 6)):
        band = found.band(middle, 0.95, kind)
        assert pytest.approx(T_95[4] * found.noise * factor**0.5, rel=2e-4) == (band.high[0] - band.low[0]) / 2


def test_noise_of_a_robust_fit_is_hubers():
    """Bounded residuals over the degrees of freedom, and over the share that is not bounded."""
    quality = np.log(X) + np.random.default_rng(1).normal(0, 0.1, len(X))
    quality[[4, 15, 22]] += 3
    found = fit(X, quality, family="logarithm", loss="huber")
    spread = 1.4826 * np.sort(np.abs(found.residuals))[(len(X) + 1) // 2]
    bounded = np.clip(found.residuals, -1.345 * spread, 1.345 * spread)
    free = np.mean(np.abs(found.residuals) <= 1.345 * spread)
    assert pytest.approx((np.sum(bounded**2) / 28) ** 0.5 / free, rel=1e-3) == found.noise


def test_noise_of_a_robust_fit_is_that_of_the_good_points():
    """Over 40 data sets with three points of thirty far off, its mean is a tenth too large at most."""
    found = []
    for seed in range(40):
        quality = np.log(X) + np.random.default_rng(seed).normal(0, 0.1, len(X))
        quality[[4, 15, 22]] += 3
        found.append(fit(X, quality, family="logarithm", loss="huber").noise)
    assert 0.1 < np.mean(found) < 0.13


@pytest.mark.parametrize(("width", "told"), [(0.99, True), (1.01, False)])
def test_an_asymptote_is_told_if_its_interval_is_narrower_than_the_data(width, told, monkeypatch):
    """By a range of the measured quality."""
    found = fit(X, noisy(0), family="exp3")
    span = float(np.ptp(found.points.quality))
    monkeypatch.setattr(type(found), "_asymptote_interval", lambda _: (0.9, 0.9 + width * span))
    assert told == (found.asymptote is not None)


@pytest.mark.parametrize(("width", "told"), [(3.9, True), (4.1, False)])
def test_of_noisy_data_an_asymptotes_interval_may_be_as_wide_as_twice_the_noise(width, told, monkeypatch):
    """Where that is more than the data span."""
    found = fit(X, noisy(0), family="exp3")
    span = float(np.ptp(found.points.quality))
    found.__dict__["noise"] = 2 * span
    monkeypatch.setattr(type(found), "_asymptote_interval", lambda _: (0.9, 0.9 + width * span))
    assert told == (found.asymptote is not None)


def test_the_doubt_of_an_asymptote_is_its_95_percent_interval():
    """As the message says."""
    x = np.geomspace(1, 4, 12)
    found = fit(x, noisy(1, x, FAMILIES["pow3"](0.95, 0.6, 0.3), 0.01), family="pow3")
    low, high = found.interval("a", 0.95)
    assert f"anything from {low:.4g} to {high:.4g} fits the data (95 %)" in found.unidentified["asymptote"]


def test_a_shape_that_a_family_does_not_have_is_not_described():
    """A peak; noise around a constant is described, though nothing of it is explained."""
    peak = np.exp(-((np.log(X / 30)) ** 2))
    assert not fit(X, peak, family="exp3", loss="squares").describes
    assert fit(X, np.random.default_rng(0).normal(size=len(X)), family="exp3").describes
    assert fit(X, noisy(0), family="exp3").describes


def test_without_a_point_more_than_parameters_a_covariance_is_infinite_or_nothing():
    """What does not vary together does not by an infinite noise either."""
    found = fit([1, 2, 3, 4, 5, 6], [1.92, 1.90, 1.93, 1.85, 1.75, 1.67], family="broken_power_law")
    assert 0 == found.dof
    assert not np.isnan(found.covariance).any()
    assert np.isinf(np.diag(found.covariance)).any()
