"""Qualities: what a score is, the built-in ones, and their pooling over seeds and comparison item by item."""

from suite.catalog.scores.classification import classification
from suite.catalog.scores.detection import detection
from suite.catalog.scores.language import language
from suite.catalog.scores.regression import regression
from suite.registry.score import Score

__all__ = ["Score", "classification", "detection", "language", "regression"]
