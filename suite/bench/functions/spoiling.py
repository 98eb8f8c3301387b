"""Overwrite what functions hold, call them again, and put back what was there.

A function that keeps its answer returns what was written, and so does one that works on its input in place or returns
it. A function that fills its own buffer again computes the same answer. All values are saved before anything is
written, since two of them may be views of one buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from suite.bench.functions.reading import TEXT, children, is_array, is_number, is_tensor

NAN, OTHER = float("nan"), 99
UNWRITEABLE = (RuntimeError, ValueError, TypeError, OverflowError)

Undo = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Overwriting:
    """Something that can be overwritten: ``write`` does it, ``put_back`` restores what was saved; ``what`` it is."""

    what: str
    write: Callable[[], object]
    put_back: Undo


@contextmanager
def spoilt(answer: object) -> Iterator[list[str]]:
    """Overwrite what can be overwritten of an answer; at the end it is as it was. Yields what could not be."""
    with overwritten(list(overwritings(answer))) as skipped:
        yield skipped


@contextmanager
def overwritten(values: Sequence[Overwriting]) -> Iterator[list[str]]:
    """Overwrite the values, which are saved already; put them back in reverse order."""
    undo: list[Undo] = []
    skipped: list[str] = []
    try:
        for one in values:
            try:
                one.write()
            except UNWRITEABLE:
                skipped.append(one.what)
            else:
                undo.append(one.put_back)
        yield skipped
    finally:
        for put_back in reversed(undo):
            put_back()


def overwritings(answer: Any, above: frozenset[int] = frozenset()) -> Iterator[Overwriting]:
    """All that can be overwritten of an answer, saved one by one."""
    if is_tensor(answer) or is_array(answer):
        yield of_tensor(answer) if is_tensor(answer) else of_array(answer)
        return
    inner = children(answer)
    if inner is None or id(answer) in above:
        return
    for _, child in inner:
        yield from overwritings(child, above | {id(answer)})
    keys = [key for key, child in inner if is_number(child) or isinstance(child, TEXT)]
    if keys and isinstance(answer, list | dict):
        yield of_members(answer, keys)


def of_members(container: Any, keys: Sequence[Any]) -> Overwriting:
    """The numbers and texts of a list or dictionary."""
    kind = dict if isinstance(container, dict) else list
    before = {key: kind.__getitem__(container, key) for key in keys}
    length = len(container)

    def write() -> None:
        for key, value in before.items():
            kind.__setitem__(container, key, _other(value))

    def put_back() -> None:
        if kind is list and len(container) != length:  # the function has made it another list
            return
        for key, value in before.items():
            kind.__setitem__(container, key, value)

    return Overwriting(what=type(container).__name__, write=write, put_back=put_back)


def _other(value: Any) -> Any:
    if isinstance(value, TEXT):
        return value + (b"?" if isinstance(value, bytes) else "?")  # type: ignore[operator]  # of its own kind
    return NAN


def of_tensor(tensor: Any, mask: Any = None) -> Overwriting:
    """A tensor, or its elements at ``mask``; of an expanded one the memory that it shows."""
    import torch

    values = tensor.data if tensor.is_leaf or not tensor.requires_grad else tensor.detach()
    before = None
    with suppress(RuntimeError), torch.inference_mode():  # of a layout that has no elements of its own
        if mask is None:
            for dim, stride in enumerate(values.stride()):
                values = values.narrow(dim, 0, 1) if stride == 0 and values.shape[dim] > 1 else values
        before = values.clone()

    def write() -> None:
        with torch.inference_mode():  # a tensor that was made in it can be written there alone
            _fill(values, mask)

    def put_back() -> None:
        with torch.inference_mode():
            values.copy_(before)

    return Overwriting(what=f"a tensor ({tensor.layout})", write=write, put_back=put_back)


def _fill(values: Any, mask: Any) -> None:
    where = ... if mask is None else mask
    if str(values.dtype) == "torch.bool":
        values[where] = ~values[where]
    else:
        values[where] = NAN if values.is_floating_point() or values.is_complex() else OTHER


def of_array(array: Any, mask: Any = ...) -> Overwriting:
    """An array, or its elements at ``mask``; one that is read-only is opened for as long if its owner allows."""
    before = array.copy()
    kind = array.dtype.kind

    def write() -> None:
        with _open(array):
            array[mask] = ~array[mask] if kind == "b" else NAN if kind in "fc" else OTHER

    def put_back() -> None:
        with _open(array):
            array[...] = before

    return Overwriting(what="a read-only array", write=write, put_back=put_back)


@contextmanager
def _open(array: Any) -> Iterator[None]:
    """Make a read-only array writeable, from the owner of its memory down. Raises `ValueError` where that is not."""
    closed, one = [], array
    while is_array(one):
        closed += [] if one.flags.writeable else [one]
        one = one.base
    opened: list[Any] = []
    try:
        for one in reversed(closed):
            one.flags.writeable = True
            opened.append(one)
        yield
    finally:
        for one in reversed(opened):
            one.flags.writeable = False
