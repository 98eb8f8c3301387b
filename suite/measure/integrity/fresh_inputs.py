"""Whether a served network is as fast on inputs that it never saw as on inputs that it has served before.

A cache, in the network, the runtime or the harness, makes repeated inputs fast. The network is timed in five arms of
interleaved rounds: two serve copies of `SEEN` batches in turn, a third copies of one batch, a fourth serves a batch
made for each call, and a fifth one tensor again and again. All make as many batches before each turn, outside the
clock, and take them from a queue. So the first four read their inputs from memory alike, and only the fourth's are new.

A cache by content makes the fourth slow. One that holds the latest few batches alone makes the third fast. There the
limit is wider, because a processor's branch predictor learns one batch: networks with max pooling took 3 to 12 % longer
on batches that it had not learnt. A cache that tells tensors apart makes the fifth fast. That one also finds its inputs
in the processor's cache, which is no fault, so its limit is the widest. All share the network, so that nothing that
tells two copies apart (addresses, what a compiler made of them) is taken for a cache.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle
from typing import Any

import torch
from torch import Tensor

from suite.core.machine import flags
from suite.measure.arms import BASE, NULL, POOL
from suite.measure.sampler.memory_layout import moving
from suite.measure.sampler.options import Hooks, SamplerOptions
from suite.measure.sampler.samples import Ratio
from suite.measure.sampler.timing import sample
from suite.training.devices import synchronize
from suite.training.loop import Trained
from suite.training.serving import Served, serve, warm_up
from suite.training.trees import Tree, fill_up, leaves, length, tree_map

FRESH, ONE, SAME = "fresh", "one", "same"
SEEN = 16  # batches that come again in turn: too many branches for a predictor to learn, few for a cache
MOST_APART = 0.03
MOST_LEARNT = 1.25  # times as long as on copies of one batch
MOST_COLD = 2.0  # times as long as on one tensor: inputs that come from memory cost less in any network worth timing
LEAST, MOST = 8, 512  # batches that are made before a turn
NOISE = 1e-4  # added to real inputs, so that no two batches hold the same item
EXCHANGED = 0.5  # share of a row's whole numbers that come from another item
BATCHES = 8  # of test items, from which a batch is made
DRAWN = 256  # items that are made to see whether all differ
COME_AGAIN = "the items hold no real numbers and too few whole ones for inputs that never came before"


class CacheVerdict(StrEnum):
    """What the times on fresh and on repeated inputs say."""

    ALIKE = "alike"
    APART = "apart"
    OPEN = "open"
    """The interval holds the limit: more seconds decide."""


@dataclass(frozen=True, kw_only=True)
class FreshInputs:
    """Ratios of times; ``suspect`` as in a sample.

    Attributes:
        ratio: Of fresh inputs to inputs that come again in turn.
        learnt: Of fresh inputs to copies of one batch, where it was measured.
        copied: Of inputs that come again to one tensor, where it was measured.
    """

    ratio: Ratio
    suspect: str | None = None
    learnt: Ratio | None = None
    copied: Ratio | None = None

    @property
    def verdict(self) -> CacheVerdict:
        """Decided by whole intervals: within `MOST_APART`, `MOST_LEARNT` and `MOST_COLD`, or beyond one of them."""
        most = 1 + MOST_APART
        if self.suspect:
            return CacheVerdict.OPEN
        found = [_side(self.ratio, 1 / most, most)]
        found += [] if self.learnt is None else [_side(self.learnt, 0.0, MOST_LEARNT)]
        found += [] if self.copied is None else [_side(self.copied, 0.0, MOST_COLD)]
        return next((side for side in (CacheVerdict.APART, CacheVerdict.OPEN) if side in found), CacheVerdict.ALIKE)


def _side(ratio: Ratio, least: float, most: float) -> CacheVerdict:
    low, high = ratio.low, ratio.high
    if low is None or high is None:
        return CacheVerdict.OPEN
    if low > most or high < least:
        return CacheVerdict.APART
    return CacheVerdict.ALIKE if least <= low and high <= most else CacheVerdict.OPEN


@dataclass(kw_only=True, eq=False)
class FedCall:
    """Serves the next of the batches that `feed` has made; ``kept`` is the one that ``make`` always returns, if any."""

    served: Served
    make: Callable[[], Tree]
    kept: Tree | None = None
    calls: int = 0
    queue: deque[Tree] = field(default_factory=deque)

    def feed(self) -> None:
        """Make about as many batches as the last turn served; the clock does not run."""
        self.queue = deque(self.make() for _ in range(max(LEAST, min(self.calls, MOST))))
        self.calls = 0

    def tensors(self) -> Iterable[Tensor]:
        """What can be moved in memory: weights, buffers and the batch that is kept."""
        kept = leaves(self.kept) if self.kept is not None else []
        return [*self.served.tensors(), *kept] if self.served.in_torch else []

    def __call__(self) -> Any:
        """The outputs; a turn of more calls than expected begins its batches again."""
        self.calls += 1
        self.queue.rotate(-1)
        return self.served(self.queue[-1])


def fresh_inputs(trained: Trained, *, batch: int, seconds: float, seed: int = 0) -> FreshInputs:
    """Time the network on fresh and on repeated inputs for about ``seconds``."""
    calls = _calls(trained, batch, seed)
    device = str(trained.device)
    options = SamplerOptions(
        baseline=BASE, null=NULL, seconds=seconds, seed=seed, precision=MOST_APART / 10, tolerance=MOST_APART / 2,
        host_bound=device.startswith("cpu"),
    )  # fmt: skip
    with flags.applied(trained.recipe.flags), moving(calls.values() if device == "cpu" else (), seed) as move:
        hooks = Hooks(
            synchronize=lambda: synchronize(device), reset={arm: call.feed for arm, call in calls.items()}, move=move
        )
        taken = sample(calls, options, hooks=hooks)
    doubts = [doubt for doubt in (taken.suspect, None if _all_differ(trained, batch, seed) else COME_AGAIN) if doubt]
    return FreshInputs(
        ratio=taken.ratio(FRESH, BASE), learnt=taken.ratio(FRESH, ONE), copied=taken.ratio(BASE, SAME),
        suspect="; ".join(doubts) or None,
    )  # fmt: skip


def _calls(trained: Trained, batch: int, seed: int) -> dict[str, FedCall]:
    """The five arms of one network that is warmed up. Each makes new batches; all but one serve something else."""
    served = serve(trained)
    items = _items(trained, batch)
    repeated = fill_up(items, batch)
    kept = served.prepare_inputs(repeated)
    warm_up(served, kept)
    generator = torch.Generator().manual_seed(seed)

    def made() -> Tree:
        return served.prepare_inputs(_mixed(items, batch, generator))

    def copies(*batches: Tree) -> Callable[[], Tree]:
        turns = cycle(batches)

        def make() -> Tree:
            _mixed(items, batch, generator)
            return served.prepare_inputs(next(turns))

        return make

    def same() -> Tree:
        made()
        return kept

    seen = [_mixed(items, batch, generator) for _ in range(SEEN)]
    makes = {BASE: copies(*seen), NULL: copies(*seen), ONE: copies(repeated), FRESH: made, SAME: same}
    return {arm: FedCall(served=served, make=make, kept=kept if arm == SAME else None) for arm, make in makes.items()}


def _items(trained: Trained, batch: int) -> Tree:
    return trained.recipe.data().test.first(max(POOL, BATCHES * batch)).inputs


def _all_differ(trained: Trained, batch: int, seed: int) -> bool:
    """Whether no two of some items that are made are the same."""
    made = _mixed(_items(trained, batch), DRAWN, torch.Generator().manual_seed(seed))
    rows = [leaf.cpu().contiguous().reshape(DRAWN, -1).view(torch.uint8).numpy() for leaf in leaves(made)]
    return len({tuple(row[place].tobytes() for row in rows) for place in range(DRAWN)}) == DRAWN


def _mixed(items: Tree, batch: int, generator: torch.Generator) -> Tree:
    """``batch`` of the items at random, made new: real numbers with a little noise, some whole ones of other items."""
    count = length(items)
    chosen = torch.randint(count, (batch,), generator=generator)
    others = (chosen + 1 + torch.randint(max(1, count - 1), (batch,), generator=generator)) % count
    return tree_map(lambda leaf: _renewed(leaf[chosen], leaf[others], generator), items)


def _renewed(leaf: Tensor, other: Tensor, generator: torch.Generator) -> Tensor:
    if not leaf.is_floating_point():
        drawn = torch.rand(leaf.shape, generator=generator) < EXCHANGED
        return torch.where(drawn.to(leaf.device) & _inside(leaf) & _inside(other), other, leaf)
    noise = torch.randn(leaf.shape, generator=generator, dtype=torch.float32)
    return leaf + (NOISE * noise).to(leaf.dtype).to(leaf.device)


def _inside(leaf: Tensor) -> Tensor:
    """Where a row [B, ...] is neither in the run of equal values that begins it nor in the one that ends it.

    These are padding, or the marks of a text's ends; a mask is nothing else.
    """
    rows = leaf.reshape(len(leaf), -1)
    begins = (rows != rows[:, :1]).cumsum(1) > 0
    ends = (rows != rows[:, -1:]).flip(1).cumsum(1).flip(1) > 0
    return (begins & ends).reshape(leaf.shape)
