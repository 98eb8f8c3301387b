"""Read expectation files: ``<directory>/<level>/<workload>.toml`` holds one table per cell and metric.

A level is ``any``, a hardware family or a machine key. Bounds are absolute and inclusive, in the metric's unit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from suite.errors import ExpectationFileError
from suite.expect.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suite.expect.parse import ExpectationFile
    from suite.records import Expectation, ShapeExpectation

CLAIMS = "claims"  # the folder of the ledger, which lies beside the levels


def load(path: Path | str) -> tuple[Expectation, ...]:
    """All expectations of one file, in its order; level and workload follow from the folder and the file's name.

    Raises `ExpectationFileError`, with the line, for anything that is not understood.
    """
    return load_file(Path(path)).entries


def load_file(path: Path) -> ExpectationFile:
    """All that one file holds. Raises `ExpectationFileError` as `load` does."""
    return parse(read(path), path)


def load_shapes(directory: Path | str) -> tuple[ShapeExpectation, ...]:
    """All shapes of sweeps below ``directory``; otherwise as `load_all`."""
    return load_both(directory)[1]


def load_all(directory: Path | str) -> tuple[Expectation, ...]:
    """All expectations below ``directory``, by level and workload; the ledger of claims is no part of them.

    A missing directory holds none. Raises `ExpectationFileError` for the first malformed or misplaced file.
    """
    return load_both(directory)[0]


def load_both(directory: Path | str) -> tuple[tuple[Expectation, ...], tuple[ShapeExpectation, ...]]:
    """What `load_all` and `load_shapes` give, with each file read once."""
    files = [load_file(path) for path in _paths(Path(directory))]
    return tuple(e for found in files for e in found.entries), tuple(s for found in files for s in found.shapes)


def level_families(directory: Path | str) -> dict[str, str]:
    """The hardware family of each machine's folder below ``directory``, where its files name one in their origin."""
    families = {path.parent.name: load_file(path).family for path in _paths(Path(directory))}
    return {level: family for level, family in families.items() if family}


def _paths(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*.toml")):
        parts = path.relative_to(root).parts
        if parts[0] == CLAIMS or any(part.startswith(".") for part in parts):
            continue
        if len(parts) != 2:  # noqa: PLR2004  # level and file
            raise ExpectationFileError(path, None, f"lies in no level's folder; move it to {root / 'any' / path.name}")
        yield path


def read(path: Path) -> str:
    """The text of an expectation file with its own line ends; `ExpectationFileError` where it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ExpectationFileError(path, None, f"cannot be read: {error.strerror or error}") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ExpectationFileError(path, line, f"is not UTF-8 ({error.reason}); save it as UTF-8") from error
