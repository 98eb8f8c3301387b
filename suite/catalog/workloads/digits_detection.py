"""Several handwritten digits in one picture: which they are and where, by a small detector in EfficientDet's manner.

Data: scenes [1, 64, 64] of two to four of `digits_cnn`'s digits, each scaled to a side of 16 to 32 pixels, on noise,
without overlap. The folds are those of `digits_cnn`, so no digit is in scenes of two parts; every digit of a test
fold is in exactly one scene. Network: a backbone of three scales, two cells of the bidirectional pyramid, heads that
the scales share (Tan, Pang & Le 2020, https://arxiv.org/abs/1911.09070); one box at each place instead of nine
anchors, as in FCOS (Tian et al. 2019, https://arxiv.org/abs/1904.01355), and peaks instead of suppression, as in
CenterNet (Zhou, Wang & Krahenbuhl 2019, https://arxiv.org/abs/1904.07850), so that shapes are fixed. Loss: focal (Lin
et al. 2017, https://arxiv.org/abs/1708.02002), and an absolute error of the boxes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite.catalog.scores import detection
from suite.catalog.workloads.digits_cnn import FOLDS, digest, digits, one_cycle
from suite.registry import workload
from suite.training.recipe import Batch, Recipe, Split, Splits, Trainee
from suite.training.trees import take

PIXELS = 64
SIDES = (16, 33)  # of a digit in a scene: from, and up to but without
CROWD = (2, 5)  # digits of a scene, likewise
MOST = CROWD[1] - 1
CLASSES = 10
DRAWN = 12_000  # digits for about 4,000 training scenes; validation and test have each one once
BATCH = 32
NOISE = 0.1
STRIDES = (4, 8, 16)
LIMITS = (20, 26)  # sides from which on a digit belongs to the next coarser scale
USUAL_SIDE = 23.0  # which boxes are relative to, as logarithms
FOUND = 8  # boxes that are answered
RARE = 0.02  # share of places with a digit that the scores begin at
FOCUS, BALANCE = 2.0, 0.25  # gamma and alpha of the focal loss
BOX_WEIGHT = 2.0
TRIES = 50  # to place a digit, before its scene begins anew


class SceneDetector(nn.Module):
    """Finds digits. Inputs [B, 1, 64, 64]; ``width`` is a factor on all channels.

    In evaluation it answers ``boxes`` [B, 8, 4] in whole pixels, ``labels`` [B, 8] and ``scores`` [B, 8], best first;
    in training the maps of each scale, class scores [B, 10, H, W] and boxes [B, 3, H, W].
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        from suite.catalog.zoo.bifpn import BiFPN, Head  # loads torchvision: seconds

        stem, *channels, fused = (max(1, round(width * size)) for size in (16, 32, 64, 96, 32))
        self.stem = _halved(1, stem)
        self.scales = nn.ModuleList(map(_halved, (stem, *channels), channels))
        self.pyramid = BiFPN(channels, fused, cells=2)
        self.classes = Head(fused, 1, CLASSES, len(STRIDES))
        self.boxes = Head(fused, 1, 3, len(STRIDES))
        nn.init.constant_(cast("Tensor", self.classes.last[-1].bias), -math.log(1 / RARE - 1))

    def forward(self, images: Tensor) -> Any:
        x, features = self.stem(images), []
        for scale in self.scales:
            x = scale(x)
            features.append(x)
        levels = self.pyramid(features)
        classes, boxes = self.classes(levels), self.boxes(levels)
        return (classes, boxes) if self.training else detections(classes, boxes)


def _halved(channels: int, out: int) -> nn.Module:
    conv = nn.Conv2d(channels, out, 3, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.SiLU())


@workload(scores=detection(), digest=digest, quick=False, default=False)
def digits_detection(seed: int) -> Recipe:
    """Which digits are in a picture and where, from a bidirectional pyramid: mean average precision."""
    return Recipe(
        data=lambda: scenes(seed % FOLDS),
        model=SceneDetector,
        batches=full_batches,
        steps_per_epoch=lambda examples: examples // BATCH,
        schedule=one_cycle,
        loss=detection_loss,
        learning_rate=5e-3,
        epochs=10,
    )


@lru_cache(maxsize=FOLDS)
def scenes(fold: int) -> Splits:
    """Scenes of the digits of ``fold`` for testing, of the next one for validation, of the others for training."""
    images, labels, folds = digits()
    train = torch.cat([folds[(fold + place) % FOLDS] for place in range(2, FOLDS)])
    generator = torch.Generator().manual_seed(fold)
    drawn = train[torch.randint(len(train), (DRAWN,), generator=generator)]
    parts = {"train": drawn, "validation": folds[(fold + 1) % FOLDS], "test": folds[fold]}
    return Splits(**{name: composed(images, labels, chosen, generator) for name, chosen in parts.items()})


def composed(images: Tensor, labels: Tensor, chosen: Tensor, generator: torch.Generator) -> Split:
    """Scenes of the digits at the places ``chosen``, in that order; a scene's id is its first digit's."""
    found = []
    while len(chosen):
        crowd = int(torch.randint(*CROWD, (1,), generator=generator))
        part, chosen = chosen[:crowd], chosen[crowd:]
        found.append((*_scene(images[part], labels[part], generator), part[0]))
    inputs, boxes, classes, ids = zip(*found, strict=True)
    targets = {"boxes": torch.stack(boxes), "labels": torch.stack(classes)}
    return Split(inputs=torch.stack(inputs), targets=targets, ids=torch.stack(ids))


