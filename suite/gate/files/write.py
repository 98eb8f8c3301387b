"""Replace files atomically, one writer at a time."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from suite.core import files
from suite.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCK_SECONDS = 60.0


@contextlib.contextmanager
def one_writer(directory: Path, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold off other processes of this user that write expectations; `SuiteError` after ``seconds`` of waiting.

    Writing takes milliseconds, so one lock serves all folders. It lies in the system's temporary folder and stays
    there: a lock file beside each ``directory`` would litter repositories, and removing one races with who waits.
    """
    import filelock  # only who writes needs it

    lock = filelock.FileLock(_lock_path())
    try:
        lock.acquire(timeout=seconds)
    except filelock.Timeout as error:
        raise SuiteError(
            f"cannot write {directory}: another process has been writing expectations for {seconds:g} s "
            f"(it holds {lock.lock_file}); wait for it or end it, then run the command again"
        ) from error
    except OSError as error:
        raise SuiteError(
            f"cannot write {directory}: the lock {lock.lock_file} cannot be opened ({error.strerror or error}): "
            "another user's file has its name; remove it, or set TMPDIR to a folder of your own"
        ) from error
    try:
        yield
    finally:
        lock.release()


def replace_files(texts: Mapping[Path, str]) -> None:
    """Replace expectation files by texts, all or none. Raises `SuiteError` where a folder or file cannot be written."""
    try:
        files.replace_files({path: text.encode() for path, text in texts.items()})
    except OSError as error:
        raise SuiteError(
            f"cannot write {error.filename}: {error.strerror or error}; make its folder writable or record into "
            "another folder"
        ) from error


def _lock_path() -> Path:
    """One for each user: another user's file in a shared temporary folder could not be opened."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"tradeoff-suite-{user}.lock"
