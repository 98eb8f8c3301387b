"""torchvision's ResNet-50 on ImageNet-shaped noise: speed, size and memory where digits are launch-bound.

The data carry no meaning, so nothing is trained and no quality is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import torch
from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from suite.registry import workload
from suite.training.recipe import Batch, Recipe, Split, Splits

CLASSES = 1000
PIXELS = 224
EXAMPLES = 64
CPU_BATCH = 4


CPU_TECHNIQUES = (
    "baseline",
    "channels_last",
    "amp_bf16",
    "pure_bf16",
    "amp_fp16",
    "compiled",
    "structured_pruning",
    "static_int8",
)
ACCELERATOR_TECHNIQUES = (
    "baseline",
    "channels_last",
    "tf32",
    "amp_bf16",
    "pure_bf16",
    "amp_fp16",
    "pure_fp16",
    "compiled",
    "compiled_mode(mode='max-autotune')",
    "compiled_mode(mode='reduce-overhead')",
    "fused_optimizer",
    "gradient_checkpointing",
    "activation_offload",
)
"""What an accelerator is worth measuring with: networks that keep it busy, unlike digits, which wait for launches."""


@workload(
    source="none",
    quick={"cpu": False, "accelerator": True},
    default={"cpu": False, "accelerator": True},
    batch={"cpu": CPU_BATCH, "accelerator": EXAMPLES},
    techniques={
        "cpu": CPU_TECHNIQUES,
        "accelerator": (*ACCELERATOR_TECHNIQUES, "channels_last+pure_bf16", "structured_pruning"),
    },
)
def resnet50_synthetic(seed: int) -> Recipe:
    """ResNet-50 on synthetic 224 x 224 images: speed, size and memory only."""
    return Recipe(
        data=lambda: splits(seed),
        model=resnet50,
        batches=batches,
        steps_per_epoch=lambda examples: examples // CPU_BATCH,
        optimizer=sgd,
        schedule=constant,
        learning_rate=0.1,
    )


def resnet50(width: float = 1.0) -> nn.Module:
    """An untrained ResNet-50; ``width`` scales the channels inside its blocks. Inputs [B, 3, 224, 224]."""
    from suite.core.machine.hardware import check_torchvision  # loads torchvision: seconds

    check_torchvision()
    from torchvision.models import resnet50 as build

    return build(weights=None, width_per_group=round(64 * width))  # type: ignore[no-any-return]


@lru_cache(maxsize=2)
def splits(seed: int, pixels: int = PIXELS) -> Splits:
    """Seeded noise [64, 3, ``pixels``, ``pixels``] as all three parts."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(EXAMPLES, 3, pixels, pixels, generator=generator)
    part = Split(inputs=inputs, targets=torch.randint(CLASSES, (EXAMPLES,), generator=generator))
    return Splits(train=part, validation=part, test=part)


def batches(train: Split, _generator: torch.Generator) -> Iterator[Batch]:
    """The images in their order, 4 a step on a CPU and 64 on an accelerator: there is nothing to learn."""
    size = CPU_BATCH if train.inputs.device.type == "cpu" else EXAMPLES
    for inputs, targets in zip(train.inputs.split(size), train.targets.split(size), strict=True):
        yield Batch(inputs=inputs, targets=targets)


def sgd(parameters: Iterable[nn.Parameter], learning_rate: float) -> Optimizer:
    """SGD with momentum, as ResNets are trained."""
    return SGD(parameters, lr=learning_rate, momentum=0.9)


def constant(optimizer: Optimizer, _learning_rate: float, _steps: int) -> LRScheduler:
    """A constant learning rate."""
    return LambdaLR(optimizer, lambda _: 1.0)
