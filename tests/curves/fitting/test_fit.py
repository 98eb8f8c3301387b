"""What a fit finds, with figures that others certified, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.core.errors import SuiteError
from suite.curves.families import FAMILIES
from suite.curves.fitting import FitError, fit, fit_many

X = np.geomspace(2, 300, 30)
TRUE = {
    "saturating_exponential": (0.9, 20.0),
    "exp3": (0.9, 0.5, 20.0),
    "gompertz": (0.95, 4.0, 0.1),
    "gompertz4": (0.95, 0.7, 4.0, 0.1),
    "pow2": (0.2, 0.3),
    "pow3": (0.95, 0.6, 0.5),
    "pow4": (0.95, 0.9, 0.6, 3.0),
    "logarithm": (0.3, 0.1),
    "ilog": (1.0, 0.3),
    "mmf4": (0.2, 0.9, 20.0, 0.8),
    "wbl3": (0.9, 20.0, 0.8),
    "wbl4": (0.9, 0.5, 20.0, 0.8),
    "hill": (0.9, 20.0, 0.8),
    "michaelis_menten": (0.9, 12.0),
    "broken_power_law": (0.5, 2.0, 0.2, 0.8, 30.0, 0.3),
}
MISRA = (
    [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0],
    [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78],
)
BOX_BOD = ([1, 2, 3, 5, 7, 10], [109, 149, 149, 191, 213, 224])
DAN_WOOD = ([1.309, 1.471, 1.490, 1.565, 1.611, 1.680], [2.138, 3.421, 3.597, 4.340, 4.882, 5.660])


def test_every_family_has_a_true_curve_here():
    assert set(TRUE) == set(FAMILIES)


@pytest.mark.parametrize("name", sorted(TRUE))
def test_a_curve_without_noise_is_found_again(name):
    """The parameters come back to nine digits, from no hint but the points."""
    true = FAMILIES[name](*TRUE[name])
    found = fit(X, true(X), family=name)
    assert pytest.approx(true.params, rel=1e-9) == found.params


@pytest.mark.parametrize(
    ("points", "family", "params", "errors", "rss"),
    [
        (MISRA, "saturating_exponential", (238.94212918, 1 / 5.5015643181e-4), (2.7070075241, None), 0.12455138894),
        (BOX_BOD, "saturating_exponential", (213.80940889, 1 / 0.54723748542), (12.354515176, None), 1168.0088766),
        (DAN_WOOD, "pow2", (0.76886226176, 3.8604055871), (0.018281973860, 0.051726610913), 0.0043173084083),
    ],
    ids=["Misra1a", "BoxBOD", "DanWood"],
)
def test_certified_problems_are_solved_to_seven_digits(points, family, params, errors, rss):
    """Statistical Reference Datasets of the NIST: parameters, standard errors and sum of squares."""
    found = fit(*points, family=family)
    assert pytest.approx(params, rel=1e-7) == tuple(found.params.values())
    assert all(
        want is None or pytest.approx(want, rel=1e-6) == got
        for want, got in zip(errors, found.errors.values(), strict=True)
    )
    assert pytest.approx(rss, rel=1e-9) == found.rss
    assert "squares" == found.loss


@pytest.mark.parametrize("name", ["exp3", "pow4", "gompertz", "mmf4"])
@settings(max_examples=min(100, settings.default.max_examples))  # each fits twice
@given(unit=st.floats(-6, 6), scale=st.floats(-3, 3))
def test_a_fit_does_not_depend_on_units(name, unit, scale):
    """Resources in thousands and qualities in percent give the same curve."""
    noise = np.random.default_rng(3).normal(0, 0.002, len(X))
    quality = FAMILIES[name](*TRUE[name])(X) + noise
    plain = fit(X, quality, family=name)
    other = fit(X * 10**unit, quality * 10**scale, family=name)
    assert np.allclose(plain(X), other(X * 10**unit) / 10**scale, rtol=1e-5)


def test_the_order_of_points_does_not_matter():
    shuffled = np.random.default_rng(0).permutation(len(X))
    quality = FAMILIES["pow3"](*TRUE["pow3"])(X) + np.random.default_rng(1).normal(0, 0.01, len(X))
    assert (
        pytest.approx(fit(X, quality, family="pow3").params)
        == fit(X[shuffled], quality[shuffled], family="pow3").params
    )


def test_points_far_off_are_named_and_do_not_lead_the_fit():
    """Five of forty points are 20 standard deviations off: Huber's estimate stays where least squares would not."""
    x = np.geomspace(2, 300, 40)
    quality = FAMILIES["exp3"](*TRUE["exp3"])(x) + np.random.default_rng(0).normal(0, 0.002, 40)
    quality[[3, 11, 20, 28, 37]] += 0.04
    found, squares = fit(x, quality, family="exp3"), fit(x, quality, family="exp3", loss="squares")
    assert (3, 11, 20, 28, 37) == found.outliers
    assert "huber" == found.loss
    assert abs(found.params["a"] - 0.9) < 0.002
    assert abs(found.params["a"] - 0.9) < abs(squares.params["a"] - 0.9) / 2


