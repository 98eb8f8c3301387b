"""Families of learning and scaling curves: every module of this package that defines one adds to `FAMILIES`."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

from suite.core.errors import RegistrationError, UsageError, unknown
from suite.curves.families.curve import Curve, CurveError

__all__ = ["FAMILIES", "Curve", "CurveError", "family"]


def _defined() -> list[type[Curve]]:
    """The concrete families of this package's modules, each where it is defined."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        members = vars(import_module(f"{__name__}.{module.name}")).values()
        found += [cls for cls in members if _is_family(cls) and cls.__module__ == f"{__name__}.{module.name}"]
    return found


def _is_family(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, Curve) and not inspect.isabstract(thing)


def by_name(classes: Iterable[type[Curve]]) -> Mapping[str, type[Curve]]:
    """Families by their name. Raises `RegistrationError` where two have the same."""
    families: dict[str, type[Curve]] = {}
    for cls in classes:
        if cls.name in families:
            both = f"{families[cls.name].__qualname__} and {cls.__qualname__}"
            raise RegistrationError(f"two families are called {cls.name!r}: {both}; rename one")
        families[cls.name] = cls
    return MappingProxyType(families)


FAMILIES = by_name(_defined())


def family(name: str | type[Curve]) -> type[Curve]:
    """The family called ``name``; a class of one's own is its own. Raises `UsageError` for neither."""
    if isinstance(name, str):
        if name not in FAMILIES:
            raise unknown("family", name, FAMILIES)
        return FAMILIES[name]
    if not _is_family(name):
        raise UsageError(f"a family is a name or a concrete subclass of Curve, got {name!r}")
    return name
