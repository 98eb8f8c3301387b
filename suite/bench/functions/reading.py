"""What an answer holds, read without running code of its own.

Only types that are exactly known are read: an object that computes when somebody looks at it would be timed before its
work is done.
"""

from __future__ import annotations

import concurrent.futures
import inspect
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from suite.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT = (str, bytes)
SETS = (set, frozenset)
CONTAINERS: dict[type, tuple[str, ...]] = {
    dict: ("__iter__", "__getitem__", "__len__", "keys", "values", "items"),
    list: ("__iter__", "__getitem__", "__len__"),
    tuple: ("__iter__", "__getitem__", "__len__"),
}
"""By container, what a subclass that computes its content would replace."""
READABLE = ("__iter__", "__getitem__", "__next__", "__array__", "detach")
WANTED = "return numbers, text, arrays of numpy or tensors of torch, in any nesting"
EXACT_FLOATS = 2**53  # integers up to here are exact in double precision


def check_answer(name: str, answer: object, *, speed_only: bool = False) -> None:
    """Raise `UsageError` for an answer whose work may not be done: it is computed when somebody reads it.

    With ``speed_only`` answers of unknown types pass; a coroutine, an iterator or a future never does.
    """
    for _, leaf in _leaves_or_itself(answer):
        kind = _pending(leaf)
        if kind:
            raise UsageError(f"the {name} returns {kind}, so calling it computes nothing; {_mend(kind)}")
        if not speed_only and (why := _lazy(leaf)):
            raise UsageError(
                f"the {name} returns {why}, whose work may not be done when it is returned; {WANTED}, or compare the "
                "speed alone (speed_only=True, --speed-only)"
            )


def leaves(answer: object, place: str = "", above: frozenset[int] = frozenset()) -> Iterator[tuple[str, Any]]:
    """The innermost values of an answer with their places; a list of numbers alone, or of text alone, is one value.

    Raises `TypeError` for a container that holds itself.
    """
    if id(answer) in above:
        raise TypeError(f"{type(answer).__name__} that contains itself; {WANTED}")
    inner = None if is_flat(answer) else children(answer)
    if inner is None:
        yield place, answer
        return
    for key, child in inner:
        yield from leaves(child, f"{place}[{key!r}]", above | {id(answer)})


def children(answer: Any) -> list[tuple[Any, Any]] | None:
    """Key and value of each member of a container that is exactly known, or a nested tensor; `None` of others."""
    if isinstance(answer, dict) and (type(answer) is OrderedDict or _reads_as(answer, dict)):
        return list(dict.items(answer))
    if isinstance(answer, list) and _reads_as(answer, list):
        return list(enumerate(list.__iter__(answer)))
    if isinstance(answer, tuple) and _reads_as(answer, tuple):
        return list(enumerate(tuple.__iter__(answer)))
    return list(enumerate(answer.unbind())) if is_tensor(answer) and answer.is_nested else None


def is_flat(answer: object) -> bool:
    """Whether an answer is a list or tuple of numbers alone, or of text alone, which is read as one array."""
    if isinstance(answer, list) and _reads_as(answer, list):
        kinds = set(map(type, list.__iter__(answer)))
    elif isinstance(answer, tuple) and _reads_as(answer, tuple):
        kinds = set(map(type, tuple.__iter__(answer)))
    else:
        return False
    return all(map(_is_kind_of_number, kinds)) or all(issubclass(kind, TEXT) for kind in kinds)


def is_number(value: object) -> bool:
    """Whether it is a number of Python's or a scalar of numpy's."""
    return _is_kind_of_number(type(value))


def _is_kind_of_number(kind: type) -> bool:
    if issubclass(kind, int | float | complex):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, numpy.number | numpy.bool_)


def is_array(value: Any) -> bool:
    """Whether it is an array of numpy whose type is exactly known."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) in (numpy.ndarray, numpy.matrix)


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of torch whose type is exactly known."""
    torch = sys.modules.get("torch")
    return torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter)


