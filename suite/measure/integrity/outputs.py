"""Whether what was timed can have done the work: its inputs are as they were, its outputs are those that were judged.

A technique, or a mistake in the harness, may make a call fast that serves nobody: a kept answer, half a batch, work
that another thread does later. The checks run after the last round, on outputs of timed turns
(`suite.measure.integrity.kept_outputs`). They also repeat the timed calls, with the garbage collector off as in a timed
turn. Every arm is checked.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, perf_counter, process_time, thread_time  # now: a module loaded later may replace them
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves  # as in trees.py

from suite.core.errors import ImplausibleError
from suite.core.machine.flags import applied
from suite.measure.integrity.kept_outputs import Answer, types_of
from suite.measure.sampler.timing import undisturbed
from suite.training.devices import synchronize
from suite.training.serving import Served, on_cpu
from suite.training.trees import Tree, leaves, length, tree_map

STATIC = 0.25  # of how far items' outputs lie apart: an answer that lies so far from its item's does not follow it
UNLIKE = 0.05  # relative distance of outputs of one technique served twice; kernels differ by far less
NEAR, NEARER = 0.3, 2.0  # from the baseline's outputs, of a technique that keeps its function; times that, for an item
SEEN_GAIN = 2.0  # times as fast, on inputs that were served before
LEAST_GAIN = 20e-6  # seconds: calls of a few microseconds vary by as much
PAIRS, AGAIN = 3, 9  # calls with either, and where that looks wrong
OFTEN, OFTEN_SECONDS = 64, 0.1  # calls with the same inputs, and seconds that they may take: a cache may admit late
FEWEST_ORDERED = 5  # items: 120 orders, of which few can have been served
ABOVE_CEILING = 1.05  # times the machine's measured rate of products
CLEVERER = 4.0  # times that: 8-bit products against float32 where nothing lies between, Winograd F(4x4, 3x3)
MOST_ELSEWHERE = 0.1  # of a sample's time, in CPU seconds of other threads of this process
LEAST_ELSEWHERE = 0.05  # seconds


@dataclass(frozen=True, kw_only=True, eq=False)
class ServedCall:
    """One batch of ``items``, placed once and served at every call; ``sent`` is a copy of what it was.

    The batch holds the first ``distinct`` test items, again and again if there are fewer than ``items``. ``pool`` are
    placed items [P, ...] to serve for a check instead; without it there are only those of the batch.
    """

    served: Served
    placed: Tree
    sent: Tree
    items: int
    distinct: int
    pool: Tree = None

    def tensors(self) -> list[Tensor]:
        """What a call reads in torch: weights, buffers and inputs; nothing of a predictor that is not torch's."""
        return [*self.served.tensors(), *leaves(self.placed)] if self.served.in_torch else []

    def __call__(self) -> Any:
        """The outputs, as a user of the served network gets them."""
        return self.served(self.placed)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Outputs (a tree on the CPU) for the first ``items`` test items, from the pass that judged the quality."""

    outputs: Tree
    items: int


def request(
    served: Served, inputs: Tree, items: int, *, distinct: int | None = None, pool: Tree | None = None
) -> ServedCall:
    """The request of ``inputs`` [items, ...], placed now; ``pool`` [P, ...] are other inputs of the same data."""
    placed = served.prepare_inputs(inputs)
    return ServedCall(
        served=served, placed=placed, sent=tree_map(lambda leaf: leaf.detach().clone(), placed), items=items,
        distinct=items if distinct is None else distinct, pool=None if pool is None else served.prepare_inputs(pool),
    )  # fmt: skip


def check(
    calls: Mapping[str, object],
    *,
    baseline: str,
    kept: Mapping[str, list[Answer]] = MappingProxyType({}),
    judged: Mapping[str, Judged] = MappingProxyType({}),
) -> None:
    """Raise `ImplausibleError` for the first of the timed ``calls`` that cannot have served its inputs.

    ``kept`` are outputs of timed turns by arm, ``judged`` the outputs that they have to agree with. If the baseline's
    outputs do not follow its items (they depend on the whole batch), no arm's have to. Then only a batch of the judged
    size is compared. Calls that are no `ServedCall` are left alone.
    """
    requests = {side: call for side, call in calls.items() if isinstance(call, ServedCall)}
    usual, base = frozenset({Tensor, nn.Parameter}) | types_of(kept, baseline), requests.get(baseline)
    with undisturbed():
        by_item = base is not None and _answers(base, baseline)
        for side, one in requests.items():
            with applied(one.served.recipe.flags), torch.no_grad():
                _check_inputs(one, side)
                for answer in kept.get(side, ()):
                    _check_types(answer, usual, side)
                    if side in judged:
                        plain = judged.get(baseline) if by_item and side != baseline else None
                        _check_judged(one, answer, judged[side], side, by_item=by_item, plain=plain)
                outputs = _materialised(one(), side)
                if by_item and side != baseline:
                    _check_by_item(one, outputs, side)
                _check_unseen(one, side, late=base is None or one.served.recipe is not base.served.recipe)


def check_unchanged(before: Judged, after: Judged, side: str) -> None:
    """Raise `ImplausibleError` where a network answers otherwise than it did when its quality was judged."""
    apart = _apart(leaves(after.outputs), leaves(before.outputs))
    if apart > UNLIKE:
        raise ImplausibleError(
            f"the network of the {side} answers otherwise than when its quality was tested (relative distance "
            f"{apart:.2g}): it depends on how often it was called, or something has changed it"
        )


def _check_types(answer: Answer, usual: frozenset[type], side: str) -> None:
    """A subclass of Tensor may compute when somebody looks."""
    strange = next((kind for kind in answer.types if kind not in usual), None)
    if strange is not None:
        raise ImplausibleError(
            f"a timed call of the {side} returned {strange.__module__}.{strange.__qualname__}, and the baseline's "
            "return plain tensors: its work may not be done when it returns; return torch.Tensor"
        )


def _check_judged(
    one: ServedCall, answer: Answer, judged: Judged, side: str, *, by_item: bool, plain: Judged | None = None
) -> None:
    """What a timed turn returned is what the quality pass found for the same items.

    ``plain`` are the baseline's outputs, by which an answer that follows its whole batch is told from a swapped one.
    """
    ours, theirs = list(answer.leaves), leaves(judged.outputs)
    if by_item and all(leaf.dim() > 0 and len(leaf) == judged.items for leaf in theirs):
        there, rows = _shared_rows(one, judged.items)
        ours = [leaf.cpu()[there] if leaf.dim() > 0 and len(leaf) == one.items else leaf for leaf in ours]
        theirs = [leaf[rows] for leaf in theirs]
    elif one.items != judged.items:
        return
    shapes = [[list(leaf.shape) for leaf in leaves if isinstance(leaf, Tensor)] for leaves in (ours, theirs)]
    if shapes[0] != shapes[1]:
        raise ImplausibleError(
            f"a timed call of the {side} got {one.items} items and answered {shapes[0]}, and the network whose outputs "
            f"were tested answers {shapes[1]}"
        )
    apart = _apart(ours, theirs)
    if apart > UNLIKE and not (plain and _follows_its_batch(one, ours, judged, plain)):
        raise ImplausibleError(
            f"the timed calls of the {side} at batch {one.items} answer otherwise than the network whose outputs were "
            f"tested: the relative distance is {apart:.2g}, at most {UNLIKE:g} is allowed; something was swapped, is "
            "stale, or serves other batches or timed calls differently"
        )


def _shared_rows(one: ServedCall, items: int) -> tuple[Tensor, Tensor]:
    """Which rows of an answer, bool [B], belong to one of the first ``items`` test items, and to which of them."""
    rows = torch.arange(one.items) % one.distinct
    there = rows < items
    return there, rows[there]


def _follows_its_batch(one: ServedCall, ours: list[Any], judged: Judged, plain: Judged) -> bool:
    """Whether an answer differs from the judged one because its items came in another batch, as with 8-bit activations.

    Their grid is that of the largest value in the batch. So the items of the smaller of both batches, again and again
    in one of the other size, are answered as before; and the answer is about as near to the baseline's as the judged
    one is to the baseline's. What is nearer than `UNLIKE` to such an answer cannot be told from it.
    """
    near = _apart(leaves(judged.outputs), leaves(plain.outputs))
    fewer, more = sorted((one.items, judged.items))
    if fewer == more or one.distinct < fewer or not near <= NEAR:
        return False
    _, rows = _shared_rows(one, judged.items)
    base = [leaf[rows] for leaf in leaves(plain.outputs)]
    places = torch.arange(more) % fewer
    again = tree_leaves(one.served(tree_map(lambda leaf: leaf[places.to(leaf.device)], one.placed)))
    if not all(isinstance(leaf, Tensor) and leaf.dim() for leaf in again):
        return False
    before = ours if one.items < judged.items else leaves(judged.outputs)
    return _apart(before, [leaf[:fewer] for leaf in again]) <= UNLIKE and _apart(ours, base) <= NEARER * near


def _apart(ours: list[Any], theirs: list[Tensor]) -> float:
    """How far outputs lie apart: the relative L2 distance of real numbers, or the share of other integers.

    Infinite for other shapes. One integer that differs is within rounding: two classes may be equally likely.
    """
    if len(ours) != len(theirs) or any(
        not isinstance(a, Tensor) or a.shape != b.shape for a, b in zip(ours, theirs, strict=True)
    ):
        return math.inf
    pairs = [(_real(on_cpu(a)), _real(on_cpu(b))) for a, b in zip(ours, theirs, strict=True)]
    real = [(a.double(), b.double()) for a, b in pairs if b.is_floating_point()]
    whole = [(a, b) for a, b in pairs if not b.is_floating_point() and b.numel()]
    distance, size = _distance([a for a, _ in real], [b for _, b in real]), _size([b for _, b in real])
    relative = distance / size if size else 0.0 if distance == 0 else math.inf
    shares = [max(0.0, float((a != b).sum()) - 1) / b.numel() for a, b in whole]
    return max([math.inf if math.isnan(relative) else relative, *shares])


def check_rate(macs: int | None, per_second: float, ceiling: float) -> None:
    """Raise `ImplausibleError` where ``macs`` multiply-accumulates an item, at so many items a second, are too many.

    ``ceiling`` is the best rate of matrix products that was measured here, in FLOP/s of whichever type. Networks whose
    operations were not counted (``None``) are left alone.
    """
    rate = 2 * (macs or 0) * per_second
    if rate > ABOVE_CEILING * CLEVERER * ceiling:
        raise ImplausibleError(
            f"{rate:.3g} operations a second, and the fastest matrix products here do {ceiling:.3g}; "
            "the timed call leaves out most of the work"
        )


@contextmanager
def on_this_thread(side: str, *, applies: bool) -> Iterator[None]:
    """Raise `ImplausibleError` if other threads of this process work during the body, where they may not."""
    began, process, thread = monotonic(), process_time(), thread_time()
    yield
    wall = monotonic() - began
    elsewhere = (process_time() - process) - (thread_time() - thread)
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


def _answers(one: ServedCall, side: str) -> bool:
    """Whether outputs are the items' own: each begins with the batch, and follows its item."""
    try:
        with applied(one.served.recipe.flags), torch.no_grad():
            _check_by_item(one, _materialised(one(), side), side)
    except ImplausibleError:
        return False
    return True


