"""What the suite counts of a network of torchvision's: shapes alone, on torch's meta device, without weights.

Which form of a network its published counts are about, torchvision does not say: `OPTIONS` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from suite.catalog.zoo.efficientdet import FAMILY

if TYPE_CHECKING:
    from torch import nn

UNDRAWN = {"init_weights": False}  # SciPy draws these two's first weights, for minutes; shapes need none
OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False} | UNDRAWN,  # the published counts are without the heads for training
    "inception_v3": {"aux_logits": True} | UNDRAWN,  # and here with the one
    "keypointrcnn_resnet50_fpn": {"num_keypoints": 17},  # COCO's
}


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Parameters; multiply-accumulates of one image (``None`` where an operator is unknown); bytes of all tensors."""

    parameters: int
    macs: int | None
    bytes: int


@cache
def count(model: str, pixels: int, weights: str = "") -> Counts:
    """Counts of torchvision's network ``model`` for images [1, 3, pixels, pixels], once in a process.

    A detector's are about as many regions as the published counts of its ``weights``.
    """
    import torch

    from suite.catalog.zoo.detectors import dense, regions
    from suite.catalog.zoo.entries import models
    from suite.measure.macs import macs_of
    from suite.measure.size import parameters

    network = shapes(model, pixels)
    seen = dense(network, *regions(model, weights)) if model in models("detection") else network
    return Counts(
        parameters=parameters(network),
        macs=macs_of(seen, torch.empty(1, 3, pixels, pixels, device="meta")),
        bytes=sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values()),
    )


def shapes(model: str, pixels: int) -> nn.Module:
    """The network ``model`` for images of ``pixels``, in evaluation, on the meta device."""
    import torch
    from torchvision.models import get_model_builder

    from suite.catalog.zoo.detectors import freeze_norms
    from suite.catalog.zoo.entries import models

    if model in FAMILY:
        from suite.catalog.zoo.bifpn import EfficientDet

        with torch.device("meta"):
            return EfficientDet(FAMILY[model]).eval()
    with torch.device("meta"), _regnets_on_the_cpu():
        network: nn.Module = get_model_builder(model)(weights=None, **_options(model, pixels))
        if model in models("detection"):
            freeze_norms(network, model)
    return network.eval()


def _options(model: str, pixels: int) -> dict[str, Any]:
    """Vision transformers have a position for each patch, so they are built for the size of their images."""
    from suite.catalog.zoo.entries import models

    if model in models("detection"):
        return {"weights_backbone": None} | OPTIONS.get(model, {})
    if model in models("segmentation"):  # published with the second head that training uses, where there is one
        return {"weights_backbone": None} | ({} if model.startswith("lraspp") else {"aux_loss": True})
    return {"image_size": pixels} if model.startswith("vit_") else OPTIONS.get(model, {})


@contextmanager
def _regnets_on_the_cpu() -> Iterator[None]:
    """RegNets compute their widths with tensors, whose values are needed: those tensors are made on the CPU."""
    import torch
    from torchvision.models.regnet import BlockParams

    before, compute = vars(BlockParams)["from_init_params"], BlockParams.from_init_params

    def on_the_cpu(*arguments: Any, **named: Any) -> Any:
        with torch.device("cpu"):
            return compute(*arguments, **named)

    BlockParams.from_init_params = staticmethod(on_the_cpu)
    try:
        yield
    finally:
        BlockParams.from_init_params = before
