"""Regression: outputs and targets of the same number of values for each item."""

from __future__ import annotations

from typing import Any

from suite.scores.score import Score


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
    """[N, values]; an output [N, 1] and a target [N] are the same shape for a person."""
    return (
        outputs.flatten(1).double() - targets.reshape(len(targets), -1).double()
        if outputs.dim() > 1
        else (outputs[:, None].double() - targets.reshape(len(targets), -1).double())
    )
