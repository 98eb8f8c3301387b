"""Single spikes are found without any family; peaks, steps, valleys, noise and steep beginnings are none."""
# the expected value stands on the left

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.curves.outliers import named, spikes

X = np.arange(1.0, 25.0)
LAW = 1.5 + 4 * X**-0.6


def found(quality, resource=X):
    return np.flatnonzero(spikes(resource, quality)).tolist()


@pytest.mark.parametrize("at", [2, 3, 10, 22])
@pytest.mark.parametrize("size", [3.0, -1.5, 1e6])
def test_a_spike_is_found(at, size):
    quality = LAW.copy()
    quality[at] += size
    assert [at] == found(quality)


def test_two_spikes_of_twenty_four_are_found():
    quality = LAW.copy()
    quality[[8, 15]] += 3
    assert [8, 15] == found(quality)


NO_OUTLIERS = {
    "a law": LAW,
    "a steep beginning": np.exp(-X),
    "a step": np.where(X > 12, 0.97, 0.05),
    "a peak": 1 / X + np.exp(-(((X - 8) / 2) ** 2)),
    "a valley": -np.exp(-(((X - 8) / 2) ** 2)),
    "a kink": np.abs(X - 12),
    "a leap at the end": np.where(X == 24, 9.0, LAW),
    "a constant": np.ones(24),
}


@pytest.mark.parametrize("name", NO_OUTLIERS)
def test_another_shape_is_no_outlier(name):
    assert [] == found(NO_OUTLIERS[name])


@given(seed=st.integers(0, 10_000))
def test_noise_is_no_outlier(seed):
    assert [] == found(np.random.default_rng(seed).normal(size=24))


def test_of_several_seeds_the_one_that_is_off_is_left_out():
    resource, quality = np.repeat(X, 2), np.repeat(LAW, 2)
    quality[21] += 5
    assert [21] == found(quality, resource)


def test_few_points_have_no_outliers():
    assert [] == found(np.array([1, 1, 9, 1, 1, 1.0]), X[:6])


def test_an_outlier_is_named_by_its_place():
    said = named(np.array([10.0, 20.0]), np.array([2.0, 9.5]), np.array([False, True]), "step")
    assert ("left out as an outlier: 9.5 at step 20 is far from its neighbours; without it they agree",) == said
