"""LoRA: fine-tune a product of two thin matrices beside each Linear weight, all else frozen, and add it at the end.

Hu et al. 2022, https://arxiv.org/abs/2106.09685: ``W + alpha / rank * up @ down``, ``up`` zero at first. Fewer weights
have gradients and moments while fine-tuning, so it needs less memory; the memory metrics are those of the first
training and do not show it. The products are merged before serving: size and speed are the plain network's. The
control fine-tunes all weights as long. Convolutions, norms and embeddings stay frozen.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Tuner
from suite.training.surgery.adapters import adapted


@technique(
    slots=("finish",),
    family="fine-tuning",
    control="extra_epochs(epochs={epochs})",
    sweep={"rank": (2, 8, 32)},
    needs=("training",),
    quick=False,
)
def lora(recipe: Recipe, *, rank: int = 8, alpha: float = 16.0, epochs: int = 3) -> Recipe:
    """Fine-tune for ``epochs`` an update of ``rank`` of each Linear weight, scaled by ``alpha / rank``."""
    if rank < 1:
        raise UsageError(f"lora: rank must be 1 or more, got {rank}")
    if alpha <= 0:
        raise UsageError(f"lora: alpha must be above 0, got {alpha}")
    if epochs < 0:
        raise UsageError(f"lora: epochs must be 0 or more, got {epochs}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)
        if tuner.constraints or tuner.recipe.constraints:
            raise UnavailableError(
                "lora: an earlier technique holds weights (zeros, a grid), which the merged update would undo; name "
                "lora before it, or leave it out if that holds from the first step"
            )
        with adapted(network, rank, alpha / rank, "lora") as tuned:
            tuner.train(tuned, epochs=epochs)
        return network

    return replace(recipe, finish=finish)
