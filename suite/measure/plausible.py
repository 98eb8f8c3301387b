"""Whether what was timed can have done the work: its inputs are as they were, its outputs are there and follow them.

A technique, or a mistake in the harness, may make a call fast that serves nobody: a kept answer, half a batch, work
that another thread does later. The checks run after the last round, on the very calls that were timed; they ask every
side, whatever it is called.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from suite.errors import ImplausibleError
from suite.machine.flags import applied
from suite.training.devices import synchronize
from suite.training.serving import Served
from suite.training.trees import Tree, leaves, tree_map

STATIC = 0.25  # of how far items' outputs lie apart: an answer that lies so far from its item's does not follow it
UNLIKE = 0.05  # relative distance of outputs of one technique served twice; kernels differ by far less
SEEN_GAIN = 2.0  # times as fast, on inputs that were served before
PAIRS, AGAIN = 3, 9  # calls with either, and where that looks wrong
FEWEST_ORDERED = 5  # items: 120 orders, of which few can have been served
ABOVE_CEILING = 1.05  # times the machine's measured rate of products
CLEVERER = 4.0  # times that: 8-bit products against float32 where nothing lies between, Winograd F(4x4, 3x3)
MOST_ELSEWHERE = 0.1  # of a sample's time, in CPU seconds of other threads of this process
LEAST_ELSEWHERE = 0.05  # seconds


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """One batch of ``items``, placed once and served at every call; ``sent`` is a copy of what it was."""

    served: Served
    placed: Tree
    sent: Tree
    items: int

    def tensors(self) -> list[Tensor]:
        """What a call reads: the weights and buffers of the network, and the inputs."""
        network = self.served.network
        return [*network.parameters(), *network.buffers(), *leaves(self.placed)]

    def __call__(self) -> Any:
        """The outputs, as a user of the served network gets them."""
        return self.served(self.placed)


def request(served: Served, inputs: Tree, items: int) -> Request:
    """The request of ``inputs`` [items, ...], placed now."""
    placed = served.prepare_inputs(inputs)
    return Request(served=served, placed=placed, sent=tree_map(lambda leaf: leaf.detach().clone(), placed), items=items)


def check(calls: Mapping[str, object], *, baseline: str) -> None:
    """Raise `ImplausibleError` for the first of the timed ``calls`` that cannot have served its inputs.

    Where the baseline's own outputs do not follow its items (they depend on the whole batch), no side's have to. Calls
    that are no `Request` are left alone.
    """
    requests = {side: call for side, call in calls.items() if isinstance(call, Request)}
    by_item = baseline in requests and _answers(requests[baseline], baseline)
    for side, one in requests.items():
        with applied(one.served.recipe.flags), torch.no_grad():
            _check_inputs(one, side)
            outputs = _materialised(one(), side)
            if by_item and side != baseline:
                _check_by_item(one, outputs, side)
            _check_unseen(one, side)


def check_agreement(timed: Request, evaluated: Served, side: str) -> None:
    """Raise `ImplausibleError` where the timed call answers otherwise than the network whose quality was tested."""
    with applied(timed.served.recipe.flags), torch.no_grad():
        ours, theirs = _floats(_materialised(timed(), side)), _floats(_materialised(evaluated(timed.placed), side))
    if [leaf.shape for leaf in ours] != [leaf.shape for leaf in theirs] or _distance(ours, theirs) > UNLIKE * _size(
        theirs
    ):
        raise ImplausibleError(
            f"the timed calls of the {side} answer otherwise than the network whose outputs were tested; "
            "something was swapped, is stale, or depends on how often it was called"
        )


def check_rate(macs: int | None, per_second: float, ceiling: float) -> None:
    """Raise `ImplausibleError` where ``macs`` multiply-accumulates an item, at so many items a second, are too many.

    ``ceiling`` is the best rate of matrix products that was measured here, in FLOP/s of whichever type. Networks whose
    operations were not counted (``None``) are left alone.
    """
    rate = 2 * (macs or 0) * per_second
    if rate > ABOVE_CEILING * CLEVERER * ceiling:
        raise ImplausibleError(
            f"{rate:.3g} operations a second, and the fastest matrix products here do {ceiling:.3g}; "
            "what was timed leaves out most of the work"
        )


@contextmanager
def on_this_thread(side: str, *, applies: bool) -> Iterator[None]:
    """Raise `ImplausibleError` if other threads of this process work during the body, where they may not."""
    began, process, thread = time.monotonic(), time.process_time(), time.thread_time()
    yield
    wall = time.monotonic() - began
    elsewhere = (time.process_time() - process) - (time.thread_time() - thread)
    if applies and elsewhere > max(LEAST_ELSEWHERE, MOST_ELSEWHERE * wall):
        raise ImplausibleError(
            f"{elsewhere:.2g} s of work went to other threads while {side} was timed for {wall:.2g} s on one; a call "
            "must have done its work when it returns (set --threads for a network that needs several)"
        )


def same_bits(ours: Any, theirs: Any) -> bool:
    """Whether two entries of state dictionaries are the same; what are no tensors are compared as they are."""
    if isinstance(ours, Tensor) and isinstance(theirs, Tensor):
        return ours.shape == theirs.shape and ours.dtype == theirs.dtype and torch.equal(ours, theirs)
    return bool(ours == theirs)


def bits(tensor: Tensor) -> Tensor:
    """Its bytes: what is not a number equals itself there."""
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _answers(one: Request, side: str) -> bool:
    """Whether outputs are the items' own: each begins with the batch, and follows its item."""
    try:
        with applied(one.served.recipe.flags), torch.no_grad():
            _check_by_item(one, _materialised(one(), side), side)
    except ImplausibleError:
        return False
    return True


