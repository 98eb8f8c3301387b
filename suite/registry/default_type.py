"""Modules that change torch's default type when they are imported: it would hold for all workloads of the process."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from suite.core.errors import SetupError

SETTER = re.compile(r"^[^#]*\bset_default_(dtype|tensor_type)\s*\(")
USUAL = "float32"


@contextmanager
def unchanged_default_type(target: str) -> Iterator[None]:
    """Raise `SetupError` with file and line if the import of ``target`` changes torch's default type; put it back."""
    before, loaded = _default(), set(sys.modules)
    yield
    after = _default()
    if after != before:
        _restore(before)
        place = next(_setters(loaded), "")
        raise SetupError(
            f"cannot load {target!r}: it makes {after} torch's default type when it is imported, for all other "
            f"workloads too{place}; remove that, and make the data with dtype=torch.{after} and the network with "
            f".to(torch.{after})"
        )


def _default() -> str:
    torch = sys.modules.get("torch")  # whoever has not loaded it has changed nothing
    return USUAL if torch is None else str(torch.get_default_dtype()).removeprefix("torch.")


def _restore(name: str) -> None:
    import torch

    torch.set_default_dtype(getattr(torch, name))


def _setters(before: set[str]) -> Iterator[str]:
    """The places in the sources of new modules of the user's that set a default type."""
    packages = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    for name in [name for name in sys.modules if name not in before]:
        file = _source(sys.modules[name])
        if file is None or str(file).startswith(packages):
            continue
        lines = file.read_text("utf-8", errors="replace").splitlines()
        yield from (f" [{file}:{number}]" for number, line in enumerate(lines, 1) if SETTER.search(line))


def _source(module: ModuleType) -> Path | None:
    file = Path(getattr(module, "__file__", None) or "")
    return file if file.suffix == ".py" and file.is_file() else None
