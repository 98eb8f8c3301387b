"""Files that a killed process leaves whole: replaced atomically, or lines of JSON that are only added to."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

BATCH = 100_000  # lines that are written at once
LONGEST_NAME = 200  # file systems allow 255 bytes; the rest is for what a temporary name adds


def replace_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace ``path`` by ``content`` as a whole or not at all; a ``private`` file is its owner's alone.

    Raises `OSError` about ``path`` where it cannot be written.
    """
    replace_files({path: content}, private=private)


def replace_files(contents: Mapping[Path, bytes], *, private: bool = False) -> None:
    """Write each content beside its file, then replace the files; a failure while writing replaces none.

    Folders are made. A replaced file keeps its mode. Raises `OSError` about the file that cannot be written.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            with about(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                staged[path] = beside(path)
                _write(staged[path], content, private=private)
                if path.exists() and not private:
                    shutil.copymode(path, staged[path])
        for path, temporary in staged.items():
            with about(path):
                os.replace(temporary, path)  # noqa: PTH105  # the atomic step, under the name that is known for it
    finally:
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def beside(path: Path) -> Path:
    """A new name in the same folder: a file can only be replaced atomically within its file system."""
    return path.with_name(f".{path.name[:LONGEST_NAME]}.{secrets.token_hex(8)}.tmp")


@contextmanager
def about(path: Path) -> Iterator[None]:
    """An `OSError` in the body is about ``path``: a temporary file's name would tell nobody which file is meant."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def _write(path: Path, content: bytes, *, private: bool) -> None:
    with path.open("xb") as file:
        if private:
            path.chmod(0o600)
        file.write(content)
        sync(file)


def sync(file: BinaryIO) -> None:
    """Let what was written reach the disk."""
    file.flush()
    os.fsync(file.fileno())


# -- lines of JSON ----------------------------------------------------------------------------------------------------


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and text of each line; a last line that a killed process left unfinished is left out.

    Raises `OSError` where the file cannot be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield number, line[:-1]
            elif is_whole(line):
                yield number, line


def append_lines(path: Path, lines: Iterable[bytes], *, keeps_torn: bool = False) -> None:
    """Add the lines at once and sync them; nothing is glued to a line that a killed process left unfinished.

    That line is dropped, or kept and ended with ``keeps_torn``. Raises `OSError` where the file cannot be written.
    """
    with path.open("a+b") as file:
        _end_last_line(file, keeps_torn=keeps_torn)
        for some in _batches(lines):
            file.write(b"".join(line + b"\n" for line in some))
        sync(file)


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Many lines at a time, so that very many need little memory; all of what a run writes is one batch."""
    waiting = iter(lines)
    while some := list(islice(waiting, BATCH)):
        yield some


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for other writers of ``path``, by a lock on a hidden file beside it."""
    from filelock import FileLock  # only who writes needs it

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield


def is_whole(line: bytes) -> bool:
    """Whether a line without its end is all there: no true beginning of a JSON object is JSON itself."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _end_last_line(file: BinaryIO, *, keeps_torn: bool) -> None:
    if file.seek(0, os.SEEK_END) == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) == b"\n":
        return
    file.seek(0)
    content = file.read()
    tail = content.rpartition(b"\n")[2]
    if keeps_torn or is_whole(tail):
        file.write(b"\n")
    else:
        file.truncate(len(content) - len(tail))
