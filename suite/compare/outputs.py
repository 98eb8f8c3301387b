"""Where a comparison's table goes: files that can be written, known before anything is measured."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from suite.core.errors import UsageError


def check_writable(option: str, folder: Path, file: Path | None = None) -> None:
    """Raise `UsageError` where ``folder``, which may not be there yet, or ``file`` in it cannot be written."""
    try:
        if file is not None and file.exists():
            file.open("a").close()
        else:
            absolute = folder.absolute()
            tempfile.TemporaryFile(dir=next(one for one in (absolute, *absolute.parents) if one.exists())).close()
    except OSError as error:
        raise UsageError(
            f"{option} {file or folder} cannot be written: {error.strerror}; give a {'file' if file else 'folder'} "
            "that can be"
        ) from error


def append(text: str, path: Path | None) -> None:
    """Append to the file, if there is one; if that fails, a line says so and the exit code stays."""
    from suite.report import github

    if path is not None and (trouble := github.append(text, path)):
        sys.stderr.write(f"suite: the table is not there, {trouble}\n")
