"""Low rank: each layer becomes the product of two thin ones (truncated SVD), then the network is fine-tuned.

Denton et al. 2014, https://arxiv.org/abs/1404.0736, and Jaderberg et al. 2014, https://arxiv.org/abs/1405.3866: a
Linear layer becomes two, a k x k convolution a k x 1 and a 1 x k one. The best approximation of its rank (Eckart &
Young 1936). A layer that would not get smaller stays as it is, as grouped convolutions do. Fewer parameters, bytes and
multiply-accumulates; two short kernels may take longer than a long one.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training import invariants
from suite.training.recipe import Recipe, Tuner
from suite.training.surgery.factoring import factor
from suite.training.surgery.tied import uses


@technique(
    slots=("finish",),
    family="structure",
    control="extra_epochs(epochs={epochs})",
    sweep={"energy": (0.8, 0.9, 0.95)},
    quick=False,
    sizes_follow_weights=("parameters", "nonzero_parameters", "artefact_bytes", "macs"),
    promises=lambda *, rank, **_: invariants.Ranked(rank),
)
def low_rank(recipe: Recipe, *, energy: float = 0.9, rank: int = 0, epochs: int = 3) -> Recipe:
    """Factor layers to ``rank``, or for 0 to the least that keeps the share ``energy`` of squared weights."""
    if not 0 < energy <= 1:
        raise UsageError(f"low_rank: energy must be in (0, 1], got {energy}")
    for name, value in (("rank", rank), ("epochs", epochs)):
        if value < 0:
            raise UsageError(f"low_rank: {name} must be 0 or more, got {value}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = _factored(recipe.finish(network, tuner), energy, rank)
        tuner.train(network, epochs=epochs)
        return network

    return replace(recipe, finish=finish)


def _factored(network: nn.Module, energy: float, rank: int) -> nn.Module:
    """Replace layers that are plain and share no weight; others are read by whom they belong to."""
    count = uses(network)
    layers = [
        (name, m) for name, m in network.named_modules()
        if (type(m) is nn.Linear or (type(m) is nn.Conv2d and m.groups == 1)) and count[id(m.weight)] <= 1
    ]  # fmt: skip
    if not layers:
        raise UnavailableError("low_rank: the network has no Linear layer or convolution with a weight of its own")
    for name, layer in layers:
        if not name:
            return factor(layer, energy, rank)
        network.set_submodule(name, factor(layer, energy, rank))
    return network
