"""Networks that a technique rebuilds before they are trained: the model slot's counterpart of ``finish``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from torch import nn


def rebuilt(model: Callable[..., nn.Module], change: Callable[[nn.Module], nn.Module]) -> Callable[..., nn.Module]:
    """``model`` with ``change`` applied to every network that it builds; takes what ``model`` takes, and says so."""

    @wraps(model, assigned=(), updated=())
    def build(**options: float) -> nn.Module:
        return change(model(**options))

    return build


class Several(tuple[Any, ...]):
    """The outputs of a network that answers more than once while it trains, each as the model's own are."""

    __slots__ = ()


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode for a look at the network, which then moves no statistics; afterwards the mode that it had."""
    mode = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(mode)
