"""Whether a served network is as fast on inputs that it never saw as on a batch that it serves again and again.

A cache, in the network, the runtime or the harness, makes repeated inputs fast. The network is timed in three arms of
interleaved rounds: two serve one batch, the third serves a batch made for each call. All of them make such batches
before each turn, outside the clock, so that only what is served differs. They share the network, so that nothing that
tells two copies apart (addresses, what a compiler made of them) is taken for a cache.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
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
from suite.training.trees import Tree, fill_up, leaves, length, take, tree_map

FRESH = "fresh"
MOST_APART = 0.03
LEAST, MOST = 8, 512  # batches that are made before a turn
NOISE = 1e-4  # added to real inputs, so that no two batches hold the same item
BATCHES = 8  # of test items, from which a batch is made


class CacheVerdict(StrEnum):
    """What the times on fresh and on repeated inputs say."""

    ALIKE = "alike"
    APART = "apart"
    OPEN = "open"
    """The interval holds the limit: more seconds decide."""


@dataclass(frozen=True, kw_only=True)
class FreshInputs:
    """The ``ratio`` of the time on fresh inputs to that on repeated ones; ``suspect`` as in a sample."""

    ratio: Ratio
    suspect: str | None = None

    @property
    def verdict(self) -> CacheVerdict:
        """Decided by the whole interval: within `MOST_APART`, or beyond it."""
        low, high, most = self.ratio.low, self.ratio.high, 1 + MOST_APART
        if low is None or high is None or self.suspect:
            return CacheVerdict.OPEN
        if low > most or high < 1 / most:
            return CacheVerdict.APART
        return CacheVerdict.ALIKE if 1 / most <= low and high <= most else CacheVerdict.OPEN


@dataclass(kw_only=True, eq=False)
class FedCall:
    """Serves ``kept``, or where that is ``None`` the next of the batches that `feed` has made."""

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
        if self.kept is not None:
            return self.served(self.kept)
        self.queue.rotate(-1)
        return self.served(self.queue[-1])


def fresh_inputs(trained: Trained, *, batch: int, seconds: float, seed: int = 0) -> FreshInputs:
    """Time the network on fresh and on repeated inputs for about ``seconds``."""
    calls = _calls(trained, batch, seed)
    device, entered = str(trained.device), flags.read()
    options = SamplerOptions(
        baseline=BASE, null=NULL, seconds=seconds, seed=seed, precision=MOST_APART / 10, tolerance=MOST_APART / 2,
        host_bound=device.startswith("cpu"),
    )  # fmt: skip
    with flags.applied(trained.recipe.flags), moving(calls.values() if device == "cpu" else (), seed) as move:
        hooks = Hooks(
            synchronize=lambda: synchronize(device), reset={arm: call.feed for arm, call in calls.items()}, move=move
        )
        taken = sample(calls, options, hooks=hooks)
    flags.write(entered)
    return FreshInputs(ratio=taken.ratio(FRESH, BASE), suspect=taken.suspect)


def _calls(trained: Trained, batch: int, seed: int) -> dict[str, FedCall]:
    """The three arms of one network that is warmed up."""
    served = serve(trained)
    items = trained.recipe.data().test.first(max(POOL, BATCHES * batch)).inputs
    kept = served.prepare_inputs(fill_up(items, batch))
    warm_up(served, kept)
    generator = torch.Generator().manual_seed(seed)

    def made() -> Tree:
        return served.prepare_inputs(_mixed(items, batch, generator))

    return {arm: FedCall(served=served, make=made, kept=None if arm == FRESH else kept) for arm in (BASE, NULL, FRESH)}


def _mixed(items: Tree, batch: int, generator: torch.Generator) -> Tree:
    """``batch`` of the items at random, real numbers with a little noise."""
    chosen = take(items, torch.randint(length(items), (batch,), generator=generator))
    return tree_map(lambda leaf: _noisy(leaf, generator), chosen)


def _noisy(leaf: Tensor, generator: torch.Generator) -> Tensor:
    if not leaf.is_floating_point():
        return leaf
    noise = torch.randn(leaf.shape, generator=generator, dtype=torch.float32)
    return leaf + (NOISE * noise).to(leaf.dtype).to(leaf.device)