def test_known_noise_weighs_the_points():
    """Where half of the points are known to be bad, the fit follows the others."""
    sigma = np.where(np.arange(len(X)) % 2, 0.001, 0.1)
    quality = FAMILIES["exp3"](*TRUE["exp3"])(X) + np.random.default_rng(0).normal(0, sigma)
    assert abs(fit(X, quality, family="exp3", sigma=sigma).params["a"] - 0.9) < 0.002


def test_understated_noise_is_made_larger():
    """Noise that is ten times the given sigma shows in the errors; overstated noise is believed."""
    quality = FAMILIES["exp3"](*TRUE["exp3"])(X) + np.random.default_rng(0).normal(0, 0.01, len(X))
    honest = fit(X, quality, family="exp3").errors["a"]
    assert pytest.approx(honest, rel=1e-3) == fit(X, quality, family="exp3", sigma=0.001).errors["a"]
    assert 5 * honest < fit(X, quality, family="exp3", sigma=0.1).errors["a"]


def test_repeated_resources_are_measurements_of_their_own():
    quality = FAMILIES["pow3"](*TRUE["pow3"])(X)
    found = fit([*X, *X], [*(quality + 0.01), *(quality - 0.01)], family="pow3")
    assert pytest.approx(0.95, abs=1e-6) == found.params["a"]
    assert 57 == found.dof


@pytest.mark.parametrize(
    ("resource", "quality", "message"),
    [
        ([1, 2], [0.1, 0.2], "pow3 has 3 parameters .* got 2"),
        ([1, 1, 1, 2, 2], [0.1] * 5, "needs as many different resources, got 2"),
        ([1, 2, 3, 4], [0.1, 0.2, np.nan, 0.3], "quality must be finite, got nan at point 2"),
        ([1, np.inf, 3, 4], [0.1, 0.2, 0.2, 0.3], "resource must be finite, got inf at point 1"),
        ([0, 1, 2, 3], [0.1, 0.2, 0.2, 0.3], "pow3: .*leave such points out"),
        ([-1, 1, 2, 3], [0.1, 0.2, 0.2, 0.3], "pow3: .*got -1"),
        ([1, 2, 3], [0.1, 0.2], r"two lists of one length, got shapes \(3,\) and \(2,\)"),
        ([[1, 2, 3]], [0.1, 0.2, 0.3], "fit_many"),
        (["a", "b"], [1, 2], "resource must be numbers"),
    ],
)
def test_points_that_cannot_be_fitted_are_named(resource, quality, message):
    with pytest.raises(FitError, match=message):
        fit(resource, quality, family="pow3")


def test_sigma_must_be_positive():
    with pytest.raises(FitError, match="sigma must be positive, got 0 at point 1"):
        fit([1, 2, 3, 4], [1, 2, 3, 4], family="pow2", sigma=[1, 0, 1, 1])


@pytest.mark.parametrize(("what", "value"), [("family", "pow33"), ("loss", "hubber")])
def test_a_misspelt_name_is_guessed(what, value):
    with pytest.raises(SuiteError, match="did you mean"):
        fit(X, X, **{"family": "pow3", what: value})


@pytest.mark.parametrize("name", sorted(TRUE))
def test_a_constant_curve_is_fitted_as_one(name):
    """Every family that can be flat is flat; the others come as near as they can, without a warning."""
    found = fit(X, np.full(len(X), 0.7), family=name)
    assert np.all(np.isfinite(found(X)))
    assert name in {"saturating_exponential", "michaelis_menten", "hill", "wbl3"} or np.allclose(
        found(X), 0.7, atol=1e-3
    )


def test_as_many_points_as_parameters_have_no_uncertainty():
    found = fit([1, 2, 4], [0.5, 0.6, 0.65], family="pow3")
    assert (-np.inf, np.inf) == found.interval("a")
    assert np.inf == found.noise
    assert np.all(np.isinf(found.band([8]).high))


def test_many_curves_are_fitted_like_one_by_one():
    random = np.random.default_rng(0)
    scales, tops = random.uniform(5, 60, (20, 1)), random.uniform(0.5, 1, (20, 1))
    quality = tops * -np.expm1(-X / scales) + random.normal(0, 0.005, (20, len(X)))
    many = fit_many(X, quality, family="saturating_exponential")
    own = fit_many(np.tile(X, (20, 1)), quality, family="saturating_exponential")
    single = [fit(X, row, family="saturating_exponential", loss="squares").params["scale"] for row in quality]
    assert np.allclose(single, many.params["scale"], rtol=1e-5)
    assert np.allclose(single, own.params["scale"], rtol=1e-5)
    assert pytest.approx(many.params["top"][3]) == many[3].top
    assert 20 == len(many)


def test_curves_in_rows_are_many_curves():
    quality = FAMILIES["exp3"](*TRUE["exp3"])(X) * np.array([[1.0], [2.0]])
    assert pytest.approx([0.9, 1.8], rel=1e-4) == fit(X, quality, family="exp3").params["a"]
    with pytest.raises(FitError, match="leave out sigma and loss"):
        fit(X, quality, family="exp3", sigma=0.1)


def test_a_wrong_row_among_many_is_refused():
    with pytest.raises(FitError, match=r"quality must be finite, got nan at point \(1, 2\)"):
        fit_many([1, 2, 3], [[1, 2, 3], [1, 2, np.nan]], family="pow2")
