"""The table of facts, filled by the files beside this one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from suite.claims.quantities import Quantity
from suite.core.errors import RegistrationError

Function = Callable[..., float | Quantity]
F = TypeVar("F", bound=Function)


@dataclass(frozen=True, kw_only=True)
class ClaimFact:
    """A function that a predicate may call by ``name``: numbers and texts to a figure.

    ``slow`` facts train or time something and are left out of a quick ledger. ``local`` ones say what this machine has
    and does, and nothing of another one. It raises `UnavailableError` where it cannot be had here.
    """

    name: str
    compute: Function
    slow: bool = False
    local: bool = False


_DECLARED: dict[str, ClaimFact] = {}


def fact(function: F) -> F:
    """Declare a function of this folder as a fact, under its own name."""
    return _declare(function)


def local_fact(function: F) -> F:
    """A fact of this machine: its hardware, its packages, what a program does on it."""
    return _declare(function, local=True)


def slow_fact(function: F) -> F:
    """A fact that takes more than a few seconds: it is trained or timed, so it is this machine's."""
    return _declare(function, slow=True, local=True)


def _declare(function: F, *, slow: bool = False, local: bool = False) -> F:
    name = function.__name__
    if name in _DECLARED and _DECLARED[name].compute.__module__ != function.__module__:
        raise RegistrationError(f"the fact {name} is declared twice: in {_DECLARED[name].compute.__module__} too")
    _DECLARED[name] = ClaimFact(name=name, compute=function, slow=slow, local=local)
    return function


@cache
def _load() -> None:
    for found in pkgutil.iter_modules([str(Path(__file__).parent)]):
        importlib.import_module(f"suite.claims.facts.{found.name}")


class _Facts(Mapping[str, ClaimFact]):
    """By name; the files of this folder are imported when it is first read."""

    def __getitem__(self, name: str) -> ClaimFact:
        _load()
        return _DECLARED[name]

    def __iter__(self) -> Iterator[str]:
        _load()
        return iter(_DECLARED)

    def __len__(self) -> int:
        _load()
        return len(_DECLARED)


FACTS: Mapping[str, ClaimFact] = _Facts()