def _check_inputs(one: ServedCall, side: str) -> None:
    pairs = zip(leaves(one.placed), leaves(one.sent), strict=True)
    if any(not torch.equal(bits(now), bits(then)) for now, then in pairs):
        raise ImplausibleError(
            f"the {side} changes the inputs that it is given, so that each call served others; work on a copy"
        )


def _materialised(outputs: Any, side: str) -> list[Tensor]:
    """The tensors of an answer, which have to be there."""
    found = tree_leaves(outputs)
    lazy = [type(leaf).__name__ for leaf in found if not isinstance(leaf, Tensor) or leaf.is_meta]
    if lazy or not found:
        held = lazy[0] if lazy else "nothing"
        raise ImplausibleError(
            f"a timed call of the {side} returned {held}, no tensors: its work may not be done when it returns"
        )
    return found


def _check_by_item(one: ServedCall, outputs: list[Tensor], side: str) -> None:
    wrong = next((leaf for leaf in outputs if leaf.dim() == 0 or len(leaf) != one.items), None)
    if wrong is not None:
        raise ImplausibleError(f"a timed call of the {side} got {one.items} items and answered {list(wrong.shape)}")
    _check_following(one, outputs, side)


def _check_following(one: ServedCall, outputs: list[Tensor], side: str) -> None:
    """Shuffle the batch in place: the outputs have to follow in the same order."""
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