def content(value: Any) -> NDArray[Any] | object:
    """A copy of a leaf: an array of numbers, or text, `None` and dates as they compare.

    Raises `TypeError` for what cannot be read.
    """
    import numpy as np

    if value is None or isinstance(value, TEXT):
        return value
    if type(value) in SETS and all(is_number(one) or isinstance(one, TEXT) for one in value):
        return frozenset(value)
    if is_flat(value):
        return tuple(value) if len(value) and isinstance(value[0], TEXT) else _exact(value)
    if is_number(value):
        return _exact([value]).reshape(())
    if is_tensor(value):
        return np.array(_on_host(value))
    if not (is_array(value) or isinstance(value, np.generic)) or value.dtype.kind in "OV":
        raise TypeError(f"{type(value).__name__}; {WANTED}")
    array = np.asarray(value)
    return _converted(array) if array.dtype.kind in "biufc" else (array.shape, repr(array.tolist()))


def _leaves_or_itself(answer: object) -> list[tuple[str, Any]]:
    try:
        return list(leaves(answer))
    except (TypeError, RecursionError):  # `answers.held` says why
        return []


def _pending(answer: Any) -> str:
    """What has still to be computed, with its article; empty for anything else."""
    if inspect.iscoroutine(answer):
        answer.close()
        return "a coroutine"
    if inspect.isgenerator(answer) or inspect.isasyncgen(answer):
        return "a generator"
    if isinstance(answer, concurrent.futures.Future):
        return "a future"
    if inspect.isawaitable(answer):
        return "an awaitable"
    if is_tensor(answer) and answer.is_meta:
        return "a tensor on 'meta'"
    return f"an iterator ({type(answer).__name__})" if isinstance(answer, Iterator | AsyncIterator) else ""


def _mend(kind: str) -> str:
    if "meta" in kind:
        return "compute on a device"
    return "return a list" if "generator" in kind or "iterator" in kind else "run it to its end within"


def _lazy(leaf: Any) -> str:
    """Why a leaf may be computed when somebody reads it; empty if it may not."""
    known = leaf is None or is_number(leaf) or is_array(leaf) or is_tensor(leaf) or is_flat(leaf)
    if known or isinstance(leaf, TEXT) or type(leaf) in SETS or _is_scalar(leaf):
        return ""
    kind = type(leaf)
    return f"{kind.__module__}.{kind.__qualname__}" if any(hasattr(kind, name) for name in READABLE) else ""


def _is_scalar(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def _reads_as(answer: object, base: type) -> bool:
    return all(getattr(type(answer), name) is getattr(base, name) for name in CONTAINERS[base])


def _exact(numbers: Any) -> NDArray[Any]:
    """A list of numbers as an array; integers that double precision cannot hold stay integers."""
    import numpy as np

    kinds = set(map(type, numbers))
    if not kinds or not all(issubclass(kind, int | np.integer) for kind in kinds):
        return _converted(np.asarray(numbers))
    if max(map(abs, map(int, numbers))) <= EXACT_FLOATS:
        return _converted(np.asarray(numbers))
    return np.array(list(map(int, numbers)), dtype=object)


def _converted(array: NDArray[Any]) -> NDArray[Any]:
    """A copy, of numbers that are not whole in double precision or better."""
    import numpy as np

    kinds = {"f": np.float64, "c": np.complex128}
    kind = kinds.get(array.dtype.kind)
    return np.array(array, dtype=array.dtype if kind is None else np.result_type(array.dtype, kind))


def _on_host(tensor: Any) -> Any:
    """A tensor of any layout as an array. Raises `TypeError` where torch cannot copy it."""
    import torch

    try:
        held = tensor.detach()
        held = held.dequantize() if held.is_quantized else held
        held = held.to_dense() if held.layout is not torch.strided else held
        held = held.cpu().resolve_conj().resolve_neg()
        wider = torch.complex128 if held.is_complex() else torch.float64
        return (held.to(wider) if held.is_complex() or held.is_floating_point() else held).numpy()
    except RuntimeError as error:  # NotImplementedError is one
        said = str(error).splitlines()[0]
        raise TypeError(f"a tensor ({tensor.dtype} on {tensor.device}) cannot be copied to the host: {said}") from error
