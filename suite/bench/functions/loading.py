"""Functions that ``file.py:name`` names, each file with the modules of its own folder.

Two checkouts have files of the same names. So a module beside a file is forgotten once the file is loaded, and an
import within a function finds it by its folder; where both folders have a module of that name, it is refused.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from suite.core.errors import UsageError, unknown


def function(text: str) -> Callable[[], Any]:
    """The function that ``file.py:name`` names. Raises `UsageError` where there is none."""
    file, colon, name = text.rpartition(":")
    path = Path(file).resolve()
    if not colon or not path.is_file():
        raise UsageError(f"{text!r} names no function of a file; write it as old.py:norm")
    module = _loaded(path)
    found = getattr(module, name, None)
    if not callable(found):
        raise unknown(f"function of {file}", name, [key for key, value in vars(module).items() if callable(value)])
    return found  # type: ignore[no-any-return]


class NeighbourFinder:
    """Finds what a function imports from the folder of its file, after all other finders."""

    def __init__(self) -> None:
        self.folders: list[Path] = []

    def add(self, folder: Path) -> None:
        """Look into one more folder."""
        if folder not in self.folders:
            self.folders.append(folder)
        if self not in sys.meta_path:
            sys.meta_path.append(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of that name in the only folder that has it. Raises `ImportError` where several have one."""
        if path is not None:
            return None  # a part of a package, which is found already
        found = [spec for folder in self.folders if (spec := PathFinder.find_spec(name, [str(folder)], target))]
        if len(found) > 1:
            raise ImportError(
                f"both files have a module {name!r} beside them, and a function imports it when it is called; import "
                "it at the top of its file"
            )
        return found[0] if found else None


NEIGHBOURS = NeighbourFinder()


def _loaded(path: Path) -> Any:
    """The module of a file, whose folder is on the import path as if it were run."""
    name = f"_timed_{path.stem}_{abs(hash(path))}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise UsageError(f"{path} is no Python file")
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        try:
            with _beside(path.parent):
                spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        NEIGHBOURS.add(path.parent)
    return sys.modules[name]


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """What a file imports from its own folder is that file's alone: the other one may have a module of that name."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):  # the file may have taken it out
            sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder) and not name.startswith("_timed_"):
                del sys.modules[name]
        importlib.invalidate_caches()
