"""Networks that a technique rebuilds before they are trained: the model slot's counterpart of ``finish``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from torch import nn


def rebuilt(model: Callable[..., nn.Module], change: Callable[[nn.Module], nn.Module]) -> Callable[..., nn.Module]:
    """``model`` with ``change`` applied to every network that it builds; takes what ``model`` takes, and says so."""

    @wraps(model, assigned=(), updated=())
    def build(**options: float) -> nn.Module:
        return change(model(**options))

    return build
