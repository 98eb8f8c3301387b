"""The loss law of two resources: values, optima in closed form against a search, and what it refuses."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.curves.families.curve import CurveError
from suite.curves.families.loss_law import BESIROGLU, HOFFMANN, PUBLISHED, LossLaw

CHINCHILLA = (70e9, 1.4e12)

laws = st.builds(
    LossLaw,
    E=st.floats(0.5, 3),
    A=st.floats(10, 1e4),
    B=st.floats(10, 1e4),
    alpha=st.floats(0.1, 0.9),
    beta=st.floats(0.1, 0.9),
)
computes = st.floats(15, 26).map(lambda power: 10.0**power)


@pytest.mark.parametrize(("law", "loss"), [(HOFFMANN, 1.936645470558717504), (BESIROGLU, 1.973881863158563869)])
def test_the_loss_of_chinchilla(law, loss):
    """70 billion parameters and 1.4 trillion tokens, by 40 decimal digits of the published constants."""
    assert pytest.approx(loss, rel=1e-14) == law(CHINCHILLA)


def test_the_replication_agrees_with_twenty_tokens_a_parameter_and_the_original_does_not():
    """At Chinchilla's compute of 5.76e23; Besiroglu et al. found the original's constants at odds with its rule."""
    ratios = {name: float(np.divide(*law.optimal(5.76e23)[::-1])) for name, law in PUBLISHED.items()}
    assert pytest.approx({"besiroglu": 18.39, "hoffmann": 92.65}, rel=1e-3) == ratios


@given(law=laws, compute=computes, share=st.floats(0.1, 10))
def test_no_other_split_of_the_compute_brings_a_lower_loss(law, compute, share):
    """On C = 6 N D the closed form is the minimum, and its loss is the least."""
    n, d = law.optimal(compute)
    assert pytest.approx(compute) == 6 * n * d
    assert pytest.approx(law.least_loss(compute), rel=1e-12) == law((n, d))
    assert law((n, d)) <= law((n * share, d / share)) * (1 + 1e-14)


@given(law=laws, compute=computes)
def test_at_the_optimum_a_percent_more_of_either_resource_gains_the_same(law, compute):
    """N dL/dN = D dL/dD."""
    by_n, by_d = law.gradient(law.optimal(compute)) * law.optimal(compute)
    assert pytest.approx(by_n) == by_d


@given(law=laws, n=st.floats(6, 12), d=st.floats(7, 14))
def test_the_gradient_is_that_of_central_differences(law, n, d):
    """In steps of a hundred-thousandth of each resource."""
    at = np.array([10.0**n, 10.0**d])
    step = np.diag(1e-5 * at)
    differences = (law(at + step) - law(at - step)) / (2e-5 * at)
    assert pytest.approx(differences, rel=1e-5, abs=float(1e-10 * law(at) / at.min())) == law.gradient(at)
    assert (law.gradient(at) < 0).all()


@given(law=laws, compute=computes)
def test_a_loss_brings_back_its_compute_and_its_tokens(law, compute):
    """Both inverses, as far as the loss over the irreducible one keeps its digits."""
    n, d = law.optimal(compute)
    loss = law.least_loss(compute)
    lost = 1e-14 * loss / (loss - law.E)
    assert pytest.approx(compute, rel=1e-9 + 100 * lost) == law.compute_needed(loss)
    assert pytest.approx(d, rel=1e-9 + 200 * lost) == law.tokens_needed(loss, n)


def test_resources_of_any_shape():
    """[..., 2] to [...] and back."""
    computes = np.array([[1e18, 1e20, 1e22]])
    assert (1, 3, 2) == HOFFMANN.optimal(computes).shape == HOFFMANN.gradient(HOFFMANN.optimal(computes)).shape
    assert (1, 3) == HOFFMANN(HOFFMANN.optimal(computes)).shape == HOFFMANN.compute_needed([[2, 3, 4]]).shape


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: HOFFMANN((0, 1e9)), "parameters and tokens must be positive and at most 1e.60, got 0"),
        (lambda: HOFFMANN((math.nan, 1e9)), "parameters and tokens must be positive"),
        (lambda: HOFFMANN((1e9, 1e9, 1e9)), r"must be \[..., 2\] = \(parameters, tokens\), got the shape \[3\]"),
        (lambda: HOFFMANN(1e9), r"got the shape \[\]"),
        (lambda: HOFFMANN("many"), "parameters and tokens: expected numbers, got 'many'"),
        (lambda: HOFFMANN.optimal(-1), "compute must be positive"),
        (lambda: HOFFMANN.compute_needed(1.69), "a loss of 1.69 is not reached: unlimited means leave 1.69"),
        (lambda: HOFFMANN.tokens_needed(1.7, 1e9), "a loss of 1.7 is not reached: unlimited means leave 2.04"),
        (lambda: HOFFMANN.compute_needed(1.69 + 1e-15), "compute for this loss must be positive and at most 1e.60"),
        (lambda: LossLaw(1.69, -1, 2, 0.3, 0.3), "the law's A must be positive"),
        (lambda: LossLaw(1.69, 1, 2, math.inf, 0.3), "the law's alpha must be positive"),
    ],
)
def test_what_has_no_answer_is_refused(ask, message):
    """With the value at fault, and without a warning from below."""
    with pytest.raises(CurveError, match=message):
        ask()
