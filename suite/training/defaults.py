"""What a recipe does where a workload does not say: batches, optimizer, schedule and loss that fit most networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from suite.errors import UsageError
from suite.training.data import Batch, Split

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

BATCH = 64


def shuffled_batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
    """Shuffled batches of 64 items, the last one shorter."""
    import torch

    from suite.training.trees import leaves, take

    order = torch.randperm(len(train), generator=generator).to(leaves(train.inputs)[0].device)
    for chosen in order.split(BATCH):
        yield Batch(inputs=take(train.inputs, chosen), targets=take(train.targets, chosen))


def adamw(parameters: Iterable[nn.Parameter], learning_rate: float) -> Optimizer:
    """AdamW with torch's default decay (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101)."""
    from torch.optim import AdamW

    return AdamW(parameters, lr=learning_rate)


def cosine(optimizer: Optimizer, _learning_rate: float, steps: int) -> LRScheduler:
    """From the peak down to zero along a cosine (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983)."""
    from torch.optim.lr_scheduler import CosineAnnealingLR

    return CosineAnnealingLR(optimizer, T_max=max(1, steps))


def usual_loss(_trainee: Any, batch: Batch, output: Tensor) -> Tensor:
    """Cross-entropy of outputs [B, K, ...] for whole-number targets [B, ...], mean squared error for others.

    Raises `UsageError` for outputs or targets that are no single tensors: such a workload brings a loss of its own.
    """
    import torch.nn.functional as F  # noqa: N812  # torch's own convention
    from torch import Tensor

    targets = batch.targets
    if not isinstance(output, Tensor) or not isinstance(targets, Tensor):
        kinds = f"{type(output).__name__} and {type(targets).__name__}"
        raise UsageError(f"outputs and targets are {kinds}, for which there is no usual loss; give the recipe a loss")
    if targets.is_floating_point():
        return F.mse_loss(output.reshape(targets.shape), targets)
    return F.cross_entropy(output, targets)
