"""Mixed precision in bfloat16 for training: the range of float32, so no gradient scaling is needed.

Kalamkar et al. 2019, https://arxiv.org/abs/1905.12322. Weights stay in float32 and are cast at every step; what
serves in bfloat16 casts them once (`pure_bf16`). Pays where the processor has bfloat16 products.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from suite.registry import technique
from suite.training.recipe import Precision, Recipe


@technique(slots=("precision",), family="precision", needs=("bf16",), precision="bf16")
def amp_bf16(recipe: Recipe) -> Recipe:
    """Train under autocast to bfloat16; the network is served in float32."""
    return replace(recipe, precision=Precision(autocast=torch.bfloat16))
