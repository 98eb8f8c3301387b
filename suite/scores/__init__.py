"""Qualities: what a score is, the built-in ones, and their pooling over seeds and comparison item by item."""

from suite.scores.classification import classification
from suite.scores.detection import detection
from suite.scores.language import language
from suite.scores.regression import regression
from suite.scores.score import Score

__all__ = ["Score", "classification", "detection", "language", "regression"]
