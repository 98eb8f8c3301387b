"""Top-1 accuracy of published weights on ImageNet's validation images, against the published figure.

The images lie in a folder for each class, named by its WordNet id, as torchvision's reference scripts want them: the
order of the names is the order of the classes. Nothing of ImageNet is downloaded; weights are, into torch's own
cache, where they are not there yet.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.catalog.zoo.entries import ZooEntry
from suite.core.errors import SetupError, UsageError
from suite.core.stats.intervals import wilson

if TYPE_CHECKING:
    from torch import nn
    from torchvision.datasets import ImageFolder

CLASSES = 1000
IMAGES = 50_000  # that the published figures are about
BATCH = 64
CONFIDENCE = 0.99
SLACK = 0.1  # percentage points between decoders of JPEG, resizing and devices, on all images
EXTENSIONS = (".jpeg", ".jpg", ".png")


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How many of ``images`` were right, and the 99 % interval of the share in percent: Wilson's, of a sample."""

    right: int
    images: int

    @property
    def percent(self) -> float:
        return 100 * self.right / self.images

    @property
    def interval(self) -> tuple[float, float]:
        if self.images == IMAGES:
            return self.percent, self.percent  # no sample: there are no other images
        low, high = wilson(self.right, self.images, CONFIDENCE)
        return 100 * low, 100 * high

    def agrees(self, published: float) -> bool:
        """Whether the published percentage is within the interval, widened by what decoders differ in."""
        low, high = self.interval
        return low - SLACK <= published <= high + SLACK


def images_of(root: Path) -> Path:
    """The folder with the classes' folders: ``root`` or its ``val``. Raises `UsageError` where there are not 1,000."""
    folder = root / "val" if (root / "val").is_dir() else root
    found = sum(entry.is_dir() for entry in folder.iterdir()) if folder.is_dir() else 0
    if found == CLASSES:
        return folder
    raise UsageError(
        f"--data-root {root}: {folder} has {found} folders of classes, not {CLASSES:,}; ImageNet's validation images "
        "lie in a folder for each class, like val/n01440764/ILSVRC2012_val_00000293.JPEG"
    )


def measured(entry: ZooEntry, folder: Path, *, device: str, images: int | None = None) -> Accuracy:
    """Top-1 of ``entry`` on the images below ``folder``, or on a spread sample of as many from each class.

    Raises `UsageError` if a class has no images, `SetupError` if the weights are not available.
    """
    import torch

    network, transform = trained(entry)
    dataset = _sample(_images(folder, transform), images)
    network = network.to(device)
    right = 0
    with torch.inference_mode():
        for inputs, targets in _loaded(dataset):
            right += int((network(inputs.to(device)).argmax(1).cpu() == targets).sum())
    return Accuracy(right=right, images=len(dataset))


def trained(entry: ZooEntry) -> tuple[nn.Module, Callable[[Any], Any]]:
    """The network with its published weights, in evaluation, and how its images are prepared."""
    from torch.hub import get_dir
    from torchvision.models import get_model, get_model_weights

    weights = get_model_weights(entry.model)[entry.weights]
    try:
        network: nn.Module = get_model(entry.model, weights=weights)
    except (OSError, RuntimeError) as error:  # no way to the server, a damaged file
        raise SetupError(
            f"the weights {entry} cannot be loaded: {error}; put {weights.url} into {Path(get_dir()) / 'checkpoints'}"
        ) from error
    return network.eval(), weights.transforms()


def _images(folder: Path, transform: Callable[[Any], Any]) -> ImageFolder:
    from torchvision.datasets import ImageFolder

    try:
        return ImageFolder(str(folder), transform, is_valid_file=lambda name: name.lower().endswith(EXTENSIONS))
    except FileNotFoundError as error:  # 'Found no valid file for the classes ...'
        raise UsageError(f"--data-root: {str(error)[:200]}; is the copy of {folder} complete?") from error


def _sample(dataset: ImageFolder, images: int | None) -> Any:
    """As many images of each class as make ``images``, evenly spread over its files; all for ``None``."""
    from torch.utils.data import Subset

    if images is None:
        return dataset
    each = max(1, images // CLASSES)
    places: dict[int, list[int]] = {}
    for place, label in enumerate(dataset.targets):
        places.setdefault(label, []).append(place)
    return Subset(dataset, [chosen for found in places.values() for chosen in _spread(found, each)])


def _spread(places: list[int], count: int) -> Iterator[int]:
    count = min(count, len(places))
    return (places[number * len(places) // count] for number in range(count))


def _loaded(dataset: Any) -> Any:
    from torch.utils.data import DataLoader

    return DataLoader(dataset, batch_size=BATCH, num_workers=_workers())


def _workers() -> int:
    """Processes that decode images: one for each core, none beside the only one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if cores == 1 else cores
