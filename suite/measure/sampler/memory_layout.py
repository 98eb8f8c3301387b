"""Memory-layout randomization: addresses of weights and inputs change the time of a call by up to several percent.

A sample at fixed addresses measures these addresses; the next process has others. So the weights and inputs are copied
to other addresses between the blocks of a sample, at random distances, and the sample covers several layouts. They are
stored in two arenas that are allocated in advance. An allocation at each move would fragment the memory that calls
reuse, and page faults would be timed.

Two kinds of memory stay in place. A call's private tensors (constants of a frozen or exported network, packed weights,
the optimizer of a training step) cannot be moved. Data larger than any cache come from main memory at every address.
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

ALIGNED = 64  # bytes: the alignment of torch, and of vector instructions
MOST_GAP = 1 << 16  # bytes between two tensors: several pages, and any offset within one
MOST = 64 << 20  # bytes in all


@runtime_checkable
class Movable(Protocol):
    """A timed call that says which tensors it reads."""

    def tensors(self) -> Iterable[Tensor]:
        """Weights, buffers and inputs."""


@contextmanager
def moving(calls: Iterable[object], seed: int) -> Iterator[Callable[[], None] | None]:
    """A call that moves the tensors which ``calls`` read on the CPU; they are moved once at the start.

    At the end each tensor gets memory of its own. Tensors that share memory with another, or own a part of it, stay.
    ``None`` if nothing can be moved.
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
    """Two arenas for the tensors that the ``calls`` read; ``None`` if nothing can be moved."""
    movable = _movable([call for call in calls if isinstance(call, Movable)])
    return Places(tensors=movable, seed=seed) if 0 < sum(map(_bytes, movable)) <= MOST else None


@dataclass(kw_only=True)
class Places:
    """Two arenas, each with room for all ``tensors`` twice over; the tensors are in one of them."""

    tensors: Sequence[Tensor]
    seed: int
    _arenas: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # mixes, guards no secret
        self._room = sum(_aligned(_bytes(tensor)) + MOST_GAP for tensor in self.tensors)
        self._arenas = [torch.zeros(2 * self._room, dtype=torch.uint8) for _ in range(2)]

    def move(self) -> None:
        """Copy everything to the other arena, in a new order and at new distances."""
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
    """The tensors that hold memory: a tensor subclass wraps others."""
    for tensor in tensors:
        if is_traceable_wrapper_subclass(tensor):
            names, _ = tensor.__tensor_flatten__()
            yield from _leaves([getattr(tensor, name) for name in names])
        else:
            yield tensor


def _is_whole(tensor: Tensor) -> bool:
    """Whether the tensor is all of its storage, in a format that bytes can be viewed as."""
    if tensor.is_inference() or tensor.is_quantized:
        return False
    return tensor.untyped_storage().nbytes() == _bytes(tensor) > 0


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _aligned(count: int) -> int:
    return -(-count // ALIGNED) * ALIGNED
