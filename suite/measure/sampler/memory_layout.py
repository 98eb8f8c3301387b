"""New places in memory for weights and inputs: where they lie moves the time of a call by up to several percent.

A sample that stays at one place measures that place; the next process has another. So between the blocks of a sample
what is timed is copied to other addresses, at random distances, and the sample is of several places. They lie in two
arenas that are made beforehand: allocating at each move would break up the memory that calls use again and again, and
page faults would be timed.

What a call keeps to itself stays where it is (constants of a frozen or exported network, packed weights, the optimizer
of a training step), and so does what is larger than any cache: that comes from memory wherever it lies.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

ALIGNED = 64  # bytes: as torch allocates, and vector instructions want it
MOST_GAP = 1 << 16  # bytes between two tensors: several pages, and any offset within one
MOST = 64 << 20  # bytes in all


@runtime_checkable
class Movable(Protocol):
    """A timed call that says which tensors it reads."""

    def tensors(self) -> Iterable[Tensor]:
        """Weights, buffers and inputs."""


@contextmanager
def moving(calls: Iterable[object], seed: int) -> Iterator[Callable[[], None] | None]:
    """Moves what the ``calls`` read on the CPU; it has been moved once already, and has memory of its own afterwards.

    Tensors that share memory with another, or own a part of it, stay. ``None`` where nothing can be moved.
    """
    places = places_of(calls, seed)
    if places is None:
        yield None
        return
    try:
        places.move()
        yield places.move
    finally:
        places.leave()


def places_of(calls: Iterable[object], seed: int) -> Places | None:
    """The places of what the ``calls`` read; ``None`` where nothing can be moved."""
    movable = _movable([call for call in calls if isinstance(call, Movable)])
    return Places(tensors=movable, seed=seed) if 0 < sum(map(_bytes, movable)) <= MOST else None


@dataclass(kw_only=True)
class Places:
    """Two arenas, each with room for all ``tensors`` twice over, which lie in one or the other."""

    tensors: Sequence[Tensor]
    seed: int
    _arenas: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # mixes, guards no secret
        self._room = sum(_aligned(_bytes(tensor)) + MOST_GAP for tensor in self.tensors)
        self._arenas = [torch.zeros(2 * self._room, dtype=torch.uint8) for _ in range(2)]

    def move(self) -> None:
        """Copy everything to the arena where it does not lie, in a new order and at new distances."""
        arena, _ = self._arenas
        at = _aligned(self._random.randrange(self._room))
        with torch.no_grad():
            for tensor in self._random.sample(self.tensors, len(self.tensors)):
                at += _aligned(self._random.randrange(MOST_GAP - ALIGNED))
                there = arena[at : at + _bytes(tensor)].view(tensor.dtype).as_strided(tensor.shape, tensor.stride())
                tensor.data = there.copy_(tensor)
                at += _aligned(_bytes(tensor))
        self._arenas.reverse()

    def leave(self) -> None:
        """Give every tensor memory of its own again."""
        for tensor in self.tensors:
            tensor.data = tensor.detach().clone()


def _movable(calls: Sequence[Movable]) -> list[Tensor]:
    every = {id(leaf): leaf for call in calls for leaf in _leaves(call.tensors())}
    plain = [leaf for leaf in every.values() if leaf.device.type == "cpu" and leaf.layout == torch.strided]
    users = Counter(leaf.untyped_storage().data_ptr() for leaf in plain)
    return [leaf for leaf in plain if users[leaf.untyped_storage().data_ptr()] == 1 and _is_whole(leaf)]


def _leaves(tensors: Iterable[Any]) -> Iterator[Tensor]:
    """Those that hold memory: a subclass is made of others."""
    for tensor in tensors:
        if is_traceable_wrapper_subclass(tensor):
            names, _ = tensor.__tensor_flatten__()
            yield from _leaves([getattr(tensor, name) for name in names])
        else:
            yield tensor


def _is_whole(tensor: Tensor) -> bool:
    """Whether it is all of its storage, in one of the formats that bytes can be looked at as."""
    if tensor.is_inference() or tensor.is_quantized:
        return False
    return tensor.untyped_storage().nbytes() == _bytes(tensor) > 0


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _aligned(count: int) -> int:
    return -(-count // ALIGNED) * ALIGNED