def _check_unseen(one: ServedCall, side: str, *, late: bool) -> None:
    """Time inputs that were never served against the same ones at once again: kept answers are quick there alone.

    ``late`` looks also for what keeps an answer only after many calls; of the baseline's own copies nobody asks that.
    """
    if _pool_size(one) < FEWEST_ORDERED or not _knows_what_it_saw(one, PAIRS, late=late):
        return
    if _knows_what_it_saw(one, AGAIN, late=late):  # three calls may be disturbed by chance
        raise ImplausibleError(
            f"the {side} is at least {SEEN_GAIN:g} times as fast on inputs that it has been given before as on others: "
            "it keeps answers, and every round but the first was timed on the kept ones"
        )


def _pool_size(one: ServedCall) -> int:
    return length(one.placed if one.pool is None else one.pool)


def _knows_what_it_saw(one: ServedCall, pairs: int, *, late: bool) -> bool:
    generator = torch.Generator().manual_seed(pairs)
    seen, unseen = [], []
    try:
        for _ in range(pairs):
            _place_others(one, generator)
            _seconds(one)  # the code is in the caches then, for both
            _place_others(one, generator)
            unseen.append(_seconds(one))
            seen.append(_seconds(one))
        often = _after_many(one) if late else math.inf
    finally:
        _put(one.placed, one.sent)
    quickest, usual = min(unseen), min(statistics.median(seen), often)
    return quickest > SEEN_GAIN * usual and quickest - usual > LEAST_GAIN


