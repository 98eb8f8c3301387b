"""Learning curves of scikit-learn's classifiers on its handwritten digits: how accuracy grows with examples."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from suite.claims.facts.declare import slow_fact
from suite.claims.quantities import Quantity

SIZES = (20, 40, 80, 160, 320, 640, 1280)  # examples, doubled
REPEATS = 5  # splits into training and test data
TEST = 500
FAMILIES = ("pow3", "ilog", "saturating_exponential", "gompertz", "michaelis_menten", "logarithm")
FLAT, RISING = 0.005, 0.02  # gains of a doubling, in accuracy
WORTH = 0.01
Curve = tuple[float, ...]


def _classifiers() -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    return {
        "nearest neighbour": KNeighborsClassifier(1),
        "naive Bayes": GaussianNB(),
        "logistic regression": LogisticRegression(max_iter=200),
        "tree": DecisionTreeClassifier(random_state=0),
        "support vectors": SVC(),
        "five neighbours": KNeighborsClassifier(5),
    }


@cache
def curves() -> tuple[Curve, ...]:
    """Accuracy at each of `SIZES` for every classifier and repeat."""
    from sklearn.datasets import load_digits

    images, targets = load_digits(return_X_y=True)
    orders = [np.random.default_rng(seed).permutation(len(targets)) for seed in range(REPEATS)]
    return tuple(
        _curve(classifier, images[order] / 16, targets[order]) for classifier in _classifiers().values()
        for order in orders
    )  # fmt: skip


def _curve(classifier: Any, images: Any, targets: Any) -> Curve:
    test, rest = slice(0, TEST), slice(TEST, None)
    images_left, targets_left = images[rest], targets[rest]
    fitted = (classifier.fit(images_left[:size], targets_left[:size]) for size in SIZES)
    return tuple(float(one.score(images[test], targets[test])) for one in fitted)


@cache
def _aicc(family: str) -> tuple[float, ...]:
    """Of each classifier's mean curve, by a family; infinite where it cannot be fitted."""
    means = np.array(curves()).reshape(-1, REPEATS, len(SIZES)).mean(axis=1)
    return tuple(_criterion(curve, family) for curve in means)


def _criterion(curve: Any, family: str) -> float:
    from suite.core.errors import SuiteError
    from suite.curves.fitting.fit import fit

    if family == "line":
        left = np.polyfit(SIZES, curve, 1, full=True)[1]
        return _corrected(float(left[0]), parameters=3)
    try:
        found = fit(SIZES, curve, family=family)
    except SuiteError:
        return math.inf
    return _corrected(found.rss, parameters=len(found.params) + 1)


def _corrected(squares: float, *, parameters: int) -> float:
    """AICc of Gaussian residuals: Hurvich & Tsai, Biometrika 76 (1989). The noise is one of the parameters."""
    n = len(SIZES)
    return n * math.log(max(squares, 1e-12) / n) + 2 * parameters * n / (n - parameters - 1)


@slow_fact
def share_of_curves_won(family: str) -> float:
    """The share of learning curves on which a family, or the ``line``, has the least AICc of all."""
    names = tuple(dict.fromkeys((*FAMILIES, "line", family)))
    criteria = np.array([_aicc(name) for name in names])
    return float((criteria.argmin(axis=0) == names.index(family)).mean())


def _gains() -> tuple[Any, Any]:
    """The last doubling's gain and the next one's, over all curves."""
    steps = np.diff(np.array(curves()), axis=1)
    return steps[:, :-1].ravel(), steps[:, 1:].ravel()


@slow_fact
def gain_correlation() -> float:
    """Spearman's correlation between the gain of one doubling of the examples and that of the next."""
    from scipy.stats import spearmanr

    return float(spearmanr(*_gains()).statistic)


@slow_fact
def pays_after(gain: str) -> Quantity:
    """The share of doublings worth more than 1 point after one that was ``rising``, ``flat`` or ``negative``."""
    from suite.core.stats.intervals import wilson

    last, following = _gains()
    chosen = {"rising": last > RISING, "flat": (last >= 0) & (last <= FLAT), "negative": last < 0}[gain]
    right, total = int((following[chosen] > WORTH).sum()), int(chosen.sum())
    low, high = wilson(right, total, 0.95)
    return Quantity(value=right / total, low=low, high=high)
