"""What torchvision's detectors compute, as far as shapes say it: how many regions there are, the image decides.

The published multiply-accumulates are about one image; how many proposals and detections it had is no part of them, but
follows from them to the last digit: `REGIONS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

SIDES = {"ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320, "fasterrcnn_mobilenet_v3_large_320_fpn": 320}
SIDE = 800  # pixels that all other detectors resize square images to
PROPOSALS = 1000  # that go into the second stage at most
REGIONS = {  # proposals and detections of the image that the published figure is about, where they are not 1000 and 0
    ("fasterrcnn_mobilenet_v3_large_320_fpn", "COCO_V1"): (0, 0),
    ("fasterrcnn_mobilenet_v3_large_fpn", "COCO_V1"): (0, 0),
    ("keypointrcnn_resnet50_fpn", "COCO_V1"): (PROPOSALS, 1),
    ("maskrcnn_resnet50_fpn_v2", "COCO_V1"): (PROPOSALS, 100),
}
UNFROZEN = ("_v2", "ssd300_vgg16", "ssdlite320_mobilenet_v3_large")  # ends of names whose backbones' norms are trained


def regions(model: str, weights: str) -> tuple[int, int]:
    """How many proposals and detections the published figure of an entry counts."""
    return REGIONS.get((model, weights), (PROPOSALS, 0))


def freeze_norms(detector: nn.Module, model: str) -> None:
    """Batch norms of the backbone with scales that are not trained, as published networks have them."""
    from torch import nn
    from torchvision.ops.misc import FrozenBatchNorm2d

    if model.endswith(UNFROZEN):
        return
    norms = [(name, module) for name, module in detector.named_modules() if isinstance(module, nn.BatchNorm2d)]
    for name, norm in norms:
        if name.startswith("backbone."):
            detector.set_submodule(name, FrozenBatchNorm2d(norm.num_features))


def dense(detector: Any, proposals: int, detections: int) -> nn.Module:
    """What ``detector`` computes for images [B, 3, H, W] of the size that it resizes to, with that many regions."""
    from torch import nn

    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = detector.backbone
            self.stages = nn.ModuleList(_stages(detector, proposals, detections))

        def forward(self, images: Tensor) -> None:
            found = self.backbone(images)
            levels = list(found.values()) if isinstance(found, dict) else [found]
            self.stages[0](levels)
            heads = iter(self.stages[1:])
            if proposals and len(self.stages) > 1:
                next(heads)(levels[0].new_empty(proposals, levels[0].shape[1], 7, 7))
            for head in heads:
                head(levels[0].new_empty(detections, levels[0].shape[1], 14, 14))

    return Dense()


def _stages(detector: Any, proposals: int, detections: int) -> list[nn.Module]:
    """The head of all places, then what is computed for each proposal and for each detection."""
    from torch import nn

    if not hasattr(detector, "rpn"):
        return [detector.head]
    roi, stages = detector.roi_heads, [detector.rpn.head]
    if proposals:
        stages.append(nn.Sequential(roi.box_head, roi.box_predictor))
    kinds = [kind for kind in ("mask", "keypoint") if detections and getattr(roi, f"{kind}_head", None) is not None]
    return stages + [nn.Sequential(getattr(roi, f"{kind}_head"), getattr(roi, f"{kind}_predictor")) for kind in kinds]
