"""Arrays and lists that a function reaches, so that it may keep something in them between calls.

They are looked for in closures, defaults, globals that the code names, attributes, containers and `functools.cache`, of
the user's own modules. A call may fill a buffer, but not read what a call before left there: what has changed since
the start is overwritten, and the function is called again.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from suite.bench.functions.reading import children, is_array, is_flat, is_number, is_tensor
from suite.bench.functions.spoiling import Overwriting, of_array, of_members, of_tensor

MOST = 20_000  # objects that are looked at
LARGEST = 2**28  # bytes of a value that is copied; larger ones are not looked at
FEWEST = 8  # numbers: shorter lists are counters
INSTALLED = ("site-packages", "dist-packages")
CACHES = ("_lru_cache_wrapper", "_lru_list_elem")  # of functools

Named = tuple[str, Any]


@dataclass(frozen=True)
class Reached:
    """What a function reached before any call: each value with a copy of it, by identity."""

    before: Mapping[int, tuple[Any, Any]]

    @classmethod
    def by(cls, call: object) -> Reached:
        """The values that ``call`` reaches now."""
        return cls({id(value): (value, _copy(value)) for _, value in values(call)})

    def changed(self, call: object) -> list[tuple[str, Overwriting]]:
        """Name and place of what ``call`` reaches now and is new, or differs from what it was."""
        found = ((name, self._difference(value)) for name, value in values(call))
        return [(name, one) for name, one in found if one is not None]

    def _difference(self, value: Any) -> Overwriting | None:
        """What of a value has changed; `None` if nothing has."""
        _, copy = self.before.get(id(value), (None, None))
        if isinstance(value, list):
            keys = range(len(value)) if copy is None else [k for k, v in enumerate(value) if _differs(copy, k, v)]
            return of_members(value, list(keys)) if keys else None
        make = of_tensor if is_tensor(value) else of_array
        if copy is None or copy.shape != value.shape or copy.dtype != value.dtype:
            return make(value)
        mask = (copy != value) & ~(_is_nan(copy) & _is_nan(value))
        return make(value, mask) if bool(mask.any()) else None


def _is_nan(value: Any) -> Any:
    return value != value  # noqa: PLR0124  # of arrays and tensors alike


def _differs(copy: list[Any], key: int, value: Any) -> bool:
    return key >= len(copy) or copy[key] is not value


def values(call: object) -> Iterator[Named]:
    """The arrays, tensors and long lists of numbers that ``call`` reaches, with the names that lead there."""
    return ((name, value) for name, value in reached(call) if _is_data(value))


def constants(call: object) -> list[object]:
    """The constants of the code that ``call`` reaches: a function may return one without having kept it."""
    codes = [code for _, value in reached(call) if isinstance(value, FunctionType) for code in _codes(value.__code__)]
    return [constant for code in codes for constant in code.co_consts]


def reached(call: object) -> Iterator[Named]:
    """All objects that ``call`` reaches, itself first."""
    seen: dict[int, Any] = {}
    todo: list[Named] = [("", call)]
    while todo and len(seen) < MOST:
        name, value = todo.pop()
        if id(value) in seen or isinstance(value, str | bytes | int | float | complex | type(None)):
            continue
        seen[id(value)] = value  # alive, so that no other object gets its identity
        yield name, value
        if not _is_data(value):
            todo += [(_joined(name, inner), one) for inner, one in _within(value)]


def _joined(name: str, inner: str) -> str:
    return f"{name}{inner}" if not inner or inner[0] in "[." else inner


def _is_data(value: Any) -> bool:
    if is_tensor(value):
        return value.layout is _strided() and not value.is_meta and value.nbytes <= LARGEST
    if is_array(value):
        return value.dtype.kind in "biufc" and value.nbytes <= LARGEST
    return type(value) is list and len(value) >= FEWEST and is_number(value[0]) and is_flat(value)


def _strided() -> Any:
    return sys.modules["torch"].strided


def _copy(value: Any) -> Any:
    if is_tensor(value):
        return value.detach().clone()
    return value.copy()


def _within(value: Any) -> Iterator[Named]:
    """What an object holds, with the name of each."""
    if isinstance(value, FunctionType):
        yield from _of_function(value)
    elif isinstance(value, MethodType):
        yield from (("", value.__self__), ("", value.__func__))
    elif isinstance(value, functools.partial):
        yield from (("", value.func), ("", value.args), ("", value.keywords))
    elif type(value).__name__ in CACHES:
        yield from (("functools.cache", one) for one in gc.get_referents(value))
    elif isinstance(value, property | classmethod | staticmethod):
        yield "", value.fget if isinstance(value, property) else value.__func__
    elif (inner := children(value)) is not None:
        yield from ((f"[{key!r}]" if isinstance(key, str) else "", one) for key, one in inner[:MOST])
    elif not isinstance(value, ModuleType):
        yield from _of_object(value)


def _of_function(function: FunctionType) -> Iterator[Named]:
    code, foreign = function.__code__, _is_foreign(function.__module__)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # a variable that has no value yet
            if not foreign or isinstance(cell.cell_contents, FunctionType):  # a decorator holds the user's function
                yield name, cell.cell_contents
    if foreign:
        return
    yield from (("a default", one) for one in function.__defaults__ or ())
    yield from (function.__kwdefaults__ or {}).items()
    yield from vars(function).items()
    names = {name for one in _codes(code) for name in one.co_names}
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        if isinstance(value, ModuleType) and not _is_foreign(value.__name__):
            yield from ((f"{name}.{inner}", vars(value)[inner]) for inner in names & vars(value).keys())
        yield name, value


def _of_object(value: Any) -> Iterator[Named]:
    """Attributes of an object, or a class, of the user's."""
    kind = value if isinstance(value, type) else type(value)
    if _is_foreign(getattr(kind, "__module__", "")):
        return
    own = getattr(value, "__dict__", None)
    if own is not None:
        yield from ((f".{name}", one) for name, one in dict(own).items())
    for base in kind.__mro__:
        if not _is_foreign(base.__module__):
            yield from ((f".{name}", one) for name, one in dict(vars(base)).items() if not name.startswith("__"))
            slots = [name for name, one in vars(base).items() if type(one).__name__ == "member_descriptor"]
            yield from ((f".{name}", getattr(value, name, None)) for name in slots)
    yield "", vars(kind).get("__call__")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _is_foreign(module: object) -> bool:
    """Whether a module is Python's, an installed package's or the suite's own."""
    top = str(module).partition(".")[0]
    if top in sys.stdlib_module_names or top == "suite":
        return True
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return any(folder in file for folder in INSTALLED)