def _check_inputs(one: Request, side: str) -> None:
    pairs = zip(leaves(one.placed), leaves(one.sent), strict=True)
    if any(not torch.equal(bits(now), bits(then)) for now, then in pairs):
        raise ImplausibleError(
            f"the {side} changes the inputs that it is given, so that each call served others; work on a copy"
        )


def _materialised(outputs: Any, side: str) -> list[Tensor]:
    """The tensors of an answer, which have to be there."""
    from torch.utils._pytree import tree_leaves  # as in trees.py

    found = tree_leaves(outputs)
    lazy = [type(leaf).__name__ for leaf in found if not isinstance(leaf, Tensor) or leaf.is_meta]
    if lazy or not found:
        held = lazy[0] if lazy else "nothing"
        raise ImplausibleError(
            f"a timed call of the {side} returned {held}, no tensors: its work may not be done when it returns"
        )
    return found


def _check_by_item(one: Request, outputs: list[Tensor], side: str) -> None:
    wrong = next((leaf for leaf in outputs if leaf.dim() == 0 or len(leaf) != one.items), None)
    if wrong is not None:
        raise ImplausibleError(f"a timed call of the {side} got {one.items} items and answered {list(wrong.shape)}")
    _check_following(one, outputs, side)


def _check_following(one: Request, outputs: list[Tensor], side: str) -> None:
    """Shuffle the batch where it lies: the answers have to come in the same new order."""
    before, order = _floats(outputs), torch.randperm(one.items, generator=torch.Generator().manual_seed(0))
    _shuffle(one.placed, order)
    try:
        after = _floats(_materialised(one(), side))
    finally:
        _shuffle(one.placed, order.argsort())
    wanted = [leaf[order.to(leaf.device)] for leaf in before]
    apart = _distance(wanted, before)
    if apart and _distance(after, wanted) > STATIC * apart:
        raise ImplausibleError(
            f"the outputs of the {side} do not follow its inputs: with the batch in another order the answers are not; "
            "it keeps answers, or serves a part of the batch"
        )


def _check_unseen(one: Request, side: str) -> None:
    """Time batches in orders that were never served against one that was: kept answers are quick there alone."""
    if one.items < FEWEST_ORDERED or not _knows_what_it_saw(one, PAIRS):
        return
    if _knows_what_it_saw(one, AGAIN):  # three calls may be disturbed by chance
        raise ImplausibleError(
            f"the {side} is at least {SEEN_GAIN:g} times as fast on inputs that it has been given before as on others: "
            "it keeps answers, and every round but the first was timed on the kept ones"
        )


def _knows_what_it_saw(one: Request, pairs: int) -> bool:
    generator, order = torch.Generator().manual_seed(pairs), torch.arange(one.items)
    seen, unseen = [], []
    for _ in range(pairs):
        seen.append(_seconds_in(one, order))
        unseen.append(_seconds_in(one, torch.randperm(one.items, generator=generator)))
    return min(unseen) > SEEN_GAIN * statistics.median(seen)


def _seconds_in(one: Request, order: Tensor) -> float:
    """Of one call with the batch in this order, which is undone after it; the copies are made for any order."""
    device = str(leaves(one.placed)[0].device)
    _shuffle(one.placed, order)
    try:
        synchronize(device)
        began = time.perf_counter()
        one()
        synchronize(device)
        return time.perf_counter() - began
    finally:
        _shuffle(one.placed, order.argsort())


def _shuffle(tree: Tree, order: Tensor) -> None:
    for leaf in leaves(tree):
        leaf.copy_(leaf[order.to(leaf.device)])


def _floats(outputs: list[Tensor]) -> list[Tensor]:
    """Copies: a compiled network may answer in the same place again."""
    return [leaf.detach().to(torch.float64, copy=True) for leaf in outputs if leaf.is_floating_point()]


def _distance(ours: list[Tensor], theirs: list[Tensor]) -> float:
    return _size([a - b for a, b in zip(ours, theirs, strict=True)])


def _size(outputs: list[Tensor]) -> float:
    return math.sqrt(sum(float(leaf.square().sum()) for leaf in outputs))
