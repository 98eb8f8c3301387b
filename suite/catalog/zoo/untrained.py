"""Networks of torchvision's without trained weights, as workloads on noise use them: one tensor in, a tree out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from suite.catalog.zoo.detectors import SIDE, SIDES
from suite.catalog.zoo.entries import check_names, entries, models

AUXILIARY = {"googlenet": {"aux_logits": False}, "inception_v3": {"aux_logits": False}}
ROWS = 300  # detections of an image at most, in torchvision's detectors


def untrained(model: str, pixels: int | None = None) -> nn.Module:
    """The network ``model`` of torchvision's with first weights, for images [B, 3, ``pixels``, ``pixels``].

    A classifier answers [B, 1000], segmentation {"out": [B, 21, H, W], ...}, a detector as `Detector` does. Nothing is
    downloaded. Raises `UsageError` for a name that it lacks.
    """
    check_names([model])
    from torchvision.models import get_model

    if kind_of(model) == "detection":
        return Detector(get_model(model, weights=None, weights_backbone=None))
    if kind_of(model) == "segmentation":
        return get_model(model, weights=None, weights_backbone=None)  # type: ignore[no-any-return]
    options: dict[str, Any] = AUXILIARY.get(model, {})
    if options:
        options = options | {"init_weights": False}  # SciPy draws those, for minutes
    if model.startswith("vit_") and pixels is not None:
        options = {"image_size": pixels}
    return get_model(model, weights=None, **options)  # type: ignore[no-any-return]


def kind_of(model: str) -> str:
    """Which of `suite.catalog.zoo.entries.KINDS` a network is of."""
    return next((kind for kind in ("detection", "segmentation") if model in models(kind)), "classification")


def published_pixels(model: str) -> int:
    """The side of the images of the first weights that torchvision published for ``model``."""
    return SIDES.get(model, SIDE) if kind_of(model) == "detection" else entries([model])[0].pixels


class Detector(nn.Module):
    """A detector of torchvision's with images [B, 3, H, W] in and padded tensors out, as in `suite.catalog.scores`.

    ``boxes`` [B, 300, 4] in whole pixels, ``labels`` [B, 300] (-1: padding) and ``scores`` [B, 300], best first: boxes
    of noise change places with the last bits of their scores, so the scores alone are floating-point numbers that the
    outputs of two engines are compared by. In training it answers the sum of its losses for one box in the middle of
    each image, which is all that a training step on noise needs. Masks and keypoints are computed and left out.
    """

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Any:
        if self.training:
            return torch.stack(list(self.detector(list(images), self._middle(images)).values())).sum()
        found = [padded(one) for one in self.detector(list(images))]
        return {name: torch.stack([one[name] for one in found]) for name in found[0]}

    def _middle(self, images: Tensor) -> list[dict[str, Tensor]]:
        """One target for each image; masks and keypoints for those that learn them."""
        height, width = images.shape[-2:]
        box = images.new_tensor([[width / 4, height / 4, width * 3 / 4, height * 3 / 4]])
        target = {"boxes": box, "labels": torch.ones(1, dtype=torch.int64, device=images.device)}
        target["masks"] = torch.ones(1, height, width, dtype=torch.uint8, device=images.device)
        target["keypoints"] = images.new_tensor([width / 2, height / 2, 1.0]).repeat(1, 17, 1)
        return [target] * len(images)


def padded(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """One image's detections with ``ROWS`` rows, best first."""
    order = found["scores"].argsort(descending=True, stable=True)[:ROWS]
    rows = ROWS - len(order)
    return {
        "boxes": nn.functional.pad(found["boxes"][order].round().int(), (0, 0, 0, rows)),
        "labels": nn.functional.pad(found["labels"][order], (0, rows), value=-1),
        "scores": nn.functional.pad(found["scores"][order], (0, rows)),
    }
