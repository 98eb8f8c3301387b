"""The bidirectional feature pyramid (BiFPN), and EfficientDet around it, as Tan, Pang & Le 2020 describe them.

https://arxiv.org/abs/1911.09070, sections 3 and 4. Features of several scales are fused down to the finest and up
again, each sum with a learnt weight for each of its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn
from torchvision.models import get_model

from suite.catalog.zoo.efficientdet import Member

EPSILON = 1e-4  # of the paper's fast normalised fusion
CLASSES = 90  # of COCO
ANCHORS = 9  # boxes at each place
BOX = 4
LEVELS = 5  # P3 to P7
SOURCES = (3, 5, 7)  # stages of EfficientNet that P3, P4 and P5 are taken from


class Separable(nn.Sequential):
    """A depthwise 3 x 3 convolution and a pointwise one, which has the bias."""

    def __init__(self, channels: int, out: int) -> None:
        depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        super().__init__(depthwise, nn.Conv2d(channels, out, 1))


def resampled(channels: int, out: int) -> nn.Module:
    """A pointwise convolution to ``out`` channels and a norm; nothing where there are as many."""
    if channels == out:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(channels, out, 1), nn.BatchNorm2d(out))


class Fusion(nn.Module):
    """The weighted mean of ``inputs`` features [B, C, H, W], then a separable convolution and a norm.

    Weights are kept positive and divided by their sum; without ``weighted`` the features are added.
    """

    def __init__(self, channels: int, inputs: int, *, weighted: bool = True) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(inputs)) if weighted else None
        self.mix = nn.Sequential(nn.SiLU(), Separable(channels, channels), nn.BatchNorm2d(channels))

    def forward(self, *features: Tensor) -> Tensor:
        return cast("Tensor", self.mix(self._fused(features)))

    def _fused(self, features: Sequence[Tensor]) -> Tensor:
        stacked = torch.stack(list(features))
        if self.weights is None:
            return stacked.sum(0)
        positive = torch.relu(self.weights)
        return torch.einsum("i,ibchw->bchw", positive / (positive.sum() + EPSILON), stacked)


class BiFPNCell(nn.Module):
    """One pass down and up over features of falling size, each half of the one before: as many as go in come out.

    ``inputs`` are their channels; where they are not ``channels`` already, each edge resamples for itself.
    """

    def __init__(self, inputs: Sequence[int], channels: int, *, weighted: bool = True) -> None:
        super().__init__()
        levels = len(inputs)
        down, up = range(levels - 1), range(1, levels)

        def edges(places: Sequence[int]) -> nn.ModuleList:
            return nn.ModuleList(resampled(inputs[place], channels) for place in places)

        self.top = resampled(inputs[-1], channels)
        self.for_down, self.for_up = edges(down), edges([place for place in up if place < levels - 1])
        self.down = nn.ModuleList(Fusion(channels, 2, weighted=weighted) for _ in down)
        self.up = nn.ModuleList(Fusion(channels, 3 if place < levels - 1 else 2, weighted=weighted) for place in up)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        top = self.top(features[-1])
        lower = [top]
        for place in reversed(range(len(features) - 1)):
            coarser = F.interpolate(lower[0], scale_factor=2.0)
            lower.insert(0, self.down[place](self.for_down[place](features[place]), coarser))
        found = [lower[0]]
        for place in range(1, len(features)):
            finer = F.max_pool2d(found[-1], 3, 2, padding=1)
            own = [top] if place == len(features) - 1 else [self.for_up[place - 1](features[place]), lower[place]]
            found.append(self.up[place - 1](*own, finer))
        return found


class BiFPN(nn.Module):
    """``cells`` cells, one after the other: features of ``inputs`` channels each in, of ``channels`` out."""

    def __init__(self, inputs: Sequence[int], channels: int, cells: int, *, weighted: bool = True) -> None:
        super().__init__()
        sides = [list(inputs)] + [[channels] * len(inputs)] * (cells - 1)
        self.cells = nn.ModuleList(BiFPNCell(side, channels, weighted=weighted) for side in sides)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """As many features, of falling size."""
        for cell in self.cells:
            features = cell(features)
        return features


class Head(nn.Module):
    """Separable convolutions that all levels share, norms that each has for itself; ``out`` channels at each place."""

    def __init__(self, channels: int, layers: int, out: int, levels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Separable(channels, channels) for _ in range(layers))
        self.norms = nn.ModuleList(
            nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(layers)) for _ in range(levels)
        )
        self.last = Separable(channels, out)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """[B, ``out``, H, W] of each level."""
        return [
            self._of(level, cast("nn.ModuleList", norms)) for level, norms in zip(features, self.norms, strict=True)
        ]

    def _of(self, level: Tensor, norms: nn.ModuleList) -> Tensor:
        for layer, norm in zip(self.layers, norms, strict=True):
            level = F.silu(norm(layer(level)))
        return cast("Tensor", self.last(level))


class EfficientDet(nn.Module):
    """A member of the family, with first weights: images [B, 3, P, P] in, class scores and boxes of five levels out."""

    def __init__(self, member: Member) -> None:
        super().__init__()
        self.stages: Any = get_model(f"efficientnet_b{member.backbone}", weights=None).features[:-1]
        found = [_channels(self.stages[stage]) for stage in SOURCES]
        self.coarser = nn.Sequential(resampled(found[-1], member.channels), _halved())
        self.coarsest = _halved()
        inputs = [*found, member.channels, member.channels]
        self.pyramid = BiFPN(inputs, member.channels, member.cells, weighted=member.weighted)
        self.classes, self.boxes = (
            Head(member.channels, member.layers, ANCHORS * out, LEVELS) for out in (CLASSES, BOX)
        )

    def forward(self, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Class scores [B, 810, H, W] and boxes [B, 36, H, W] of P3 to P7."""
        features, x = [], images
        for number, stage in enumerate(self.stages):
            x = stage(x)
            features += [x] if number in SOURCES else []
        features.append(self.coarser(features[-1]))
        levels = self.pyramid([*features, self.coarsest(features[-1])])
        return self.classes(levels), self.boxes(levels)


def _halved() -> nn.Module:
    return nn.MaxPool2d(3, 2, padding=1)


def _channels(stage: nn.Module) -> int:
    """The channels that a stage of EfficientNet ends with: those of its last norm."""
    norms: list[Callable[..., Any]] = [module for module in stage.modules() if isinstance(module, nn.BatchNorm2d)]
    return int(cast("nn.BatchNorm2d", norms[-1]).num_features)
