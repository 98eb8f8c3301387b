"""CIFAR-10: 60,000 colour images of 32 x 32 pixels in ten classes, six pickled batches as torchvision stores them.

Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html. Unpickling runs code: the checksums come first.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.catalog.datasets.dataset import Dataset

if TYPE_CHECKING:
    from torch import Tensor

IMAGE = (3, 32, 32)


def download(root: Path) -> None:
    """Fetch the archive with torchvision, which checks it, and unpack it below ``root``."""
    from torchvision.datasets import CIFAR10

    CIFAR10(str(root), download=True)


DATASET = Dataset(
    name="cifar10",
    folder="cifar-10-batches-py",
    files={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
    download=download,
)


def load(root: Path, *, train: bool) -> tuple[Tensor, Tensor]:
    """Images [N, 3, 32, 32] in 0 to 255, classes [N] of one part, below a root that `Dataset.require` found whole.

    As torchvision reads them, whose import would take longer than the reading.
    """
    import torch

    names = [name for name in DATASET.files if name.startswith("data_batch" if train else "test_batch")]
    batches = [_batch(root / DATASET.folder / name) for name in names]
    images = torch.cat([torch.from_numpy(batch["data"]) for batch in batches]).view(-1, *IMAGE)
    return images, torch.tensor([label for batch in batches for label in batch["labels"]])


def _batch(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = pickle.loads(file.read_bytes(), encoding="latin1")  # noqa: S301  # the publisher's own bytes
    return found
