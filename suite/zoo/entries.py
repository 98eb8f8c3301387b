"""Weight entries of torchvision's classification networks, as torchvision publishes them; nothing is downloaded.

An entry is a network, a set of weights for it and the size of the images that its figures are about.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from suite.errors import unknown

DATA = "ImageNet-1K"  # whose accuracy is published


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One set of weights. A figure that torchvision does not publish is ``None``.

    ``pixels`` is the side of its square images [3, pixels, pixels]; ``accuracy`` is top-1 on ImageNet in percent,
    ``parameters`` a number and ``gmacs`` 1e9 multiply-accumulates of one image, rounded to three decimals.
    """

    model: str
    weights: str
    pixels: int
    parameters: int | None
    gmacs: float | None
    accuracy: float | None

    def __str__(self) -> str:
        return f"{self.model} {self.weights}"


def entries(names: Iterable[str] = ()) -> list[Entry]:
    """The entries of the networks called ``names``, each network once and in that order; of all without names.

    Raises `UsageError` for a name that is no classification network of torchvision's, `SetupError` where torchvision
    cannot be imported.
    """
    chosen = list(dict.fromkeys(names))
    check_names(chosen)
    return [entry for name in chosen or models() for entry in _published(name)]


def check_names(names: Iterable[str]) -> None:
    """Raise as `entries` does."""
    known = models()
    for name in names:
        if name not in known:
            raise unknown("network of torchvision's", name, known)


def models() -> list[str]:
    """Names of all classification networks that this torchvision has."""
    from suite.machine.hardware import check_torchvision  # loads torchvision: seconds

    check_torchvision()
    from torchvision import models as module

    return list(module.list_models(module=module))


def _published(model: str) -> Iterator[Entry]:
    from torchvision.models import get_model_weights

    return (_entry(model, weights) for weights in get_model_weights(model))


def _entry(model: str, weights: Any) -> Entry:
    meta: Mapping[str, Any] = weights.meta
    return Entry(
        model=model,
        weights=weights.name,
        pixels=int(weights.transforms().crop_size[0]),
        parameters=meta.get("num_params"),
        gmacs=meta.get("_ops"),
        accuracy=_number(meta.get("_metrics", {}).get(DATA, {}).get("acc@1")),
    )


def _number(published: float | None) -> float | None:
    """Weights that classify nothing (VGG-16's features) publish NaN."""
    return None if published is None or math.isnan(published) else published
