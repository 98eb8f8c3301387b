"""Benchmark optimization techniques and gate on the trade-offs they are supposed to deliver.

Importing this package is cheap: it loads neither torch nor torchvision nor pandas.
"""

from suite.catalog.scores import Score, classification, detection, language, regression
from suite.core import moved
from suite.core.errors import SuiteError
from suite.core.records import Cell, Measurement, Verdict, VerdictKind
from suite.registry import REGISTRY, Registry, technique, workload
from suite.training.recipe import Batch, Precision, Recipe, Split, Splits, Trainee, Tuner

__all__ = [
    "REGISTRY",
    "Batch",
    "Cell",
    "Measurement",
    "Precision",
    "Recipe",
    "Registry",
    "Score",
    "Split",
    "Splits",
    "SuiteError",
    "Trainee",
    "Tuner",
    "Verdict",
    "VerdictKind",
    "classification",
    "detection",
    "language",
    "regression",
    "technique",
    "workload",
]

moved.install()

__version__ = "0.1.0"
DISTRIBUTION = "tradeoff-suite"  # tells this package from a user's own folder of the same name
