"""Mixed precision in bfloat16: the range of float32, so no gradient scaling is needed.

Kalamkar et al. 2019, https://arxiv.org/abs/1905.12322.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from suite.registry import technique
from suite.training.recipe import Precision, Recipe


@technique(slots=("precision",), needs=("bf16",))
def amp_bf16(recipe: Recipe) -> Recipe:
    """Autocast to bfloat16 in training and in serving."""
    return replace(recipe, precision=Precision(autocast=torch.bfloat16))
