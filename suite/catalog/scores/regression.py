"""Regression: outputs and targets of the same number of values for each item."""

from __future__ import annotations

from typing import Any

from suite.core.errors import OutputError
from suite.registry.score import Score


def regression() -> tuple[Score, ...]:
    """Mean squared and mean absolute error over the items' values."""
    return (
        Score(name="mean_squared_error", better="lower", per_item=squared_error),
        Score(name="mean_absolute_error", better="lower", per_item=absolute_error),
    )


def squared_error(outputs: Any, targets: Any) -> Any:
    """Squared error [N], mean over an item's values."""
    return _differences(outputs, targets).square().mean(1)


def absolute_error(outputs: Any, targets: Any) -> Any:
    """Absolute error [N], mean over an item's values."""
    return _differences(outputs, targets).abs().mean(1)


def _differences(outputs: Any, targets: Any) -> Any:
    """[N, values]; an output [N, 1] and a target [N] are the same shape for a person.

    Raises `OutputError` for another number of values: they would be broadcast silently.
    """
    ours, theirs = (values.reshape(len(values), -1).double() for values in (outputs, targets))
    if ours.shape != theirs.shape:
        raise OutputError(
            f"outputs {tuple(outputs.shape)} and targets {tuple(targets.shape)} must hold as many values for each item"
        )
    return ours - theirs
