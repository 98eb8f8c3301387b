"""Which files users' code reads: a learning rate in ``config.json`` decides a training like one in a source.

An audit hook (PEP 578) sees what Python opens. Files opened by a library in C or by other processes are not seen; the
data themselves are digested as tensors.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

SUITE = Path(__file__).parents[1]
CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".dylib", ".pth")
SYSTEM = ("/proc", "/sys", "/dev", "/etc")
LARGE = 2**28  # bytes; of a larger file size and time are taken for its content
WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC

_read: list[dict[str, None]] = []


@contextmanager
def watching() -> Iterator[dict[str, None]]:
    """Collect the names of the files that are read while the block runs, as absolute paths."""
    _install()
    found: dict[str, None] = {}
    _read.append(found)
    try:
        yield found
    finally:
        _read[:] = [other for other in _read if other is not found]


def digests(names: Mapping[str, None]) -> dict[str, str]:
    """The digest of each regular file among ``names`` that is no code and belongs to no installed package."""
    found: dict[str, str] = {}
    for name in names:
        path = Path(name)
        if _counts(path):
            content = digest(path)
            found |= {} if content is None else {name: content}
    return dict(sorted(found.items()))


def digest(path: Path) -> str | None:
    """Of a file's content, or of the size and time of a large one; ``None`` if it cannot be read."""
    try:
        stat = path.stat()
        if stat.st_size > LARGE:
            return f"{stat.st_size} {stat.st_mtime_ns}"
        return hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    except OSError:
        return None


@cache
def _install() -> None:
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Called for every event of the process: nothing may be raised or opened in here."""
    if event != "open" or not _read:
        return
    name, mode, flags = (*arguments, None, None, None)[:3]
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    if not isinstance(name, str) or (isinstance(mode, str) and "r" not in mode):
        return
    if mode is None and isinstance(flags, int) and flags & WRITES:
        return
    full = os.path.abspath(name)  # noqa: PTH100  # resolving it would open its folders
    for found in _read:
        found[full] = None


def _counts(path: Path) -> bool:
    if path.suffix in CODE or not path.is_file() or str(path).startswith(SYSTEM):
        return False
    return not any(folder in path.parents for folder in _foreign())


@cache
def _foreign() -> tuple[Path, ...]:
    """The folders of the suite, of Python and its packages, and of compilers' caches."""
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    caches = list(Path(tempfile.gettempdir()).glob("torchinductor*"))
    return (SUITE, *(Path(path) for path in paths if path), *caches)
