"""Progressive resizing: training begins with small images, which grow to their own size; then it goes on with these.

Howard 2018 in fast.ai's entry to DAWNBench, https://www.fast.ai/posts/2018-04-30-dawnbench-fastai.html, and in
MosaicML's Composer: the side grows evenly from ``smallest`` to 1 until a share ``full`` of the epochs is left. Resized
bilinearly on the device. Early epochs cost about the square of the side less; the timed step is the first, so the
smallest. Networks need layers that take any size (a global pooling). What is served sees whole images.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Backward, Batch, Recipe, Trainee
from suite.training.trees import is_image


def takes_smaller_images(case: Any) -> str | None:
    """Why the network cannot train on the smallest images, before anything is trained; a need of this technique."""
    shares = [bound["smallest"] for found, bound in case.composition.members if "smallest" in bound]
    plain = case.workload.plain(0)
    images = plain.data().train.first(2).inputs
    if not is_image(images) or not shares:
        return None  # said by the need of images
    small = resized(images, min(shares))
    try:
        with torch.no_grad():
            plain.model()(small)
    except Exception as error:  # noqa: BLE001  # a user's network may raise anything
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        sides = " x ".join(map(str, small.shape[2:]))
        return f"the network of {case.workload.name} takes no images of {sides} ({said})"
    return None


@technique(
    slots=("gradients",),
    family="training",
    sweep={"smallest": (0.5, 0.75)},
    needs=("training", "images", takes_smaller_images),
    conflicts=("compiled_training",),  # which would compile anew for each size
    quick=False,
)
def progressive_resizing(recipe: Recipe, *, smallest: float = 0.5, full: float = 0.2) -> Recipe:
    """Train on images from ``smallest`` of their sides up, and the last share ``full`` of the epochs on whole ones."""
    if not 0 < smallest <= 1:
        raise UsageError(f"progressive_resizing: smallest must be in (0, 1], got {smallest}")
    if not 0 <= full < 1:
        raise UsageError(f"progressive_resizing: full must be in [0, 1), got {full}")

    def gradients(trainee: Trainee, batch: Batch, backward: Backward) -> Tensor:
        grown = min(1.0, trainee.epoch / trainee.recipe.epochs / (1 - full))
        inputs = resized(batch.inputs, smallest + (1 - smallest) * grown)
        return recipe.gradients(trainee, Batch(inputs=inputs, targets=batch.targets), backward)

    return replace(recipe, gradients=gradients)


def resized(images: Tensor, share: float) -> Tensor:
    """Images [B, C, H, W] with sides of ``share``, rounded; the images themselves where that is their own size."""
    size = tuple(max(1, round(share * side)) for side in images.shape[2:])
    if size == images.shape[2:]:
        return images
    return F.interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=True)
