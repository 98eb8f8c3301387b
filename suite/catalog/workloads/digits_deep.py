"""A deep network on handwritten digits: what training keeps for backward is most of its memory.

Sixteen convolutions at full size, each with batch normalization: activations of one batch take tens of times the bytes
of weights, gradients and moments together. So gradient checkpointing (Chen et al. 2016,
https://arxiv.org/abs/1604.06174), offloading and smaller batches show what they save. Data: those
of `digits_cnn`.
"""

from __future__ import annotations

from torch import Tensor, nn

from suite.catalog.scores import classification
from suite.catalog.workloads.digits_cnn import BATCH, FOLDS, PIXELS, digest, one_cycle, shifted_batches, splits
from suite.registry import workload
from suite.training.recipe import Recipe

DEPTH, CHANNELS = 16, 12


class DeepCNN(nn.Sequential):
    """Class scores [B, 10] of images [B, 1, 28, 28]; ``depth`` convolutions of the same shape."""

    def __init__(self, width: float = 1.0, depth: int = DEPTH) -> None:
        channels = max(1, round(width * CHANNELS))
        deeper = [_Residual(channels) for _ in range(depth - 1)]
        super().__init__(_block(1, channels), *deeper, nn.Flatten(), nn.Linear(channels * PIXELS**2, 10))


class _Residual(nn.Module):
    """A convolution with batch normalization, added to its input [B, C, H, W]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.path = _block(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.path(x)  # type: ignore[no-any-return]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


@workload(
    scores=classification(),
    techniques=("baseline", "gradient_checkpointing", "accumulation", "activation_offload"),
    digest=digest,
    quick=False,
    default=False,
)
def digits_deep(seed: int) -> Recipe:
    """Sixteen convolutions on handwritten digits: activations are most of what training holds."""
    return Recipe(
        data=lambda: splits(seed % FOLDS),
        model=DeepCNN,
        batches=shifted_batches,
        steps_per_epoch=lambda examples: examples // BATCH,
        schedule=one_cycle,
        learning_rate=1e-3,
        epochs=3,
    )
