"""Data as a recipe loads them: splits of items in memory, and batches of them.

Shapes: ``N`` items of a split, ``B`` of a batch; what follows is the workload's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from suite.core.errors import TechniqueError, UsageError
from suite.training.trees import Tree, length, take, to

if TYPE_CHECKING:
    from torch import Tensor


_sealed: ContextVar[str] = ContextVar("sealed", default="")


@contextmanager
def test_sealed(doing: str) -> Iterator[None]:
    """Let nothing read the test part of any `Splits` during the body, which does ``doing`` ("training")."""
    token = _sealed.set(doing)
    try:
        yield
    finally:
        _sealed.reset(token)


@contextmanager
def test_open() -> Iterator[None]:
    """Let the test part be read during the body although something around it trains (a teacher is trained first)."""
    token = _sealed.set("")
    try:
        yield
    finally:
        _sealed.reset(token)


@dataclass(frozen=True, kw_only=True)
class Split:
    """One part of a data set, in memory: trees ``inputs`` and ``targets`` of N items.

    ``ids`` [N] name the items: give them where different seeds test different items (cross-validation), so that an
    item counts once however many seeds looked at it. Without them an item is its place, which is right for a fixed
    test set. Raises `UsageError` for parts of different length.
    """

    inputs: Tree
    targets: Tree
    ids: Tensor | None = None

    def __post_init__(self) -> None:
        parts = {"inputs": self.inputs, "targets": self.targets} | ({} if self.ids is None else {"ids": self.ids})
        sizes = {name: length(part) for name, part in parts.items()}
        if len(set(sizes.values())) > 1:
            raise UsageError(f"a split needs as many inputs as targets, got {sizes}")

    def __len__(self) -> int:
        return length(self.inputs)

    def to(self, device: str) -> Split:
        """The same data on ``device``."""
        return Split(inputs=to(self.inputs, device), targets=to(self.targets, device), ids=self.ids)

    def first(self, count: int) -> Split:
        """The first ``count`` items."""
        return self.chosen(slice(count))

    def chosen(self, items: slice | Tensor) -> Split:
        """These ``items``, a slice or places [M]."""
        ids = None if self.ids is None else self.ids[items]
        return Split(inputs=take(self.inputs, items), targets=take(self.targets, items), ids=ids)


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Disjoint parts of the data. Nothing may be chosen on ``test``; ``train`` serves calibration too.

    ``validation`` is needed only where a target is to be reached. Reading ``test`` while a network is trained, finished
    or quantized raises `TechniqueError`; data that user code keeps elsewhere cannot be watched.
    """

    train: Split
    test: Split
    validation: Split | None = None

    def __getattribute__(self, name: str) -> Any:
        """The field; what ``test`` holds says who reads it too early."""
        value = object.__getattribute__(self, name)
        return _Sealed(value) if name == "test" and _sealed.get() else value


class _Sealed:
    """Stands for a test part while nothing may read it; it can be passed on, and read afterwards."""

    def __init__(self, part: Split) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        if _sealed.get():
            raise TechniqueError(
                f"{_sealed.get()} reads the test part of the data ({name}): choices made on it cannot be evaluated on "
                "it: use train or validation"
            )
        return getattr(self._part, name)

    def __len__(self) -> int:
        return len(self._part)


def held_out(train: Split, test: Split, share: int) -> Splits:
    """Three parts of published train and test data: the last training items, one in ``share``, validate."""
    held = len(train) // share
    return Splits(train=train.chosen(slice(-held)), validation=train.chosen(slice(-held, None)), test=test)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Trees ``inputs`` and ``targets`` of the B items of one training step."""

    inputs: Tree
    targets: Tree

    def __len__(self) -> int:
        return length(self.inputs)
