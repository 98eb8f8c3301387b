"""Data as a recipe loads them: splits of items in memory, and batches of them.

Shapes: ``N`` items of a split, ``B`` of a batch; what follows is the workload's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from threading import Lock, local
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from suite.core.errors import TechniqueError, UsageError
from suite.training.trees import Tree, length, take, to

if TYPE_CHECKING:
    from torch import Tensor

P = ParamSpec("P")
T = TypeVar("T")


class _Seal:
    """What the whole process does that may not read test parts; a thread may be excepted."""

    def __init__(self) -> None:
        self.lock, self.thread = Lock(), local()
        self.doing: list[str] = []
        self.broken: str = ""

    def begin(self, doing: str) -> None:
        with self.lock:
            self.doing.append(doing)

    def end(self, doing: str) -> None:
        with self.lock:
            self.doing.remove(doing)
            if not self.doing:
                self.broken = ""

    def broke(self, told: str) -> TechniqueError:
        """The error of a read, which is remembered in case that nobody hears of it."""
        with self.lock:
            if self.doing:
                self.broken = told
        return TechniqueError(told)

    @property
    def now(self) -> str:
        """What is done just now that seals the test parts for this thread; empty if nothing is."""
        with self.lock:
            return self.doing[-1] if self.doing and not self.opened else ""

    @property
    def opened(self) -> bool:
        """Whether this thread may read although something trains."""
        return bool(getattr(self.thread, "opened", False))

    def check(self) -> None:
        """Raise `TechniqueError` if somebody read a test part and went on."""
        with self.lock:
            told, self.broken = self.broken, ""
        if told:
            raise TechniqueError(told)


_SEAL = _Seal()


@contextmanager
def test_sealed(doing: str) -> Iterator[None]:
    """Let no thread read the test part of any `Splits` during the body, which does ``doing`` ("training").

    A read in another thread, or one whose error was caught, is raised when the body ends.
    """
    _SEAL.begin(doing)
    try:
        with _thread(opened=False):
            yield
        _SEAL.check()
    finally:
        _SEAL.end(doing)


@contextmanager
def test_open() -> Iterator[None]:
    """Let this thread read the test part during the body although something trains (a teacher is trained first)."""
    with _thread(opened=True):
        yield


@contextmanager
def _thread(*, opened: bool) -> Iterator[None]:
    before = _SEAL.opened
    _SEAL.thread.opened = opened
    try:
        yield
    finally:
        _SEAL.thread.opened = before


def opened(function: Callable[P, T]) -> Callable[P, T]:
    """``function`` as one that may read the test part whoever calls it: it loads data, and chooses nothing."""

    @wraps(function, assigned=(), updated=())
    def call(*args: P.args, **named: P.kwargs) -> T:
        with test_open():
            return function(*args, **named)

    return call


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

    ``validation`` is needed only where a target is to be reached. Reading ``test`` while a network is built,
    trained, finished, quantized or deployed raises `TechniqueError`, in whatever thread; what is handed out does not
    hold that part. Data that user code keeps elsewhere cannot be watched.
    """

    train: Split
    test: Split
    validation: Split | None = None

    def __post_init__(self) -> None:
        held = vars(self)["test"]
        if not isinstance(held, _Withheld):
            object.__setattr__(self, "test", _Withheld(held))

    def __getattribute__(self, name: str) -> Any:
        """The field; of ``test`` what says who reads it too early."""
        held = object.__getattribute__(self, name)
        return _PARTS.get(held, held) if name == "test" and isinstance(held, _Withheld) and not _SEAL.now else held

    def __getstate__(self) -> dict[str, Any]:
        return {found.name: getattr(self, found.name) for found in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()


class _Withheld:
    """Stands for a test part; it can be passed on and copied, and read while nothing trains.

    Pickled while something trains it holds nothing.
    """

    def __init__(self, *part: Split) -> None:
        if part:
            _PARTS[self] = part[0]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        doing = _SEAL.now or ("" if self in _PARTS else "code that received the data while something was trained")
        if doing:
            raise _SEAL.broke(
                f"{doing} reads the test part of the data ({name}): choices made on it cannot be evaluated on it: use "
                "train or validation"
            )
        return getattr(_PARTS[self], name)

    def __len__(self) -> int:
        return len(_PARTS[self]) if self in _PARTS else 0

    def __deepcopy__(self, _memo: object) -> _Withheld:
        return self

    def __reduce__(self) -> tuple[type[_Withheld], tuple[Split, ...]]:
        return _Withheld, () if _SEAL.now or self not in _PARTS else (_PARTS[self],)


_PARTS: WeakKeyDictionary[_Withheld, Split] = WeakKeyDictionary()
"""The test parts: what is handed out does not hold them."""


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
