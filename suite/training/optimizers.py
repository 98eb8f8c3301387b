"""How an optimizer computes its step: by which kernels, not by which rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from suite.core.errors import UnavailableError

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

KERNELS = ("foreach", "fused")

Builder = Callable[[Iterable["nn.Parameter"], float], "Optimizer"]


def offers(optimizer: Optimizer, kernel: str) -> bool:
    """Whether the optimizer has a switch of that name in every group of its parameters."""
    return all(kernel in group for group in optimizer.param_groups)


def by(kernel: str, build: Builder) -> Builder:
    """The same optimizer by kernels ``foreach`` (lists of tensors) or ``fused`` (whole steps), and no others.

    Switched after it was built, so that its rule, its groups and its hooks are the recipe's own. Raises
    `UnavailableError` where it has no such switch.
    """

    def switched(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        optimizer = build(parameters, rate)
        if not offers(optimizer, kernel):
            raise UnavailableError(f"{type(optimizer).__name__} has no {kernel} kernels")
        for settings in (optimizer.defaults, *optimizer.param_groups):
            settings.update({name: name == kernel for name in KERNELS if name in settings})
        return optimizer

    return switched