def _scene(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """A picture [1, 64, 64] of the digits, its boxes [4, 4] and labels [4], padded by -1."""
    scene = NOISE * torch.randn(1, PIXELS, PIXELS, generator=generator)
    found = None
    while found is None:
        found = _places(len(images), generator)
    for image, (left, top, right, bottom) in zip(images, found.tolist(), strict=True):
        resized = F.interpolate(image[None], size=(bottom - top, right - left), mode="bilinear", align_corners=False)
        scene[:, top:bottom, left:right] += resized[0]
    room = MOST - len(images)
    return scene, F.pad(found.float(), (0, 0, 0, room)), F.pad(labels, (0, room), value=-1)


def _places(count: int, generator: torch.Generator) -> Tensor | None:
    """Squares [``count``, 4] that do not overlap, largest first; ``None`` where the first ones left no room."""
    sides = torch.randint(*SIDES, (count,), generator=generator).sort(descending=True).values
    found = torch.zeros(0, 4, dtype=torch.int64)
    for side in sides.tolist():
        corners = torch.randint(PIXELS - side + 1, (TRIES, 2), generator=generator)
        apart = (found[:, :2] >= corners[:, None] + side) | (found[:, 2:] <= corners[:, None])
        free = corners[apart.any(2).all(1)][:1]
        if not len(free):
            return None
        found = torch.cat([found, torch.cat([free, free + side], 1)])
    return found


def full_batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
    """Shuffled full batches; the incomplete last one is dropped."""
    order = torch.randperm(len(train), generator=generator).to(train.inputs.device)
    for chosen in order.split(BATCH):
        if len(chosen) == BATCH:
            yield Batch(inputs=train.inputs[chosen], targets=take(train.targets, chosen))


def detection_loss(_trainee: Trainee, batch: Batch, output: tuple[list[Tensor], list[Tensor]]) -> Tensor:
    """Focal loss of all classes at all places, and the absolute error of boxes where a digit's centre is; per digit."""
    losses, digits_seen = [], (batch.targets["labels"] >= 0).sum()
    for scale, (classes, boxes) in enumerate(zip(*output, strict=True)):
        wanted, (items, rows, columns), box = _wanted(batch.targets, scale, classes)
        error = F.l1_loss(boxes[items, :, rows, columns], box, reduction="sum")
        losses.append(_focal(classes, wanted) + BOX_WEIGHT * error)
    return torch.stack(losses).sum().div(digits_seen)


def _focal(scores: Tensor, wanted: Tensor) -> Tensor:
    entropy = F.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    likely = torch.sigmoid(scores)
    missed = torch.where(wanted > 0, 1 - likely, likely)
    return (torch.where(wanted > 0, BALANCE, 1 - BALANCE) * missed**FOCUS * entropy).sum()


def _wanted(targets: dict[str, Tensor], scale: int, like: Tensor) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
    """Of one scale: class map [B, 10, H, W], items, rows and columns [K] of the digits there, their boxes [K, 3]."""
    corners = targets["boxes"]
    sides = corners[..., 2] - corners[..., 0]
    coarse = torch.bucketize(sides, torch.tensor(LIMITS, device=sides.device), right=True)
    items, which = torch.nonzero((targets["labels"] >= 0) & (coarse == scale), as_tuple=True)
    centre = (corners[items, which, :2] + corners[items, which, 2:]) / 2 / STRIDES[scale]
    columns, rows = centre.long().unbind(1)
    wanted = torch.zeros_like(like)
    wanted[items, targets["labels"][items, which], rows, columns] = 1
    box = torch.cat([centre - centre.floor() - 0.5, torch.log(sides[items, which] / USUAL_SIDE)[:, None]], 1)
    return wanted, (items, rows, columns), box


def detections(classes: list[Tensor], boxes: list[Tensor]) -> dict[str, Tensor]:
    """The eight best peaks of all scales, as `suite.catalog.scores` has them."""
    scores = torch.cat([_by_place(_peaks(level)) for level in classes], 1)
    corners = torch.cat([_corners(level, stride) for level, stride in zip(boxes, STRIDES, strict=True)], 1)
    best, found = scores.flatten(1).topk(FOUND)
    places = (found // CLASSES)[..., None].expand(-1, -1, 4)
    return {"boxes": corners.gather(1, places).round().int(), "labels": found % CLASSES, "scores": best}


def _peaks(level: Tensor) -> Tensor:
    """Probabilities [B, 10, H, W], and 0 where a neighbour of the same class has more."""
    likely = torch.sigmoid(level)
    return likely * (likely == F.max_pool2d(likely, 3, 1, padding=1))


def _corners(level: Tensor, stride: int) -> Tensor:
    """Boxes [B, H * W, 4] in pixels of centres in places' units and logarithms of sides [B, 3, H, W]."""
    rows, columns = level.shape[-2:]
    middles = torch.stack(
        torch.meshgrid(torch.arange(columns), torch.arange(rows), indexing="xy")
    ).to(level) + 0.5  # fmt: skip
    centre, half = (level[:, :2] + middles) * stride, level[:, 2:].exp() * (USUAL_SIDE / 2)
    return _by_place(torch.cat([centre - half, centre + half], 1))


def _by_place(level: Tensor) -> Tensor:
    """[B, C, H, W] as [B, H * W, C]."""
    return level.flatten(2).transpose(1, 2)
