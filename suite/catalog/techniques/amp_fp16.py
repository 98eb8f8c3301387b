"""Mixed precision in float16 for training, with dynamic loss scaling.

Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740. Without scaling small gradients underflow; the scaler's
first steps may be skipped while it finds its scale.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from suite.registry import technique
from suite.training.recipe import Precision, Recipe


@technique(slots=("precision",), family="precision", needs=("fp16",), precision="fp16")
def amp_fp16(recipe: Recipe) -> Recipe:
    """Train under autocast to float16 with a GradScaler; the network is served in float32."""
    return replace(recipe, precision=Precision(autocast=torch.float16, scale_gradients=True))
