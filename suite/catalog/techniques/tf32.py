"""TensorFloat-32: float32 products round their inputs to ten bits of mantissa, on tensor cores.

NVIDIA's Ampere whitepaper; torch's notes: https://docs.pytorch.org/docs/stable/notes/cuda.html. Faster where matrix
products or convolutions bound the time, in training and in serving; size and memory stay. Torch lets cuDNN's
convolutions use it by itself, so a baseline of convolutions gains in its Linear layers alone.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("flags",), family="precision", needs=("tensorfloat32",), quick=False)
def tf32(recipe: Recipe) -> Recipe:
    """Let float32 products round their inputs to TF32, in training and in serving."""
    flags = {**recipe.flags, "float32_matmul_precision": "high", "cudnn_allow_tf32": 1}
    return replace(recipe, flags=flags)
