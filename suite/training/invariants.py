"""What techniques promise of the weights that are served, checked when all members of a composition have acted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn

from suite.core.errors import BrokenPromiseError
from suite.training.surgery.factoring import LowRank
from suite.training.surgery.grids import TENSOR, Grid
from suite.training.surgery.masks import GROUP, prunable
from suite.training.surgery.tied import is_untied, ties

WIDEST = 8  # bits; how weights are grouped does not depend on them


class Invariant(Protocol):
    """A promise of the weights; as a text it says what is promised."""

    def broken(self, network: nn.Module) -> str | None:
        """What ``network`` has instead of what was promised; ``None`` if it has that."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """An invariant with the member that gave it, and the one that acted last and could have broken it.

    ``quantized`` says that it is given of what ``quantize`` makes; any other holds of the trained network.
    """

    member: str
    suspect: str
    invariant: Invariant
    quantized: bool = False


def check(promises: Iterable[Promise], network: nn.Module) -> None:
    """Raise `BrokenPromiseError` for the first promise that ``network`` does not keep."""
    for promise in promises:
        with torch.no_grad():
            found = promise.invariant.broken(network)
        if found is not None:
            raise BrokenPromiseError(
                f"{promise.member} promised {promise.invariant}, and the network has {found}; "
                f"{promise.suspect} acted last and could have broken it"
            )


def tied(network: nn.Module, suspect: str) -> list[Promise]:
    """The promise of a network that its tied weights stay tied."""
    return [Promise(member="the network", suspect=suspect, invariant=Tied(names)) for names in ties(network)]


@dataclass(frozen=True)
class Sparse:
    """So large a share of all prunable weights is zero, or of the weights of each layer."""

    share: float
    each: bool = False

    def __str__(self) -> str:
        return f"a sparsity of {self.share:g}{' in each layer' * self.each}"

    def broken(self, network: nn.Module) -> str | None:
        weights = prunable(network)
        for some in [[weight] for weight in weights] if self.each else [weights]:
            total, zeros = sum(w.numel() for w in some), sum(int((w == 0).sum()) for w in some)
            if zeros < self.share * total - 1:  # shares are rounded to whole weights
                return f"one of {zeros / total:.4g}{f' in a layer of {total} weights' * self.each}"
        return None


@dataclass(frozen=True)
class TwoOfFour:
    """Of every four neighbouring inputs of a layer two weights are zero, where inputs can be divided by four."""

    def __str__(self) -> str:
        return "two zeros in every four neighbouring weights"

    def broken(self, network: nn.Module) -> str | None:
        for weight in prunable(network):
            if weight.shape[1] % GROUP == 0:
                kept = (weight != 0).movedim(1, -1).reshape(-1, GROUP).sum(1)
                wrong = int((kept > GROUP // 2).sum())
                if wrong:
                    return f"more than two that are not in {wrong} of {len(kept)} groups of {tuple(weight.shape)}"
        return None


@dataclass(frozen=True)
class Levels:
    """Each group of weights that shares a scale or a table has at most so many values; zeros are so large a share."""

    most: int
    group: int = TENSOR
    sparsity: float = 0.0

    def __str__(self) -> str:
        zeros = f" and {Sparse(self.sparsity)}" if self.sparsity else ""
        return f"at most {self.most} values of the weights that share a scale or a table{zeros}"

    def broken(self, network: nn.Module) -> str | None:
        return self._too_many(network) or Sparse(self.sparsity).broken(network)

    def _too_many(self, network: nn.Module) -> str | None:
        grid = Grid(bits=WIDEST, group=self.group)
        for weight in prunable(network):
            ordered = grid.grouped(weight).sort(1).values
            found = 1 + int((ordered.diff(dim=1) != 0).sum(1).max())
            if found > self.most:
                return f"{found} in a weight {tuple(weight.shape)}"
        return None


@dataclass(frozen=True)
class Ranked:
    """What was factored has at most this rank."""

    rank: int

    def __str__(self) -> str:
        return f"factors of rank {self.rank} at most"

    def broken(self, network: nn.Module) -> str | None:
        ranks = [layer.rank for layer in network.modules() if isinstance(layer, LowRank)]
        most = max(ranks, default=0)
        return f"one of rank {most}" if self.rank and most > self.rank else None


@dataclass(frozen=True)
class Tied:
    """One weight has all these names."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"that {' and '.join(self.names)} are tied"

    def broken(self, network: nn.Module) -> str | None:
        return "weights of their own there" if is_untied(self.names, network) else None


# -- from the parameters of a technique -------------------------------------------------------------------------------


def sparse(*, sparsity: float, **_: Any) -> Invariant:
    """The promise of a technique that zeroes a share ``sparsity`` of the whole network."""
    return Sparse(sparsity)


def sparse_layers(*, sparsity: float, **_: Any) -> Invariant:
    """The promise of a technique that zeroes a share ``sparsity`` of each layer."""
    return Sparse(sparsity, each=True)
