"""Networks that some items leave early: what is counted of them, and from which confidence on items may leave.

Shapes: N items, K classes.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

NEVER = 2.0  # a confidence that no probability reaches


@runtime_checkable
class Exiting(Protocol):
    """A network with one exit. Items that leave there go through ``branch`` alone, others through all of it."""

    @property
    def branch(self) -> nn.Module:
        """From inputs to the exit's answers, with the network's own weights."""

    def leaving(self, inputs: Any) -> Tensor:
        """Which items [N] leave early: booleans."""


@torch.no_grad()
def least_confidence(early: Tensor, late: Tensor, targets: Tensor, allowed_loss: float) -> float:
    """The lowest confidence from which on items may leave, by class scores [N, K] of both heads and targets [N].

    At this one and at every higher one the mix of both heads is right for at most the share ``allowed_loss`` of items
    less than the last head alone. `NEVER` where that holds of none.
    """
    confidence, order = early.softmax(1).amax(1).sort(descending=True)
    sooner, later = ((scores.argmax(1) == targets)[order].long() for scores in (early, late))
    lost = (later - sooner).cumsum(0) / len(targets)  # [N], if as many items leave
    ends = torch.cat([confidence[1:] < confidence[:-1], confidence.new_ones(1).bool()])  # equal ones leave together
    within = (lost <= allowed_loss) | ~ends
    count = int(within.long().cumprod(0).sum())
    allowed = confidence[:count][ends[:count]]
    return float(allowed[-1]) if len(allowed) else NEVER
