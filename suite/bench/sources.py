"""A digest of the code that figures come from: the suite's, the user's, and what the user's imported of their own.

A run may only be resumed with the code that began it; a commit does not tell (no repository, changes not committed).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from suite import __version__
from suite.core.errors import SetupError
from suite.registry.settings import PACKAGE, settings_file

INSTALLED = frozenset({"site-packages", "dist-packages"})
PROJECT = (".git", "pyproject.toml", "setup.py")
LENGTH = 16
VARIABLE = re.compile(r"""(?:environ(?:\.get|\.setdefault)?\s*[\[(]|getenv\s*\()\s*['"](\w+)['"]""")


def digest(modules: Iterable[str | Path], *, directory: Path | None = None) -> str:
    """The first 16 hexadecimal digits of a SHA-256 over the sources that are loaded.

    ``modules`` are the user's, by dotted name or ``.py`` file. Every module of `sys.modules` below their folders, or
    below the project around ``directory`` (the working directory), counts too. Installed packages and the standard
    library do not; a given package that is installed counts itself. Names are relative and the order of imports does
    not matter, so that two checkouts of the same code agree. The values of environment variables that the user's files
    name count as well. What is imported later is not seen. Raises `SetupError` for a module that cannot be found.
    """
    given = [_file(module) for module in modules]
    project = _project((directory or Path.cwd()).resolve())
    folders = sorted({project, *(_folder(file) for file in given)}, key=lambda folder: len(folder.parts))
    files = {file for file in [*given, *_loaded(folders)] if not _below(file, PACKAGE) and _is_users(file, folders)}
    parts = [*_contents(files, folders), *_contents(PACKAGE.rglob("*.py"), [PACKAGE.parent])]
    found = hashlib.sha256(f"{__version__}\n".encode())
    for name, content in sorted([*parts, *_environment(files)]):
        found.update(f"{name}\0{content}\n".encode())
    return found.hexdigest()[:LENGTH]


def _environment(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """The environment variables that the files name, with their values: a training may depend on them."""
    named = {name for file in files for name in VARIABLE.findall(file.read_text("utf-8", errors="replace"))}
    yield from ((f"${name}", repr(os.environ.get(name))) for name in named)


def _contents(files: Iterable[Path], folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """The relative name of each file and the digest of what it holds."""
    folders = list(folders)
    for file in files:
        root = next(folder for folder in folders if _below(file, folder))  # the outermost
        try:
            content = file.read_bytes()
        except OSError as error:
            raise SetupError(f"cannot read {file}, which is loaded: {error.strerror}; is it being changed?") from error
        yield file.relative_to(root).as_posix(), hashlib.sha256(content).hexdigest()


def _file(module: str | Path) -> Path:
    name = str(module)
    if isinstance(module, Path) or name.endswith(".py"):
        found = Path(name)
    else:
        found = Path(_loaded_file(sys.modules.get(name)) or _origin(name) or name)
    if not found.is_file():
        raise SetupError(f"cannot find the source of {name!r}; correct it in [tool.tradeoff-suite] load or --load")
    return found.resolve()


def _origin(name: str) -> str | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return spec.origin if spec is not None and spec.has_location else None


def _folder(file: Path) -> Path:
    """The folder from which a module imports its neighbours: the parent of its outermost package."""
    folder = file.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    if INSTALLED.isdisjoint((folder.name,)):
        return folder
    return folder / file.relative_to(folder).parts[0]  # an installed package, without its neighbours


def _project(directory: Path) -> Path:
    """The folder of the settings, else of the repository or package around ``directory``, else that itself."""
    settings = settings_file(directory)
    if settings is not None:
        return settings.parent
    around = (folder for folder in (directory, *directory.parents) if any((folder / name).exists() for name in PROJECT))
    return next(around, directory)


def _loaded(folders: Iterable[Path]) -> Iterator[Path]:
    """The files of loaded modules that may lie below ``folders``.

    The thousands that torch and the standard library load are told by their text: resolving each takes a second.
    """
    ours = tuple(f"{folder}{os.sep}" for folder in folders)
    theirs = (sysconfig.get_paths()["stdlib"], *(f"{os.sep}{name}{os.sep}" for name in INSTALLED))
    for module in list(sys.modules.values()):
        file = _loaded_file(module)
        if file is None or (not file.startswith(ours) and any(part in file for part in theirs)):
            continue
        if Path(file).is_file():
            yield Path(file).resolve()


def _loaded_file(module: object) -> str | None:
    if not isinstance(module, ModuleType):
        return None
    file = object.__getattribute__(module, "__dict__").get("__file__")  # must not wake a lazy module
    return file if isinstance(file, str) else None


def _is_users(file: Path, folders: Iterable[Path]) -> bool:
    inside = [folder for folder in folders if _below(file, folder)]
    innermost = inside[-1] if inside else None
    if innermost is None:
        return False
    return INSTALLED.isdisjoint(file.relative_to(innermost).parts) and not _is_standard(file)


def _is_standard(file: Path) -> bool:
    standard = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
    return any(_below(file, folder) for folder in standard) and INSTALLED.isdisjoint(file.parts)


def _below(file: Path, folder: Path) -> bool:
    return file == folder or folder in file.parents
