"""Weight-only int4: matrices and filters in 4 bits, two a byte, one scale for each group of neighbouring weights.

Rounded to nearest after training with the scale of least squared error; the groups are those of Dettmers & Zettlemoyer
2023, https://arxiv.org/abs/2212.09720. No data are looked at. The artefact is decoded and compared before it counts;
biases, norms and embeddings stay. Changes bytes and quality; what is served are the decoded weights, so speed, shapes
and parameters stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import invariants
from suite.training.recipe import Recipe
from suite.training.runtime import coded
from suite.training.surgery import grids

BITS = 4


@technique(
    slots=("quantize", "runtime"),
    family="quantization",
    sweep={"group": (32, 128)},
    quick=False,
    promises=lambda *, group: invariants.Levels(2**BITS - 1, group),
)
def weight_only_int4(recipe: Recipe, *, group: int = 32) -> Recipe:
    """Store weights in 4 bits, with a scale for every ``group`` of them that one output reads (0: for all of them)."""
    if group < 0:
        raise UsageError(f"weight_only_int4: group must be 0 or more, got {group}")
    grid = grids.Grid(bits=BITS, group=group)

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        network = recipe.quantize(network, calibration)
        grids.settle(network, grid)
        return network

    runtime = coded(recipe.runtime, lambda network: grids.coded_bytes(network, grid))
    return replace(recipe, quantize=quantize, runtime=runtime)