def _after_many(one: ServedCall) -> float:
    """Seconds of a call with inputs that were served over and over just before, as in timed turns."""
    end = thread_time() + OFTEN_SECONDS  # a busy core leaves as many calls
    for _ in range(OFTEN):
        _seconds(one)
        if thread_time() > end:
            break
    return statistics.median(_seconds(one) for _ in range(PAIRS))


def _place_others(one: ServedCall, generator: torch.Generator) -> None:
    """Put inputs in the batch's place that were probably never served in this order."""
    source = one.sent if one.pool is None else one.pool
    chosen = torch.randint(length(source), (one.items,), generator=generator)
    _put(one.placed, tree_map(lambda leaf: leaf[chosen.to(leaf.device)], source))


def _seconds(one: ServedCall) -> float:
    device = str(leaves(one.placed)[0].device)
    synchronize(device)
    began = perf_counter()
    one()
    synchronize(device)
    return perf_counter() - began


def _put(tree: Tree, values: Tree) -> None:
    for leaf, value in zip(leaves(tree), leaves(values), strict=True):
        leaf.copy_(value)


def _shuffle(tree: Tree, order: Tensor) -> None:
    for leaf in leaves(tree):
        leaf.copy_(leaf[order.to(leaf.device)])


def _floats(outputs: list[Tensor]) -> list[Tensor]:
    """Copies: a compiled network may answer in the same place again."""
    return [leaf.detach().to(torch.float64, copy=True) for leaf in outputs if leaf.is_floating_point()]


def _distance(ours: list[Tensor], theirs: list[Tensor]) -> float:
    return _size([a - b for a, b in zip(ours, theirs, strict=True)])


def _real(tensor: Tensor) -> Tensor:
    """Complex numbers as pairs of real ones."""
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _size(outputs: list[Tensor]) -> float:
    return math.sqrt(sum(float(leaf.square().sum()) for leaf in outputs))
