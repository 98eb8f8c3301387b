"""Whether timed calls answer like calls that nobody times, and take as long on inputs that never came before.

Of torch alone: each side of a comparison loads this file.

The reference is the served batch, asked once outside the clock. Timed turns of that batch have to agree with it, and
those of a single item with its first row, if the outputs follow their items.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map

UNLIKE = 0.05  # relative distance: one network served twice differs by far less
SEEN_GAIN = 2.0  # times as fast, on inputs that were served before
LEAST_GAIN = 20e-6  # seconds: calls of a few microseconds vary by as much
AGAIN = 7  # calls on other inputs where one looks wrong: it may be disturbed
NOISE = 1e-4  # added to real inputs, so that no item has come before


class OutputRecord:
    """Outputs of ``serve`` for placed ``inputs`` (a tree [B, ...])."""

    def __init__(self, serve: Callable[[Any], Any], inputs: Any, items: int) -> None:
        self.items = items
        self.reference = _copies(serve(inputs))
        self.by_item = self._follows(serve, inputs)

    def problem(self, output: Any, items: int) -> str:
        """What is wrong with the ``output`` of a timed call of ``items``; empty if nothing is."""
        if any(not isinstance(leaf, torch.Tensor) or leaf.is_meta for leaf in tree_leaves(output)):
            return f"a timed call of {items} items returned no plain tensors: its work may not be done when it returns"
        ours, theirs = _copies(output), self.reference
        if self.by_item and items < self.items:
            theirs = [leaf[:items] for leaf in theirs]
        elif items != self.items:
            return ""
        apart = _apart(ours, theirs)
        if apart <= UNLIKE:
            return ""
        return (
            f"timed calls of {items} items answer otherwise than a call of {self.items} that is not timed: the "
            f"relative distance is {apart:.2g}, at most {UNLIKE:g} is allowed"
        )

    def _follows(self, serve: Callable[[Any], Any], inputs: Any) -> bool:
        """Whether the outputs come in the order of the items."""
        if any(leaf.dim() == 0 or len(leaf) != self.items for leaf in self.reference):
            return False
        reversed_ = _copies(serve(tree_map(lambda leaf: leaf.flip(0).contiguous(), inputs)))
        return _apart(reversed_, [leaf.flip(0) for leaf in self.reference]) <= UNLIKE


def keeps_answers(inputs: Any, usual: float, seconds: Callable[[], float]) -> str:
    """What is wrong with a network that took ``usual`` seconds a call on placed ``inputs``; empty if nothing is.

    ``seconds`` times one call. The items are put in another order with a little noise, in place, and put back.
    """
    placed = [
        leaf for leaf in tree_leaves(inputs) if isinstance(leaf, torch.Tensor) and leaf.dim() and not leaf.is_meta
    ]
    if not any(len(leaf) > 1 or leaf.is_floating_point() for leaf in placed):
        return ""
    if not _is_slow(_on_others(placed, seconds), usual):
        return ""
    quickest = min(_on_others(placed, seconds) for _ in range(AGAIN))
    if not _is_slow(quickest, usual):
        return ""
    return (
        f"a call on inputs that never came takes {quickest:.3g} s, and {usual:.3g} s on those of the timed turns: "
        "answers are kept"
    )


def _is_slow(fresh: float, usual: float) -> bool:
    return fresh > SEEN_GAIN * usual and fresh - usual > LEAST_GAIN


def _on_others(placed: list[torch.Tensor], seconds: Callable[[], float]) -> float:
    before = [leaf.clone() for leaf in placed]
    try:
        for leaf, old in zip(placed, before, strict=True):
            order = torch.randperm(len(old), generator=torch.Generator().manual_seed(len(old))).to(old.device)
            noise = NOISE * torch.randn_like(old) if old.is_floating_point() else 0
            leaf.copy_(old[order] + noise)
        return seconds()
    finally:
        for leaf, old in zip(placed, before, strict=True):
            leaf.copy_(old)


def _copies(output: Any) -> list[torch.Tensor]:
    leaves = tree_leaves(output)
    return [leaf.detach().to("cpu", torch.float64, copy=True) for leaf in leaves if isinstance(leaf, torch.Tensor)]


def _apart(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> float:
    if [leaf.shape for leaf in ours] != [leaf.shape for leaf in theirs]:
        return math.inf
    size = math.sqrt(sum(float(leaf.square().sum()) for leaf in theirs))
    distance = math.sqrt(sum(float((a - b).square().sum()) for a, b in zip(ours, theirs, strict=True)))
    if not math.isfinite(size):  # what is no number agrees with nothing, and is told with the outputs
        return 0.0
    return distance / size if size else (math.inf if distance else 0.0)
