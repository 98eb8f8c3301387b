"""MNIST: 70,000 handwritten digits of 28 x 28 pixels in four IDX files, as torchvision stores them.

LeCun et al. 1998, http://yann.lecun.com/exdb/mnist. An IDX file begins with two zeros, the type of its values (8:
unsigned bytes) and the number of its dimensions, then the dimensions as big-endian 32-bit numbers.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from suite.catalog.datasets.dataset import Dataset

if TYPE_CHECKING:
    from torch import Tensor

UNSIGNED_BYTES = 8


def download(root: Path) -> None:
    """Fetch the archives with torchvision, which checks them, and unpack them below ``root``."""
    from torchvision.datasets import MNIST

    MNIST(str(root), download=True)


def damage(file: Path) -> str | None:
    """What is wrong with an IDX file: another beginning than its name says, or another length than that says."""
    dimensions = int(file.name.rpartition("-idx")[2][0])
    size, wanted = file.stat().st_size, bytes((0, 0, UNSIGNED_BYTES, dimensions))
    with file.open("rb") as stream:
        header = stream.read(4 + 4 * dimensions)
    if header[: len(wanted)] != wanted:
        found = header[: len(wanted)].hex(" ") or "nothing"
        return f"is no IDX file of {dimensions} dimensions: it begins with {found}, not {wanted.hex(' ')}"
    if len(header) < 4 + 4 * dimensions:
        return f"is cut short: it ends after {size} bytes, within its header"
    return _other_length(header, dimensions, size)


def _other_length(header: bytes, dimensions: int, size: int) -> str | None:
    shape = struct.unpack(f">{dimensions}I", header[4:])
    length = len(header) + math.prod(shape)
    if size == length:
        return None
    how = "is cut short" if size < length else "is too long"
    return f"{how}: it has {size:,} bytes, and {length:,} for its {' x '.join(map(str, shape))} values"


DATASET = Dataset(
    name="mnist",
    folder="MNIST/raw",
    files={
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    download=download,
    damage=damage,
)


def load(root: Path, *, train: bool) -> tuple[Tensor, Tensor]:
    """Images [N, 28, 28] in 0 to 255 and digits [N] of one part, below a root that `Dataset.require` found whole.

    As torchvision reads them, whose import would take longer than the reading.
    """
    folder, part = root / DATASET.folder, "train" if train else "t10k"
    return _values(folder / f"{part}-images-idx3-ubyte"), _values(folder / f"{part}-labels-idx1-ubyte").long()


def _values(file: Path) -> Tensor:
    import torch

    content = bytearray(file.read_bytes())
    dimensions = content[3]
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    return torch.frombuffer(content, dtype=torch.uint8, offset=4 + 4 * dimensions).view(shape)
