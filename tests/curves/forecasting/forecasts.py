"""What the tests of forecasts share: curves, and how many examples a property is tried on."""

import os

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

CI = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
few = settings(max_examples=500 if CI else 25, deadline=None)

STEPS = np.arange(40)
SIZES = 16 * 2 ** (STEPS / 8)
NEXT = SIZES[-1] * np.array([2.0, 4.0])


def accuracy(noise=0.004, seed=0, x=SIZES):
    """A power law that rises to 0.9, with independent noise."""
    return 0.9 - 0.4 * (x / 16) ** -0.5 + noise * np.random.default_rng(seed).standard_normal(len(x))


def loss(noise=0.01, seed=0, x=SIZES):
    """A scaling law that falls to 1.7, with relative noise."""
    return (1.7 + 3 * (x / 16) ** -0.3) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(x)))


fractions = st.lists(st.floats(0, 1), min_size=4, max_size=20)
finite = st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=20)
positive = st.lists(st.floats(1e-6, 1e6), min_size=4, max_size=20)
