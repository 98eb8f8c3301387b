"""Strong and weak scaling: samples a second against the number of ranks, as curves that `suite.curves` fits.

Strong: all numbers of ranks divide the same batch. Weak: each rank keeps the batch of one process, so that the batch
grows with the ranks (Gustafson 1988, https://doi.org/10.1145/42411.42415). Numbers of ranks are timed in blocks of
processes, up and down again (1 2 4 4 2 1), so that a steady drift reaches all alike; a point is its faster block's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import numpy as np
import torch

from suite.analysis.distributed.blocks import STEPS, Block, block
from suite.analysis.scaling.compare import CurvePoints
from suite.analysis.scaling.fit_csv import fitted
from suite.core.errors import UsageError
from suite.curves import FitError
from suite.training.recipe import Batch, Recipe, Split
from suite.training.trees import cat

Kind = Literal["strong", "weak"]
KINDS: tuple[Kind, ...] = ("strong", "weak")
X, Y = "ranks", "samples_per_second"
COLUMNS = ("technique", "scaling", X, "batch", Y, "efficiency")


@dataclass(frozen=True, kw_only=True)
class RankPoint:
    """``rate`` samples a second of so many ``ranks`` on batches of ``items``; ``one`` is the rate of one process."""

    kind: Kind
    ranks: int
    items: int
    rate: float
    one: float

    @property
    def efficiency(self) -> float:
        """The rate as a share of ``ranks`` times that of one process: 1 is ideal, of either kind."""
        return self.rate / self.one / self.ranks


def rank_curve(
    kind: Kind, plain: Recipe, form: Callable[[Recipe, int], Recipe], ranks: Sequence[int], *, steps: int = STEPS
) -> list[RankPoint]:
    """A point for each number of ``ranks``, ascending; ``form(recipe, ranks)`` trains ``recipe`` by so many ranks.

    Raises `UsageError` if 1 is not among them, or the data have too few items for the batch of the most ranks.
    """
    counts = sorted(set(ranks))
    if not counts or counts[0] != 1:
        raise UsageError(f"a curve over ranks begins with one process, got ranks {counts}")
    blocks: dict[int, list[Block]] = {count: [] for count in counts}
    for count in (*counts, *reversed(counts)):
        recipe = of_ranks(plain, count) if kind == "weak" else plain
        blocks[count].append(block(form(recipe, count) if count > 1 else recipe, count, steps=steps))
    return _points(kind, blocks)


def _points(kind: Kind, blocks: dict[int, list[Block]]) -> list[RankPoint]:
    rates = {count: max(one.items / one.step for one in found) for count, found in blocks.items()}
    items = {count: found[0].items for count, found in blocks.items()}
    for count, size in items.items():
        if size != (wanted := items[1] * (count if kind == "weak" else 1)):
            raise UsageError(
                f"{count} ranks trained on a batch of {size} items, not of {wanted}: the data have too few"
            )
    return [RankPoint(kind=kind, ranks=p, items=items[p], rate=rates[p], one=rates[1]) for p in blocks]


def of_ranks(recipe: Recipe, ranks: int) -> Recipe:
    """``recipe`` in batches of ``ranks`` times as many items: as many batches that follow each other, joined."""

    def batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
        waiting = iter(recipe.batches(train, generator))
        while some := list(islice(waiting, ranks)):
            yield Batch(inputs=cat([one.inputs for one in some]), targets=cat([one.targets for one in some]))

    return replace(recipe, batches=batches)


def rows(technique: str, points: Sequence[RankPoint]) -> Iterator[tuple[object, ...]]:
    """The points as rows of `COLUMNS`, which `suite curves fit` reads."""
    for one in points:
        yield technique, one.kind, one.ranks, one.items, f"{one.rate:.6g}", f"{one.efficiency:.6g}"


def said(points: Sequence[RankPoint]) -> str:
    """What `suite.curves` says of the points, as Markdown; a sentence if they do not tell a curve."""
    resource, rate = (
        np.array(values, dtype=float) for values in zip(*((p.ranks, p.rate) for p in points), strict=True)
    )
    curve = CurvePoints(resource=resource, quality=rate, better="higher", kind="unbounded")
    try:
        return fitted(curve, x=X, y=Y)[1]
    except FitError as error:
        return f"no curve over {len(points)} numbers of ranks: {error}"
