"""Networks of torchvision's model zoo on noise of their image size: speed, size and memory of what people deploy.

Any network for classification, detection or segmentation is a workload ``zoo_<its name>``; a few are listed, the others
are declared when they are asked for. The data carry no meaning, so nothing is trained and no quality is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from suite.catalog.workloads.resnet50_synthetic import (
    ACCELERATOR_TECHNIQUES,
    CPU_BATCH,
    EXAMPLES,
    batches,
    constant,
    sgd,
    splits,
)
from suite.catalog.zoo.entries import known
from suite.catalog.zoo.untrained import kind_of, published_pixels, untrained
from suite.registry import Family, workload, workload_family
from suite.training.recipe import Batch, Recipe, Split, Splits, Trainee

__all__ = ["PIXELS", "untrained", "untrained_zoo"]

PREFIX = "zoo_"
IN_FULL = {
    "mobilenet_v2": 224,
    "mobilenet_v3_small": 224,
    "efficientnet_b0": 224,
    "vit_b_16": 224,
    "convnext_tiny": 224,
}
BY_NAME = {
    "resnet50": 224,
    "mobilenet_v3_large": 224,
    **{f"efficientnet_b{phi}": side for phi, side in enumerate((240, 288, 300, 380, 456, 528, 600), start=1)},
}
PIXELS = IN_FULL | BY_NAME  # side of the images of the first published weights
BATCH = {"cpu": CPU_BATCH, "accelerator": EXAMPLES}
DENSE_EXAMPLES = 8  # images of detectors and segmentation, which are large
DENSE_CPU_BATCH = 2
VOC_CLASSES = 21
TRANSFORMER = "vit_b_16"  # 768 and 3072 inputs a layer: products that tensor cores are made for
CPU_TECHNIQUES = ("baseline", "channels_last", "amp_bf16", "pure_bf16", "amp_fp16", "compiled")
TRANSFORMER_TECHNIQUES = (*ACCELERATOR_TECHNIQUES, "fp8", "semi_structured+sparse_linear")
AUXILIARY_LOSS = 0.5  # weight of the second head's, as in torchvision's reference training


def untrained_zoo(model: str, pixels: int, seed: int) -> Recipe:
    """The network ``model`` of torchvision's, untrained, on 64 synthetic images [3, ``pixels``, ``pixels``].

    Detectors and segmentation have 8 images, two a step on a CPU.
    """
    kind = "classification" if model in PIXELS else kind_of(model)  # which loads torchvision: seconds
    if kind != "classification":
        return _dense(model, kind, pixels, seed)
    return Recipe(
        data=lambda: splits(seed, pixels),
        model=partial(untrained, model, pixels),
        batches=batches,
        steps_per_epoch=lambda examples: examples // CPU_BATCH,
        optimizer=sgd,
        schedule=constant,
        learning_rate=0.1,
    )


def _dense(model: str, kind: str, pixels: int, seed: int) -> Recipe:
    return Recipe(
        data=lambda: dense_splits(seed, kind, pixels),
        model=partial(untrained, model, pixels),
        batches=dense_batches,
        steps_per_epoch=lambda examples: examples // DENSE_CPU_BATCH,
        optimizer=sgd,
        schedule=constant,
        learning_rate=1e-3,  # detectors without trained backbones diverge at ten times that
        loss=own_loss if kind == "detection" else two_heads,
    )


@lru_cache(maxsize=2)
def dense_splits(seed: int, kind: str, pixels: int) -> Splits:
    """Seeded noise [8, 3, ``pixels``, ``pixels``] as all three parts; targets of segmentation are classes of pixels."""
    generator = torch.Generator().manual_seed(seed)
    shape = (DENSE_EXAMPLES, pixels, pixels) if kind == "segmentation" else (DENSE_EXAMPLES,)
    targets = torch.randint(VOC_CLASSES, shape, generator=generator)
    part = Split(inputs=torch.randn(DENSE_EXAMPLES, 3, pixels, pixels, generator=generator), targets=targets)
    return Splits(train=part, validation=part, test=part)


def dense_batches(train: Split, _generator: torch.Generator) -> Iterator[Batch]:
    """The images in their order, two a step on a CPU and all on an accelerator."""
    size = DENSE_CPU_BATCH if train.inputs.device.type == "cpu" else DENSE_EXAMPLES
    for inputs, targets in zip(train.inputs.split(size), train.targets.split(size), strict=True):
        yield Batch(inputs=inputs, targets=targets)


def own_loss(_trainee: Trainee, _batch: Batch, output: Tensor) -> Tensor:
    """A detector in training answers its loss."""
    return output


def two_heads(_trainee: Trainee, batch: Batch, output: Mapping[str, Tensor]) -> Tensor:
    """Cross-entropy over all pixels, of the first head and, less, of the second where there is one."""
    weights = {"out": 1.0, "aux": AUXILIARY_LOSS}
    losses = [weights[name] * cross_entropy(head, batch.targets) for name, head in output.items()]
    return torch.stack(losses).sum()


def _declare(model: str, pixels: int, *, kind: str = "classification", full: bool = True) -> None:
    def recipe(seed: int) -> Recipe:
        return untrained_zoo(model, pixels, seed)

    recipe.__name__ = recipe.__qualname__ = PREFIX + model
    recipe.__doc__ = f"torchvision's {model} on synthetic {pixels} x {pixels} images: speed, size and memory only."
    dense, busy = kind != "classification", model == TRANSFORMER
    techniques = ("baseline", "channels_last") if kind == "detection" else CPU_TECHNIQUES
    workload(
        source="none",
        quick=False,
        default={"cpu": False, "accelerator": True} if busy else False,
        full=full,
        batch={"cpu": DENSE_CPU_BATCH, "accelerator": DENSE_EXAMPLES} if dense else BATCH,
        techniques={"cpu": techniques, "accelerator": TRANSFORMER_TECHNIQUES} if busy else techniques,
    )(recipe)


def _declare_by_name(model: str) -> None:
    _declare(model, published_pixels(model), kind=kind_of(model), full=False)


for _model, _pixels in PIXELS.items():
    _declare(_model, _pixels, full=_model in IN_FULL)
workload_family(
    Family(
        prefix=PREFIX,
        about="Any other network of torchvision's for classification, detection or segmentation, on synthetic images.",
        names=known,
        declare=_declare_by_name,
    )
)
