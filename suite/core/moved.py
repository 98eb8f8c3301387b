"""Modules that had another name: imports of the old name work, with a warning that says the new one."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType

MOVED = {
    "suite.benchmarks": "suite.bench.benchmarks",
    "suite.composition": "suite.core.composition",
    "suite.datasets": "suite.catalog.datasets",
    "suite.errors": "suite.core.errors",
    "suite.intervals": "suite.core.stats.intervals",
    "suite.metrics": "suite.core.metrics",
    "suite.plan": "suite.analysis.plan",
    "suite.records": "suite.core.records",
    "suite.scores": "suite.catalog.scores",
    "suite.settings": "suite.registry.settings",
    "suite.techniques": "suite.catalog.techniques",
    "suite.workloads": "suite.catalog.workloads",
    "suite.zoo": "suite.catalog.zoo",
}
"""Old names that the documentation has shown; what lies below a package has moved with it."""


class MovedFinder(importlib.abc.MetaPathFinder):
    """Finds a module of an old name where it is now."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module under its new name; ``None`` for every other name."""
        new = new_name(fullname)
        if new is None:
            return None
        if _hides(new):
            raise ModuleNotFoundError(f"{fullname} is called {new} now; import that", name=fullname)
        warnings.warn(f"the module {fullname} is called {new} now; import that", FutureWarning, stacklevel=2)
        return importlib.machinery.ModuleSpec(fullname, _Alias(new), is_package=_is_package(new))


class _Alias(importlib.abc.Loader):
    def __init__(self, new: str) -> None:
        self.new = new

    def create_module(self, _spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.new)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It was executed under its new name; the import system must not leave the old one in it."""
        module.__spec__ = self.spec


def _is_package(name: str) -> bool:
    return hasattr(importlib.import_module(name), "__path__")


def _hides(name: str) -> bool:
    """Whether its package has something else of that name, which the import of an old one would replace."""
    package, _, leaf = name.rpartition(".")
    module = importlib.import_module(name)
    return getattr(importlib.import_module(package), leaf, module) is not module


def new_name(name: str) -> str | None:
    """What a module is called now, if it has moved."""
    if not name.startswith("suite."):  # every import of the process comes by
        return None
    old = next((old for old in MOVED if name == old or name.startswith(f"{old}.")), None)
    return None if old is None else MOVED[old] + name.removeprefix(old)


def install() -> None:
    """Let old names be found, first of all: or a file below a package that has moved would be loaded a second time."""
    if not any(isinstance(finder, MovedFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedFinder())
