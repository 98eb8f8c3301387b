"""Quantization-aware training to real int8: fine-tune with fake quantization, then serve int8 kernels (PT2E, x86).

Jacob et al. 2018, https://arxiv.org/abs/1712.05877: batch normalisation is folded, weights have a scale for each output
channel and activations one for each tensor; gradients pass rounding unchanged. Observers and running statistics are
frozen for the last third of the epochs (Krishnamoorthi 2018, https://arxiv.org/abs/1806.08342, section 3.2). What is
served is as static_int8's: size and speed are the same, quality is what the training is for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.compiling import compile_frozen
from suite.training.exporting import exported_bytes
from suite.training.recipe import Recipe, Tuner
from suite.training.runtime import coded, running
from suite.training.surgery import quantization_training as qat_pt2e
from suite.training.surgery.static_quantization import OBSERVED_BATCH, quantizable
from suite.training.trees import to

FROZEN_AFTER = 2 / 3  # of the epochs


@technique(
    slots=("finish", "quantize", "runtime"),
    family="quantization",
    control="extra_epochs(epochs={epochs})",
    needs=("compiler", "int8_cpu", "torchao", quantizable),
    conflicts=("compiled", "compiled_training", "gradient_checkpointing"),  # which trace the network, too
    quick=False,
)
def qat(recipe: Recipe, *, epochs: int = 3) -> Recipe:
    """Fine-tune for ``epochs`` with weights and activations rounded to int8, then serve them in it."""
    if epochs < 0:
        raise UsageError(f"qat: epochs must be 0 or more, got {epochs}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        example = to(tuner.splits.train.first(OBSERVED_BATCH).inputs, tuner.device)
        rounded = qat_pt2e.prepared(network, example)
        tuner.train(rounded, epochs=epochs, after_step=qat_pt2e.frozen_after(FROZEN_AFTER))
        return rounded

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        return qat_pt2e.converted(recipe.quantize(network, calibration))

    runtime = coded(running(recipe.runtime, lambda network, _: compile_frozen(network)), exported_bytes)
    return replace(recipe, finish=finish, quantize=quantize, runtime=runtime)
