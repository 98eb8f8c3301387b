"""An exception in one line for a report: what it says, and the line of the user's code that led to it."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from suite.errors import SuiteError
from suite.settings import PACKAGE

USER, BUILT_IN, SUITE, FOREIGN = range(4)
"""Whose code a frame is, in the order in which a reader wants to be pointed at it."""

INSTALLED = frozenset({"site-packages", "dist-packages"})
DECLARATIONS = tuple(PACKAGE / room for room in ("workloads", "techniques"))


def explain(error: BaseException) -> str:
    """What an exception says, in one line, and where: ``ValueError: no images left [/home/me/nets.py:12]``.

    The place is the last frame in the user's own code: not in installed packages, the standard library, torch or
    code that it generates, nor in the suite. Where there is none it is the last in a built-in workload or technique,
    then in the suite, then anywhere. Errors of the suite say themselves what to do and have no place.
    """
    if isinstance(error, SuiteError):
        return str(error)
    said = (f"{type(error).__name__}: {error}".strip().splitlines() or [""])[0]
    if _is_out_of_memory(error, said):
        said = f"out of memory ({said}); free memory on the device or use a smaller workload"
    place = _place(error)
    return f"{said} [{place}]" if place else said


def _place(error: BaseException) -> str:
    """File and line of the last frame of the nearest owner, in the error itself before what it came from."""
    frames = [(_owner(frame.filename), frame) for one in _chain(error) for frame in _innermost_first(one)]
    if not frames:
        return ""
    _, frame = min(frames, key=lambda found: found[0])  # the first of the least
    return f"{frame.filename}:{frame.lineno}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)


def _innermost_first(error: BaseException) -> Iterator[traceback.FrameSummary]:
    return reversed(traceback.extract_tb(error.__traceback__))


@cache
def _owner(filename: str) -> int:
    if filename.startswith("<"):  # frozen modules, torch.fx, exec
        return FOREIGN
    path = Path(filename).resolve()
    if _below(path, PACKAGE):
        return BUILT_IN if any(_below(path, folder) for folder in DECLARATIONS) else SUITE
    foreign = INSTALLED.intersection(path.parts) or any(_below(path, folder) for folder in _foreign_folders())
    return FOREIGN if foreign or "torchinductor" in _generated_in(path) else USER


def _foreign_folders() -> list[Path]:
    """Installed packages, the standard library, and torch (which may be built in place), wherever they lie."""
    standard = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    torch = getattr(sys.modules.get("torch"), "__file__", None)
    cache_folder = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    found = [*standard, *site.getsitepackages(), *([str(Path(torch).parent)] if torch else []), cache_folder]
    return [Path(name).resolve() for name in found if name]


def _generated_in(path: Path) -> str:
    """The folder right below the temporary one, where torch's compiler writes code by default."""
    temporary = Path(tempfile.gettempdir()).resolve()
    return path.relative_to(temporary).parts[0] if _below(path, temporary) else ""


def _below(path: Path, folder: Path) -> bool:
    return folder in path.parents


def _is_out_of_memory(error: BaseException, said: str) -> bool:
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"  # torch's own
    return named or "out of memory" in said.lower() or "can't allocate memory" in said
