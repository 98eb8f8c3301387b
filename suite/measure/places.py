"""New places in memory for weights and inputs: where they lie moves the time of a call by up to several percent.

What a call keeps to itself stays where it is: constants of a frozen or exported network, packed weights, the optimizer
of a training step.

A sample that stays at one place measures that place; the next process has another. So between the blocks of a sample
what is timed is copied to other addresses, at random distances, and the sample is of several places.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

MOST_PAD = 1 << 16  # bytes between two tensors: several pages, and any offset within one


@runtime_checkable
class Movable(Protocol):
    """A timed call that says which tensors it reads."""

    def tensors(self) -> Iterable[Tensor]:
        """Weights, buffers and inputs."""


def mover(calls: Iterable[object], seed: int) -> Callable[[], None] | None:
    """Moves what the ``calls`` read; ``None`` where none of them says what that is."""
    movable = [call for call in calls if isinstance(call, Movable)]
    return Places(calls=movable, seed=seed).move if movable else None


@dataclass(kw_only=True)
class Places:
    """Moves the tensors of ``calls`` on the CPU; those that share memory with another, or own a part of it, stay."""

    calls: Iterable[Movable]
    seed: int
    _pads: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # mixes, guards no secret

    def move(self) -> None:
        """Copy everything elsewhere. What lies where it lay is no fault: an allocator may give an address again."""
        pads = []
        for tensor in self._movable():
            pads.append(torch.zeros(self._random.randrange(64, MOST_PAD), dtype=torch.uint8))
            tensor.data = tensor.detach().clone()
        self._pads = pads  # the old ones are free for the next move

    def _movable(self) -> list[Tensor]:
        every = {id(leaf): leaf for call in self.calls for leaf in _leaves(call.tensors())}
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
    """Whether it is all of its storage: a copy of a part would free nothing and lie otherwise."""
    return not tensor.is_inference() and tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size() > 0
