"""Defaults of a recipe: batches, optimizer, schedule and loss that fit most networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from suite.core.errors import UsageError
from suite.training.data import Batch, Split

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

BATCH = 64


def shuffled_batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
    """Shuffled batches of 64 items, the last one shorter; one item that is left over is left out (norms need two)."""
    import torch

    from suite.training.trees import leaves, take

    order = torch.randperm(len(train), generator=generator).to(leaves(train.inputs)[0].device)
    for chosen in order.split(BATCH):
        if len(chosen) == 1 < len(train):
            return
        yield Batch(inputs=take(train.inputs, chosen), targets=take(train.targets, chosen))


def adamw(parameters: Iterable[nn.Parameter], learning_rate: float) -> Optimizer:
    """AdamW with torch's default decay (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101)."""
    from torch.optim import AdamW

    return AdamW(parameters, lr=learning_rate)


def cosine(optimizer: Optimizer, _learning_rate: float, steps: int) -> LRScheduler:
    """From the peak down to zero along a cosine (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983)."""
    from torch.optim.lr_scheduler import CosineAnnealingLR

    return CosineAnnealingLR(optimizer, T_max=max(1, steps))


def usual_loss(_trainee: Any, batch: Batch, output: Any) -> Tensor:
    """Cross-entropy of outputs [B, K, ...] for whole-number targets [B, ...], mean squared error for others.

    Raises `UsageError` for outputs or targets that are no single tensors: such a workload brings a loss of its own.
    """
    import torch.nn.functional as F  # noqa: N812  # torch's own convention

    output, targets = _pair(output, batch.targets)
    if not targets.is_floating_point():
        return F.cross_entropy(output, targets)
    if output.numel() != targets.numel():
        raise UsageError(
            f"outputs {tuple(output.shape)} and floating-point targets {tuple(targets.shape)} must hold as many values "
            "for each item; give classes as whole numbers (targets.long()), or the recipe a loss"
        )
    return F.mse_loss(output.reshape(targets.shape), targets)


def usual_class_loss(_trainee: Any, batch: Batch, output: Any) -> Tensor:
    """`usual_loss` where the scores are those of classification: cross-entropy, of one output that of its logit.

    Targets [B] are classes, also as floating-point numbers; [B, K] are one-hot or probabilities. Raises `UsageError`.
    """
    import torch.nn.functional as F  # noqa: N812  # torch's own convention

    output, targets = _pair(output, batch.targets)
    if output.numel() == len(output):
        return F.binary_cross_entropy_with_logits(output.flatten(), targets.flatten().to(output.dtype))
    if targets.is_floating_point() and targets.shape != output.shape:
        targets = targets.long()
    return F.cross_entropy(output, targets)


def once(_trainee: Any, batch: Batch, backward: Callable[[Batch], Tensor]) -> Tensor:
    """The gradients of the batch as it is, computed once."""
    return backward(batch)


def _pair(output: Any, targets: Any) -> tuple[Tensor, Tensor]:
    """Both as single tensors; of a tuple the first, of named outputs the logits."""
    from torch import Tensor

    from suite.training.trees import answer_of

    if not isinstance(targets, Tensor) or not isinstance(output, Tensor | Mapping | tuple | list):
        kinds = f"{type(output).__name__} and {type(targets).__name__}"
        raise UsageError(f"outputs and targets are {kinds}, for which there is no usual loss; give the recipe a loss")
    return answer_of(output), targets
