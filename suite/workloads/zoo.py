"""Networks of torchvision's model zoo on ImageNet-shaped noise: speed, size and memory of what people deploy.

Any other network is a function of one's own that returns `untrained_zoo` of its name. The data carry no meaning, so
nothing is trained and no quality is measured.
"""

from __future__ import annotations

from functools import partial

from torch import nn

from suite.registry import workload
from suite.training.recipe import Recipe
from suite.workloads.resnet50_synthetic import CPU_BATCH, EXAMPLES, batches, constant, sgd, splits
from suite.zoo.entries import check_names

PIXELS = {  # side of the images of the published weights
    "mobilenet_v2": 224,
    "mobilenet_v3_small": 224,
    "efficientnet_b0": 224,
    "vit_b_16": 224,
    "convnext_tiny": 224,
}


def untrained_zoo(model: str, pixels: int, seed: int) -> Recipe:
    """The network ``model`` of torchvision's, untrained, on 64 synthetic images [3, ``pixels``, ``pixels``]."""
    return Recipe(
        data=lambda: splits(seed, pixels),
        model=partial(untrained, model),
        batches=batches,
        steps_per_epoch=lambda examples: examples // CPU_BATCH,
        optimizer=sgd,
        schedule=constant,
        learning_rate=0.1,
    )


def untrained(model: str) -> nn.Module:
    """The network ``model`` of torchvision's with first weights. Raises `UsageError` for a name that it lacks."""
    check_names([model])
    from torchvision.models import get_model

    return get_model(model, weights=None)  # type: ignore[no-any-return]


def _declare(model: str, pixels: int) -> None:
    def recipe(seed: int) -> Recipe:
        return untrained_zoo(model, pixels, seed)

    recipe.__name__ = recipe.__qualname__ = f"zoo_{model}"
    recipe.__doc__ = f"torchvision's {model} on synthetic {pixels} x {pixels} images: speed, size and memory only."
    workload(
        source="none",
        quick=False,
        default=False,
        batch={"cpu": CPU_BATCH, "accelerator": EXAMPLES},
        techniques=("baseline", "channels_last", "amp_bf16", "pure_bf16", "amp_fp16", "compiled"),
    )(recipe)


for _model, _pixels in PIXELS.items():
    _declare(_model, _pixels)
