"""Read expectation files: ``<directory>/<level>/<workload>.toml`` holds one table per cell and metric.

A level is ``any``, a hardware family or a machine key. Bounds are absolute and inclusive, in the metric's unit.
"""

from __future__ import annotations

import codecs
import difflib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import ExpectationFileError
from suite.gate.files.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suite.core.records import Expectation, ShapeExpectation
    from suite.gate.files.parse import ExpectationFile

ANYWHERE = "any"
FAMILIES_WITHOUT_DASH = frozenset({"mps", "xpu", "hpu", "mtia", "npu", "xla", "openreg"})  # one family of all devices
WIDE_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
CLAIMS = "claims"  # the folder of the ledger, which lies beside the levels
FUNCTIONS = "functions"  # the folder of the fixture tradeoff's expectations, which has levels of its own
MANY = 64  # files that are kept parsed, the latest; a repository has fewer


def load(path: Path | str) -> tuple[Expectation, ...]:
    """All expectations of one file, in its order; level and workload follow from the folder and the file's name.

    Raises `ExpectationFileError`, with the line, for anything that is not understood.
    """
    return load_file(Path(path)).entries


def load_file(path: Path) -> ExpectationFile:
    """All that one file holds. Raises `ExpectationFileError` as `load` does."""
    return _parsed(read(path), path)


@lru_cache(maxsize=MANY)
def _parsed(text: str, path: Path) -> ExpectationFile:
    """A large file takes a third of a second, and a command asks for it several times; a changed text is another."""
    return parse(text, path)


def load_shapes(directory: Path | str) -> tuple[ShapeExpectation, ...]:
    """All shapes of sweeps below ``directory``; otherwise as `load_all`."""
    return load_both(directory)[1]


def load_all(directory: Path | str) -> tuple[Expectation, ...]:
    """All expectations below ``directory``, by level and workload, without those of claims and plain functions.

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
    for path in sorted(one for one in root.rglob("*") if one.suffix.lower() == ".toml"):
        parts = path.relative_to(root).parts
        if parts[0] in (CLAIMS, FUNCTIONS) or any(map(is_hidden, parts)):
            continue
        if len(parts) != 2:  # noqa: PLR2004  # level and file
            raise ExpectationFileError(path, None, f"is in no level's folder; move it to {root / ANYWHERE / path.name}")
        if path.suffix != ".toml":
            raise ExpectationFileError(path, None, f"is read by nothing; rename it to {path.with_suffix('.toml').name}")
        _check_level(path)
        yield path


def is_hidden(name: str) -> bool:
    """Whether a file or folder is no part of the expectations."""
    return name.startswith(".")


def _check_level(path: Path) -> None:
    """A folder that is neither ``any`` nor the key of a family or machine, such as ``anny``, would never be read."""
    level = path.parent.name
    if level == ANYWHERE or "-" in level or level in FAMILIES_WITHOUT_DASH:
        return
    near = "; did you mean any?" if difflib.get_close_matches(level, [ANYWHERE], cutoff=0.5) else "."
    raise ExpectationFileError(
        path, None,
        f"is in the folder {level!r}, which no machine reads{near} A level is any, or a family or machine as "
        f"`suite doctor` prints it",
    )  # fmt: skip


def read(path: Path) -> str:
    """The text of an expectation file with its own line ends, without a byte order mark.

    Raises `ExpectationFileError` where it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ExpectationFileError(path, None, f"cannot be read: {error.strerror or error}") from error
    for mark, name in WIDE_MARKS.items():
        if data.startswith(mark):
            raise ExpectationFileError(path, 1, f"is {name}; save it as UTF-8")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ExpectationFileError(path, line, f"is not UTF-8 ({error.reason}); save it as UTF-8") from error
