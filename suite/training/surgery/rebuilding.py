"""Networks that a technique rebuilds before they are trained: the model slot's counterpart of ``finish``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple

from torch import nn

from suite.core.errors import UnavailableError


def rebuilt(model: Callable[..., nn.Module], change: Callable[[nn.Module], nn.Module]) -> Callable[..., nn.Module]:
    """``model`` with ``change`` applied to every network that it builds; takes what ``model`` takes, and says so."""

    @wraps(model, assigned=(), updated=())
    def build(**options: float) -> nn.Module:
        return change(model(**options))

    return build


def with_convolutions(network: nn.Module, *, change: Callable[[nn.Conv2d], nn.Module], technique: str) -> nn.Module:
    """``network`` with every ungrouped Conv2d larger than 1x1, but for its first convolution, as ``change`` makes it.

    Raises `UnavailableError` in the name of ``technique`` where there is none.
    """
    found = [(name, module) for name, module in network.named_modules() if type(module) is nn.Conv2d]
    chosen = [(name, layer) for name, layer in found[1:] if layer.groups == 1 and max(layer.kernel_size) > 1]
    if not chosen:
        raise UnavailableError(f"{technique}: the network has no ungrouped Conv2d larger than 1x1 beside its first one")
    for name, layer in chosen:
        network.set_submodule(name, change(layer))
    return network


class Several(NamedTuple):
    """What a network answers that does so more than once while it trains: each as the model's own answers are.

    The loss, whatever it is, is that of each answer by its weight, added up.
    """

    answers: tuple[Any, ...]
    weights: tuple[float, ...]


class Taught(NamedTuple):
    """Class scores that learn from those of another answer of the same network, and from no label (detached)."""

    answer: Any
    teacher: Any


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode for a look at the network, which then moves no statistics; afterwards the mode that it had."""
    mode = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(mode)
