"""Networks that some items leave early: what is counted of them, and from which confidence on items may leave.

Shapes: N items, K classes.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from suite.core.errors import UnavailableError
from suite.training.devices import place
from suite.training.recipe import Tuner
from suite.training.surgery.cutting import cut
from suite.training.surgery.rebuilding import Several, evaluating
from suite.training.trees import split, to

VALIDATION_BATCH = 256
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


class EarlyExit(nn.Module):
    """Inputs [B, C, H, W], class scores [B, K]. Items that have left are computed further unless it ``skips`` them.

    ``threshold`` is a buffer: it ships with the weights.
    """

    threshold: Tensor

    def __init__(self, network: nn.Module, example: Tensor, threshold: float, weight: float) -> None:
        super().__init__()
        self.weight, self.skips = weight, False
        self.register_buffer("threshold", torch.tensor(threshold or NEVER))
        self.stage, self.rest = cut(network, example, convolutions=1)
        with torch.no_grad(), evaluating(self):
            hidden = self.stage(example)
            self.exit = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.LazyLinear(self.rest(hidden).shape[1]))
            self.exit(hidden)  # now it knows its size

    @property
    def branch(self) -> nn.Module:
        """What an item that leaves early goes through."""
        return nn.Sequential(self.stage, self.exit)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores [B, K] of the exit and of the last layer, of all items."""
        hidden = self.stage(x)
        return self.exit(hidden), self.rest(hidden)

    def leaving(self, inputs: Tensor) -> Tensor:
        """Which items [B] leave early."""
        return self._is_sure(self.branch(inputs))

    def forward(self, x: Tensor) -> Any:
        if self.training:
            early, late = self.heads(x)
            return Several((late, early), (1.0, self.weight))
        hidden = self.stage(x)
        early = self.exit(hidden)
        stays = ~self._is_sure(early)
        if not self.skips:
            return torch.where(stays[:, None], self.rest(hidden), early)
        return early.index_put((stays,), self.rest(hidden[stays])) if stays.any() else early

    def _is_sure(self, early: Tensor) -> Tensor:
        return early.softmax(1).amax(1) >= self.threshold


@torch.no_grad()
def chosen_confidence(network: EarlyExit, tuner: Tuner, allowed_loss: float) -> float:
    """The least confidence by both heads' answers to the validation items."""
    validation = tuner.splits.validation
    if validation is None:
        raise UnavailableError("early_exit: the data have no validation split to choose on; say threshold= in advance")
    with evaluating(network):
        parts = [
            network.heads(place(to(inputs, tuner.device), tuner.recipe.layout))
            for inputs in split(validation.inputs, VALIDATION_BATCH)
        ]
    early, late = (torch.cat(scores).float().cpu() for scores in zip(*parts, strict=True))
    return least_confidence(early, late, validation.targets.cpu(), allowed_loss)
