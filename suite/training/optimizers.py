"""How an optimizer computes its step: by which kernels, not by which rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from torch.optim import Optimizer

from suite.core.errors import UnavailableError

if TYPE_CHECKING:
    from torch import nn

KERNELS = ("foreach", "fused")

Builder = Callable[[Iterable["nn.Parameter"], float], Optimizer]


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


class Together(Optimizer):
    """Several optimizers of different weights as one: its groups and state are theirs, and a step is one of each.

    The last one's defaults and hooks count, and so do its settings in groups that lack them: a schedule that changes
    them (OneCycle the betas) finds them everywhere.
    """

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self.parts = tuple(parts)
        super().__init__(
            [group for part in parts for group in part.param_groups if group["params"]], parts[-1].defaults
        )
        for part in parts:
            part.state = self.state
        last = parts[-1]
        for hook in last._optimizer_step_pre_hooks.values():  # noqa: SLF001  # such as clipped gradients
            self.register_step_pre_hook(hook)
        last._optimizer_step_pre_hooks.clear()  # noqa: SLF001

    def step(self, closure: Any = None) -> Any:
        """One step of each; a ``closure`` is called once, before them."""
        loss = None if closure is None else closure()
        for part in self.parts:
            part.step()
        return loss
