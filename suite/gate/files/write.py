"""Replace files atomically, one writer at a time."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

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
    """Write each text beside its file, then replace the files; a failure while writing replaces none.

    Raises `SuiteError` where a folder or file cannot be written.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            staged[path] = _temporary(path)
            _write(staged[path], text, like=path)
        for path, temporary in staged.items():
            os.replace(temporary, path)  # noqa: PTH105  # the atomic step, under the name that is known for it
    except OSError as error:
        # the temporary file's name would tell nobody which file is meant
        named = {str(temporary): path for path, temporary in staged.items()}
        path = named.get(str(error.filename), error.filename)
        raise SuiteError(
            f"cannot write {path}: {error.strerror or error}; make its folder writable or record into another folder"
        ) from error
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _lock_path() -> Path:
    """One for each user: another user's file in a shared temporary folder could not be opened."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"tradeoff-suite-{user}.lock"


def _temporary(path: Path) -> Path:
    """A new name in the same folder: a file can only be replaced atomically within its file system."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _write(path: Path, text: str, *, like: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
    if like.exists():
        shutil.copymode(like, path)
