"""Whether a function computes its answer anew: what it returned is overwritten, and it is called again.

A function that keeps its answer returns what was written, and so does one that works on its input in place or returns
it. A function that fills its own buffer again computes the same answer. What was there is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from suite.bench.functions.answers import NESTED

Undo = Callable[[], object]


@contextmanager
def spoilt(answer: object) -> Iterator[None]:
    """Overwrite what can be overwritten of an answer; at the end it is as it was."""
    undo = list(_overwritten(answer))
    try:
        yield
    finally:
        for put_back in undo:
            put_back()


def _overwritten(answer: Any) -> Iterator[Undo]:
    if isinstance(answer, Mapping):
        for one in answer.values():
            yield from _overwritten(one)
    elif isinstance(answer, NESTED):
        for one in answer:
            yield from _overwritten(one)
        if isinstance(answer, list) and answer and all(isinstance(one, int | float | complex) for one in answer):
            yield _list(answer)
    elif hasattr(answer, "detach"):
        with suppress(RuntimeError):  # of inference mode, or expanded
            yield _tensor(answer.detach())
    elif getattr(getattr(answer, "flags", None), "writeable", False):
        yield _array(answer)


def _list(values: list[Any]) -> Undo:
    before = list(values)
    values[:] = [float("nan")] * len(values)

    def put_back() -> None:
        values[:] = before

    return put_back


def _tensor(values: Any) -> Undo:
    before = values.clone()
    values.fill_(float("nan") if values.is_floating_point() or values.is_complex() else 99)
    return lambda: values.copy_(before)


def _array(values: Any) -> Undo:
    before = values.copy()
    values[...] = float("nan") if values.dtype.kind in "fc" else 99

    def put_back() -> None:
        values[...] = before

    return put_back
