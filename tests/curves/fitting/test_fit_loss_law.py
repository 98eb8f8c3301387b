"""The two-resource law is found again from runs with realistic noise and outliers."""

import numpy as np
import pytest

from suite.core.errors import SuiteError
from suite.curves.families.loss_law import BESIROGLU, HOFFMANN
from suite.curves.fitting import FitError, fit, fit_loss_law

STATED = {"E": 0.03, "A": 124.58, "B": 1293.23, "alpha": 0.02, "beta": 0.02}  # Besiroglu et al. 2024, table 1


def runs(law, seed, noise, outliers=0, count=245):
    """Sizes from 57 M to 16 B, compute from 1e18 to 3e21, noise of ln(loss); the outliers have the fewest tokens."""
    random = np.random.default_rng(seed)
    n, compute = np.exp(random.uniform(np.log(57e6), np.log(16e9), count)), 10 ** random.uniform(18, 21.5, count)
    tokens = np.maximum(compute / (6 * n), 0.05 * n)
    loss = law(np.stack([n, tokens], axis=-1)) * np.exp(random.normal(0, noise, count))
    far = np.argsort(tokens / n)[:outliers]
    loss[far] *= np.exp(random.uniform(0.08, 0.25, outliers))
    return n, tokens, loss, set(far.tolist())


@pytest.mark.parametrize("law", [BESIROGLU, HOFFMANN], ids=["Besiroglu", "Hoffmann"])
def test_the_constants_come_back_without_noise(law):
    found = fit_loss_law(*runs(law, 0, 0)[:3])
    assert pytest.approx([law.E, law.A, law.B, law.alpha, law.beta], rel=1e-4) == list(found.params.values())


@pytest.mark.parametrize("law", [BESIROGLU, HOFFMANN], ids=["Besiroglu", "Hoffmann"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_five_outliers_among_245_runs_do_not_matter(law, seed):
    """Within the errors that the published fit states, at its noise; the outliers are named."""
    *table, far = runs(law, seed, 0.003, outliers=5)
    found = fit_loss_law(*table)
    assert far == set(found.outliers)
    assert all(abs(value - getattr(law, name)) < STATED[name] for name, value in found.params.items())
    assert 0.002 < found.noise < 0.004


@pytest.mark.parametrize("family", ["loss_law", type(BESIROGLU)])
def test_the_law_is_a_family_like_the_others(family):
    """Its resources are pairs."""
    n, tokens, loss, _ = runs(BESIROGLU, 0, 0.001)
    pairs = np.stack([n, tokens], axis=-1)
    found = fit(pairs, loss, family=family)
    assert fit_loss_law(n, tokens, loss).params == found.params
    assert pytest.approx(loss, rel=0.01) == found(pairs)
    with pytest.raises(FitError, match=r"resources \[n, 2\], parameters and tokens, got the shape \(245,\)"):
        fit(n, loss, family=family)


def test_errors_are_as_large_as_constants_scatter():
    """Over twelve tables, the irreducible loss scatters as its error says, within a factor of two."""
    found = [fit_loss_law(*runs(BESIROGLU, seed, 0.01)[:3]) for seed in range(12)]
    scatter = np.std([one.law.E for one in found], ddof=1)
    assert scatter / 2 < found[0].errors["E"] < 2 * scatter
    low, high = found[0].interval("E")
    assert low < 1.8172 < high


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (([1e6] * 4, [1e9] * 4, [3.0] * 4), "5 constants: .*got 4 runs, 1 sizes"),
        (([1e6, -1], [1e9, 1e9], [3, 3]), "parameters must be positive, got -1 at run 1"),
        (([1e6, 2e6], [1e9, 1e9], [3, np.nan]), "loss must be finite, got nan at point 1"),
        (([1e6, 2e6], [1e9], [3, 3]), "three lists of one length"),
    ],
)
def test_runs_that_cannot_be_fitted_are_named(runs, message):
    with pytest.raises(FitError, match=message):
        fit_loss_law(*runs)


def test_a_misspelt_constant_is_guessed():
    with pytest.raises(SuiteError, match="did you mean alpha"):
        fit_loss_law(*runs(BESIROGLU, 0, 0)[:3]).interval("alfa")
