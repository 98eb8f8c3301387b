"""Quantization-aware training: fine-tune with weights on a grid of ``bits``, the inputs of layers on one of 8 bits.

Jacob et al. 2018, https://arxiv.org/abs/1712.05877: fake quantization and the straight-through estimator. Scales are
fit by least squares and follow the weights; learnt ones are Esser et al. 2020, https://arxiv.org/abs/1902.08153. The
artefact holds packed codes and scales, decoded and compared before it counts; biases, norms and embeddings stay. Served
are the decoded weights in float, with inputs rounded as integer kernels would: outputs are those of integers, speed is
not (rounding costs a little).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import invariants
from suite.training.recipe import Recipe, Tuner
from suite.training.runtime import coded
from suite.training.surgery import grids, rounding
from suite.training.trees import to


@technique(
    slots=("finish", "quantize", "runtime"),
    family="quantization",
    control="extra_epochs(epochs={epochs})",
    sweep={"bits": (8, 4, 2)},
    quick=False,
    promises=lambda *, bits, per_channel, **_: invariants.Levels(
        2**bits - 1, grids.ROW if per_channel else grids.TENSOR
    ),
)
def simulated_qat(recipe: Recipe, *, bits: int = 8, per_channel: bool = True, epochs: int = 3) -> Recipe:
    """Fine-tune for ``epochs`` with weights of ``bits`` bits, one scale for each output channel or for each tensor."""
    if bits not in grids.BITS:
        raise UsageError(f"simulated_qat: bits must be one of {', '.join(map(str, grids.BITS))}, got {bits}")
    if epochs < 0:
        raise UsageError(f"simulated_qat: epochs must be 0 or more, got {epochs}")
    grid = grids.Grid(bits=bits, group=grids.ROW if per_channel else grids.TENSOR)

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        inputs = rounding.RoundedInputs()
        inputs.begin(network)
        rounding.observe(network, to(tuner.splits.train.first(rounding.OBSERVED_BATCH).inputs, tuner.device))
        tuner.hold(inputs)
        tuner.hold(rounding.Rounded(grid))
        tuner.train(network, epochs=epochs)
        grids.settle(network, grid)  # where nothing was trained
        return network

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        network = recipe.quantize(network, calibration)
        grids.settle(network, grid)  # where a later technique left the grid
        return network

    runtime = coded(recipe.runtime, lambda network: grids.coded_bytes(network, grid))
    return replace(recipe, finish=finish, quantize=quantize, runtime=runtime)
