"""What a score is: a figure per item, or one figure of many items that is no mean of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from suite.core.errors import RegistrationError
from suite.core.records import Better

Tree = Any
"""Outputs or targets: a tensor [N, ...] on the CPU, or a tuple, list or dictionary of trees."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A quality of a network's outputs for test items, with its name, unit and direction.

    ``per_item(outputs, targets)`` gives a figure for each item, [N]: 0 or 1, a loss, a squared error. If items have
    different weights (bits of texts of different length), it gives a pair ``(totals, weights)``, both [N]. The score is
    then the sum of the totals over the sum of the weights. ``aggregate(outputs, targets)`` gives one number for figures
    that are no means (mean average precision); its interval comes from resampling the items. A score has one of the
    two. ``margin`` is the least difference that matters, in the unit: proposed bounds are never tighter. ``classifies``
    says that the outputs are scores of classes, so that the usual loss is cross-entropy.
    """

    name: str
    better: Better
    unit: str = "1"
    per_item: Callable[[Tree, Tree], Any] | None = None
    aggregate: Callable[[Tree, Tree], float] | None = None
    margin: float | None = None
    about: str = ""
    classifies: bool = False

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise RegistrationError(f"a score's name must be a Python name such as 'top5_accuracy', got {self.name!r}")
        if self.better not in ("higher", "lower"):
            raise RegistrationError(f"score {self.name!r}: better must be 'higher' or 'lower', got {self.better!r}")
        if (self.per_item is None) == (self.aggregate is None):
            raise RegistrationError(f"score {self.name!r}: give either per_item or aggregate")
