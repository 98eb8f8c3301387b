"""Weight entries of torchvision's networks for classification, detection and segmentation, as it publishes them.

Nothing is downloaded. An entry is a network, a set of weights for it and the image size of its figures.
EfficientDet's family, which torchvision lacks, has one entry for each member, with the figures of its paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from suite.catalog.zoo.detectors import SIDE, SIDES
from suite.catalog.zoo.efficientdet import FAMILY, MILLION, Member
from suite.core.errors import unknown

DATA = "ImageNet-1K"  # whose accuracy is published
KINDS = ("classification", "detection", "segmentation")
ROUNDED = 0.0005  # GMACs: torchvision's have three decimals
PAPER = "Tan2020"  # where the figures of EfficientDet are from
ELEMENTWISE = 0.02  # of them: the paper counts norms and activations too, which are up to 1.5 %


@dataclass(frozen=True, kw_only=True)
class ZooEntry:
    """One set of weights. A figure that torchvision does not publish is ``None``.

    ``pixels`` is the side of its square images [3, pixels, pixels], after resizing;
    ``accuracy`` is top-1 on ImageNet in percent, ``parameters`` a number and ``gmacs`` 1e9 multiply-accumulates of one
    image, rounded to three decimals. Published figures may differ from exact ones by ``parameters_within`` and
    ``gmacs_within``.
    """

    model: str
    weights: str
    pixels: int
    parameters: int | None
    gmacs: float | None
    accuracy: float | None
    parameters_within: int = 0
    gmacs_within: float = ROUNDED

    def __str__(self) -> str:
        return f"{self.model} {self.weights}"


def entries(names: Iterable[str] = ()) -> list[ZooEntry]:
    """The entries of the networks called ``names``, each network once and in that order; of all without names.

    Raises `UsageError` for a name that is neither a network of torchvision's nor of EfficientDet's family, `SetupError`
    where torchvision cannot be imported.
    """
    chosen = list(dict.fromkeys(names))
    check_names([name for name in chosen if name not in FAMILY])
    return [entry for name in chosen or [*known(), *FAMILY] for entry in _entries(name)]


def check_names(names: Iterable[str]) -> None:
    """Raise as `entries` does, for what is no network of torchvision's."""
    all_names = known()
    for name in names:
        if name not in all_names:
            raise unknown("network of torchvision's", name, all_names)


def known() -> list[str]:
    """Names of all networks of this torchvision's that are counted, by kind."""
    return [name for kind in KINDS for name in models(kind)]


def models(kind: str = "classification") -> list[str]:
    """Names of all networks of one of `KINDS` that this torchvision has."""
    from suite.core.machine.hardware import check_torchvision  # loads torchvision: seconds

    check_torchvision()
    from torchvision import models as module

    return list(module.list_models(module=module if kind == "classification" else getattr(module, kind)))


def _entries(model: str) -> Iterator[ZooEntry]:
    if model in FAMILY:
        return iter([_printed(model, FAMILY[model])])
    from torchvision.models import get_model_weights

    return (_entry(model, weights) for weights in get_model_weights(model))


def _entry(model: str, weights: Any) -> ZooEntry:
    meta: Mapping[str, Any] = weights.meta
    return ZooEntry(
        model=model,
        weights=weights.name,
        pixels=_pixels(model, weights.transforms()),
        parameters=meta.get("num_params"),
        gmacs=meta.get("_ops"),
        accuracy=_number(meta.get("_metrics", {}).get(DATA, {}).get("acc@1")),
    )


def _printed(model: str, member: Member) -> ZooEntry:
    """An entry with the paper's rounded figures."""
    decimals = member.decimals_of_millions
    return ZooEntry(
        model=model,
        weights=PAPER,
        pixels=member.pixels,
        parameters=round(member.millions * MILLION),
        gmacs=member.gmacs,
        accuracy=None,
        parameters_within=round(MILLION * 10**-decimals / 2),
        gmacs_within=ELEMENTWISE * member.gmacs,
    )


def _pixels(model: str, transforms: Any) -> int:
    """The side of the images that the network computes on."""
    if hasattr(transforms, "crop_size"):
        return int(transforms.crop_size[0])
    return int(transforms.resize_size[0]) if hasattr(transforms, "resize_size") else SIDES.get(model, SIDE)


def _number(published: float | None) -> float | None:
    """Weights that classify nothing (VGG-16's features) publish NaN."""
    return None if published is None or math.isnan(published) else published
