"""Losses that hold a student to a teacher."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor

from suite.core.errors import UsageError
from suite.training.recipe import Trainee


def soft_loss(output: Tensor, teacher: Tensor, temperature: float, dim: int = -1) -> Tensor:
    """``KL(teacher / T || student / T)`` of class scores, the mean over all that is classified (Hinton et al. 2015).

    Scores are [B, K], of a language model [B, T, V]; ``dim`` is the classes' dimension.
    https://arxiv.org/abs/1503.02531; multiply by T^2 to keep the gradients' scale.
    """
    student, taught = (scores.movedim(dim, -1).flatten(0, -2) / temperature for scores in (output, teacher))
    return F.kl_div(F.log_softmax(student, 1), F.log_softmax(taught, 1), reduction="batchmean", log_target=True)


def class_dim(trainee: Trainee, output: Tensor) -> int:
    """The dimension of the classes in scores of the workload's targets [N, ...]: the last, or the one after the items.

    Of targets [N, T] scores [B, T, V] have it last, and [B, V, T] after the items.
    """
    targets = trainee.recipe.data().train.targets
    return -1 if output.shape[1:-1] == targets.shape[1:] else 1


def check(technique: str, temperature: float, weight: float) -> None:
    """Raise `UsageError` for a temperature of 0 or less or a weight outside [0, 1]."""
    if temperature <= 0 or not 0 <= weight <= 1:
        raise UsageError(
            f"{technique}: temperature must be above 0 and weight in [0, 1], got {temperature} and {weight}"
        )
