"""Losses that hold a student to a teacher."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor

from suite.core.errors import UsageError


def soft_loss(output: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """``KL(teacher / T || student / T)`` of class scores [B, C], the mean of a batch (Hinton et al. 2015).

    https://arxiv.org/abs/1503.02531; multiply by T^2 to keep the gradients' scale.
    """
    return F.kl_div(
        F.log_softmax(output / temperature, dim=1),
        F.log_softmax(teacher / temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )


def check(technique: str, temperature: float, weight: float) -> None:
    """Raise `UsageError` for a temperature of 0 or less or a weight outside [0, 1]."""
    if temperature <= 0 or not 0 <= weight <= 1:
        raise UsageError(
            f"{technique}: temperature must be above 0 and weight in [0, 1], got {temperature} and {weight}"
        )
