"""Time training steps of one process and of several ranks in blocks of processes, in the order A B B A.

Each block has processes of its own, so that no two sets of collectives live side by side. What drifts evenly along the
blocks reaches the sums of both arms alike; an arm's figure is its faster block's, which holds less of other work but
keeps a part of the drift. `Scaling.spread` shows how large both are; the figures have no interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import torch
from torch import nn

from suite.core.errors import UsageError
from suite.core.machine.flags import applied
from suite.core.records import Cell
from suite.measure.memory import of_the_fullest_rank
from suite.measure.step import TimedStep, training_step
from suite.training.distributed.in_ranks import flags_of_a_rank
from suite.training.distributed.launching import Rank, run_ranks
from suite.training.distributed.stragglers import Straggler, imbalance, slowest
from suite.training.distributed.traffic import sent_bytes
from suite.training.recipe import Batch, Recipe, Split
from suite.training.trees import take

ORDER = "ABBA"
STEPS = 30  # timed steps of a block


@dataclass(frozen=True, kw_only=True)
class Block:
    """One launch: by rank the seconds of each step, bytes sent a step (``None``: unknown), and the batch's items.

    ``own`` are the median seconds of each rank's own part of a step, with no collective in it; empty if not timed.
    """

    seconds: tuple[tuple[float, ...], ...]
    sent: tuple[float | None, ...]
    items: int
    own: tuple[float, ...] = ()

    @property
    def step(self) -> float:
        """Median seconds of a step; the ranks wait for each other, so that the slowest one tells."""
        return float(np.median(np.max(np.array(self.seconds), axis=0)))


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """What ``ranks`` cost against one process on the same batch.

    ``one`` and ``many`` are samples a second of the faster of two blocks, ``spread`` is by how much the slower one took
    longer, of the arm where that is more: other work on the machine. ``own`` are the seconds of each rank's own part in
    the launch of all ranks, which show a slow one. ``share`` are seconds that a rank's part of the
    batch takes one process; ``sent`` bytes that the busiest rank sends in a step; ``held`` the peak bytes of a training
    step of the fullest rank, and ``held_alone`` of one process.
    """

    technique: str
    ranks: int
    one: float
    many: float
    share: float
    step: float
    sent: float | None
    own: tuple[float, ...]
    held: float
    held_alone: float
    spread: float

    @property
    def efficiency(self) -> float:
        """The speed-up, as a share of the number of ranks (strong scaling)."""
        return self.many / self.one / self.ranks

    @property
    def communication(self) -> float:
        """The share of a step beyond a rank's own part: it communicates, waits or repeats work."""
        return max(0.0, 1 - self.share / self.step)

    @property
    def imbalance(self) -> float:
        """See `suite.training.distributed.stragglers.imbalance`."""
        return imbalance(self.own)

    @property
    def slowest(self) -> Straggler:
        """The rank that the others wait for longest."""
        return slowest(self.own, self.step)


@dataclass(frozen=True, kw_only=True)
class OneProcessCost:
    """What every technique of as many ranks is compared with: see `Scaling.share` and `Scaling.held_alone`."""

    share: float
    held: float

    @classmethod
    def of(cls, plain: Recipe, ranks: int, steps: int = STEPS) -> OneProcessCost:
        """Measured now, in processes of their own."""
        return cls(share=block(of_a_rank(plain, ranks), 1, steps=steps).step, held=_peak(plain, 1))


def scaling(name: str, plain: Recipe, changed: Recipe, *, own: OneProcessCost, steps: int = STEPS) -> Scaling:
    """Blocks of ``plain`` and of its ``changed`` form of several ranks. Raises `UsageError` for a single rank."""
    ranks = changed.launch.ranks
    if ranks < 2:  # noqa: PLR2004
        raise UsageError(f"{name} trains in one process; scaling compares one process with several ranks")
    part = of_a_rank(plain, ranks)
    blocks: dict[str, list[Block]] = {"A": [], "B": []}
    for arm in ORDER:
        found = block(plain, 1, steps=steps) if arm == "A" else block(changed, ranks, steps=steps, part=part)
        blocks[arm].append(found)
    alone, together = blocks["A"], blocks["B"]
    return Scaling(
        technique=name, ranks=ranks, one=_rate(alone), many=_rate(together),
        share=own.share, step=_step(together),
        sent=_most_sent(together), own=tuple(map(min, *(one.own for one in together))),
        held=_peak(changed, ranks), held_alone=own.held, spread=max(map(_spread, (alone, together))),
    )  # fmt: skip


def block(recipe: Recipe, ranks: int, *, steps: int, part: Recipe | None = None) -> Block:
    """The steps of one launch of so many ranks; one rank is a process as the others are.

    Before them each rank takes steps of ``part``, if it is given: the work of a rank without collectives.
    """

    def work(_rank: Rank) -> tuple[list[float], float | None, int, float]:
        own = 0.0 if part is None else float(np.median(_timed(part, steps)[0]))
        return *_timed(recipe, steps), own

    seconds, sent, items, own = zip(*run_ranks(work, ranks), strict=True)
    return Block(
        seconds=tuple(map(tuple, seconds)), sent=sent, items=max(items), own=() if part is None else tuple(own)
    )  # fmt: skip


def _timed(recipe: Recipe, steps: int) -> tuple[list[float], float | None, int]:
    """Seconds of each step in this rank, bytes that it sent in one, and the items of the batch."""
    timed = training_step(replace(recipe, flags=flags_of_a_rank(recipe)), device="cpu", reference=_nobody)
    before = sent_bytes()
    with applied(timed.flags):
        seconds = [_seconds(timed) for _ in range(steps)]
    after = sent_bytes()
    sent = None if before is None or after is None else (after - before) / steps
    return seconds, sent, timed.items


def of_a_rank(recipe: Recipe, ranks: int) -> Recipe:
    """``recipe`` in batches of a rank's items: the work of one rank without the others."""

    def batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
        for batch in recipe.batches(train, generator):
            chosen = slice(-(-len(batch) // ranks))
            yield Batch(inputs=take(batch.inputs, chosen), targets=take(batch.targets, chosen))

    return replace(recipe, batches=batches)


def _seconds(timed: TimedStep) -> float:
    timed.reset()  # or the weights fit their one batch, and subnormal gradients take longer
    began = perf_counter()
    timed()
    return perf_counter() - began


def _nobody(composition: str) -> nn.Module:
    raise UsageError(f"a timed step has no trained network of {composition}")


def _step(blocks: list[Block]) -> float:
    """Seconds in the block that other work disturbed least."""
    return min(one.step for one in blocks)


def _spread(blocks: list[Block]) -> float:
    return max(one.step for one in blocks) / _step(blocks) - 1


def _rate(blocks: list[Block]) -> float:
    return blocks[0].items / _step(blocks)


def _most_sent(blocks: list[Block]) -> float | None:
    known = [sent for one in blocks for sent in one.sent if sent is not None]
    return max(known) if known else None


def _peak(recipe: Recipe, ranks: int) -> float:
    cell = Cell(workload="scaling", technique="scaling", device="cpu", ranks=ranks)
    found = of_the_fullest_rank(cell, recipe, reference=_nobody)
    return next(one.value for one in found if one.metric == "peak_memory_training")
