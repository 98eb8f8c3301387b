"""How learning rates and an optimizer's averages follow the size of the batch, and the warm-up of large batches.

Everything happens where a schedule begins: it has the optimizer, whoever built it. ``k`` is how many times larger the
batch is.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import TYPE_CHECKING, Any

from torch.optim.lr_scheduler import LRScheduler

if TYPE_CHECKING:
    from torch.optim import Optimizer

WARM_UP = 5 / 90  # of all steps: five of the paper's ninety epochs
MOMENTA = ("base_momentum", "max_momentum")  # between which OneCycle moves the first beta

Schedule = Callable[["Optimizer", float, int], LRScheduler]


def is_adaptive(optimizer: Optimizer) -> bool:
    """Whether the optimizer divides by an average of squared gradients, as Adam and its kin do."""
    return all({"betas", "eps"} <= group.keys() for group in optimizer.param_groups)


def linear(schedule: Schedule, k: int) -> Schedule:
    """Rates times ``k``, after a warm-up (Goyal et al. 2017, https://arxiv.org/abs/1706.02677)."""
    return lambda optimizer, rate, steps: _scaled(schedule, optimizer, rate, steps, k)


def square_root(schedule: Schedule, k: int) -> Schedule:
    """Rates times the root of ``k``, after a warm-up, and Adam's averages over as many items as before.

    Malladi et al. 2022, https://arxiv.org/abs/2205.10287: betas become ``1 - k (1 - beta)``, at least 0, and eps is
    divided by the root of ``k``.
    """

    def begin(optimizer: Optimizer, rate: float, steps: int) -> LRScheduler:
        adaptive = is_adaptive(optimizer)
        for group in optimizer.param_groups if adaptive else ():
            group["betas"] = tuple(shorter(beta, k) for beta in group["betas"])
            group["eps"] = group["eps"] / sqrt(k)
        found = _scaled(schedule, optimizer, rate, steps, sqrt(k))
        for group in optimizer.param_groups if adaptive else ():
            _shorten_cycle(group, k)
        return found

    return begin


def by_optimizer(schedule: Schedule, k: int) -> Schedule:
    """`square_root` for Adam and its kin, `linear` for all others."""
    rules = {True: square_root(schedule, k), False: linear(schedule, k)}
    return lambda optimizer, rate, steps: rules[is_adaptive(optimizer)](optimizer, rate, steps)


def shorter(beta: float, k: int) -> float:
    """The decay of an average over as many items as ``beta`` has, in steps of ``k`` times as many."""
    return max(0.0, 1 - k * (1 - beta))


def _shorten_cycle(group: dict[str, Any], k: int) -> None:
    """OneCycle has put a first beta of its own into the group, and moves it between two."""
    if group.keys() >= set(MOMENTA):
        group.update({name: shorter(group[name], k) for name in MOMENTA})
        group["betas"] = (group["max_momentum"], *group["betas"][1:])


def _scaled(schedule: Schedule, optimizer: Optimizer, rate: float, steps: int, factor: float) -> LRScheduler:
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] * factor
    return WarmUp(schedule(optimizer, rate * factor, steps), start=1 / factor, steps=round(WARM_UP * steps))


class WarmUp(LRScheduler):
    """``inner`` with its rates times a share that rises from ``start`` to 1 in the first ``steps``, linearly."""

    def __init__(self, inner: LRScheduler, *, start: float, steps: int) -> None:
        self.inner, self.optimizer, self.start, self.steps, self.taken = inner, inner.optimizer, start, steps, 0
        self._multiply(self.share)

    @property
    def share(self) -> float:
        """Of the inner schedule's rates, at this step."""
        return 1.0 if self.taken >= self.steps else self.start + (1 - self.start) * self.taken / self.steps

    def step(self, epoch: int | None = None) -> None:
        """After an optimizer's step: the inner schedule sees its own rates."""
        self._multiply(1 / self.share)
        self.inner.step(epoch)
        self.taken += 1
        self._multiply(self.share)

    def _multiply(self, share: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["lr"] * share
