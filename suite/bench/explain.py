"""An exception in one line for a report: what it says, and the line of the user's code that led to it."""

from __future__ import annotations

import os
import re
import site
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from suite.core.errors import SuiteError
from suite.registry.settings import PACKAGE

USER, BUILT_IN, SUITE, FOREIGN = range(4)
"""Whose code a frame is, in the order in which a reader wants to be pointed at it."""

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")  # colours of a terminal
LONGEST = 600  # characters of a message that is kept whole
INSTALLED = frozenset({"site-packages", "dist-packages"})
DECLARATIONS = tuple(PACKAGE / "catalog" / room for room in ("workloads", "techniques"))


def explain(error: BaseException, otherwise: str = "") -> str:
    """What an exception says, in one line, and where: ``ValueError: no images left [/home/me/nets.py:12]``.

    The place is the last frame in the user's own code: not in installed packages, the standard library, torch or
    code that it generates, nor in the suite. Where there is none it is the last in a built-in workload or technique,
    then in the suite, then anywhere; or ``otherwise`` if that is given. Errors of the suite say themselves what to do
    and have no place.
    """
    if isinstance(error, SuiteError):
        return str(error)
    said = _said(error)
    if _is_out_of_memory(error, said):
        said = f"out of memory ({said}); free memory on the device or use a smaller workload"
    where = place(error, otherwise)
    return f"{said} [{where}]" if where else said


def _said(error: BaseException) -> str:
    """The first line, or all of what torch says of weights that do not fit: the lines after it hold their names."""
    text = ESCAPE.sub("", f"{type(error).__name__}: {error}")
    lines = [line.strip() for line in text.strip().splitlines()] or [""]
    whole = "loading state_dict" in lines[0]
    said = " ".join(lines) if whole else lines[0]
    return said if len(said) <= LONGEST or not whole else f"{said[:LONGEST]} ..."


def place(error: BaseException, otherwise: str = "") -> str:
    """File and line of the last frame of the nearest owner, in the error itself before what it came from."""
    frames = [(_owner(frame.filename), frame) for one in _chain(error) for frame in _innermost_first(one)]
    if not frames:
        return otherwise
    owner, frame = min(frames, key=lambda found: found[0])  # the first of the least
    if otherwise and owner > BUILT_IN:
        return otherwise
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


def is_built_in(filename: str) -> bool:
    """Whether code of that file is a workload or technique of the suite's."""
    return _owner(filename) == BUILT_IN


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
    """The folders of installed packages, the standard library, and torch (which may be built in place)."""
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
