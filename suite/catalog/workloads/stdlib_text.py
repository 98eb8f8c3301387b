"""Text that every machine has: the sources of Python's standard library, in parts that share no module.

A module is a top-level name of `sys.stdlib_module_names` with all that is below it. Which part it belongs to follows
from its name alone, so that one that is missing moves no other. Shapes: N windows of T = 128 bytes.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from suite.core.errors import SetupError
from suite.training.data import Split

WINDOW = 128  # bytes that are predicted, each from those before it
TENTHS = {"test": (0,), "validation": (1,), "train": tuple(range(2, 10))}
TABLES = ("encodings", "pydoc_data")  # generated, not written
DETACHED = ("distutils", "ensurepip", "idlelib", "lib2to3", "test", "tkinter", "turtle", "turtledemo", "venv")
"""Left out: distributions ship them separately, or no longer."""
INNER_TESTS = frozenset({"test", "tests", "idle_test", "__pycache__", "site-packages"})


def sources(root: Path | None = None) -> dict[str, tuple[bytes, ...]]:
    """What each module's files hold, in the order of their paths, with Unix line ends.

    Raises `SetupError` where ``root`` (the running Python's library) has no sources for one of the parts.
    """
    root = Path(sysconfig.get_path("stdlib")) if root is None else root
    names = sorted(sys.stdlib_module_names - {*TABLES, *DETACHED})
    found = {name: tuple(_read(file) for file in _files(root, name)) for name in names}
    present = {name: texts for name, texts in found.items() if texts}
    for part in TENTHS:
        if not any(part_of(name) == part for name in present):
            raise SetupError(
                f"{root} holds sources of {len(present)} modules of Python's standard library and none of the {part} "
                "part; this Python is stripped or zipped: use one with the library's .py files, such as python.org's, "
                "pyenv's or uv's"
            )
    return present


def part_of(module: str) -> str:
    """The part that a module belongs to: one tenth tests, one validates, eight train, by a hash of the name."""
    tenth = hashlib.sha256(module.encode()).digest()[0] % 10
    return next(part for part, tenths in TENTHS.items() if tenth in tenths)


def windows(texts: Iterable[bytes]) -> Tensor:
    """All windows [N, T + 1] of bytes, each within one text and beginning with the last byte of the one before.

    So no byte is predicted twice. What is left at the end of a text is dropped.
    """
    rows = [_rows(text) for text in texts if len(text) > WINDOW]
    return torch.cat(rows) if rows else torch.empty(0, WINDOW + 1, dtype=torch.uint8)


def drawn(modules: Mapping[str, Iterable[bytes]], counts: Mapping[str, int], seed: int = 0) -> dict[str, Tensor]:
    """For each part of ``counts`` that many windows [N, T + 1], drawn without replacement; all if there are fewer."""
    generator = torch.Generator().manual_seed(seed)
    texts = {part: [t for name in modules if part_of(name) == part for t in modules[name]] for part in counts}
    every = {part: windows(found) for part, found in texts.items()}
    return {part: rows[torch.randperm(len(rows), generator=generator)[: counts[part]]] for part, rows in every.items()}


def as_split(rows: Tensor) -> Split:
    """Inputs [N, T] and, one byte later, targets [N, T]."""
    tokens = rows.long()
    return Split(inputs=tokens[:, :-1].contiguous(), targets=tokens[:, 1:].contiguous())


def digest_of(parts: Mapping[str, Tensor]) -> str:
    """Digest of the bytes of all parts, in the order of the parts' names."""
    found = hashlib.sha256()
    for part in sorted(parts):
        found.update(f"{part} {len(parts[part])}\n".encode() + parts[part].numpy().tobytes())
    return found.hexdigest()[:16]


def _files(root: Path, name: str) -> list[Path]:
    """The sources of a module without its tests, sorted by their path, in the same order on every system."""
    single, package = root / f"{name}.py", root / name
    if single.is_file():
        return [single]
    if not (package / "__init__.py").is_file():
        return []
    inner = ((file.relative_to(package).parts, file) for file in package.rglob("*.py"))
    return [file for parts, file in sorted(inner) if not INNER_TESTS.intersection(parts)]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise SetupError(f"cannot read {file} of Python's standard library: {error.strerror or error}") from error


def _rows(text: bytes) -> Tensor:
    whole = (len(text) - 1) // WINDOW * WINDOW + 1
    return torch.frombuffer(bytearray(text[:whole]), dtype=torch.uint8).unfold(0, WINDOW + 1, WINDOW)
