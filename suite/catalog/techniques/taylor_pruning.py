"""Taylor pruning: remove the channels whose removal changes the loss least, to first order, then fine-tune.

Molchanov et al. 2017, https://arxiv.org/abs/1611.06440; of weights as Molchanov et al. 2019,
https://arxiv.org/abs/1906.10771: a channel counts by the absolute sum of weight times gradient over what goes with it.
Gradients are those of some training batches, in evaluation mode. Dependencies between layers are torch-pruning's, as in
structured_pruning, whose rule by weights alone is the contrast. The network that is left is small and dense.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import torch
from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.loop import add_gradients, start
from suite.training.recipe import Recipe, Tuner
from suite.training.surgery.channels import remove_channels

BATCHES = 8  # whose gradients are added up


@technique(
    slots=("finish",),
    family="pruning",
    control="extra_epochs(epochs={epochs})",
    sweep={"ratio": (0.3, 0.5, 0.7)},
    needs=("training", "torch_pruning"),
    quick=False,
)
def taylor_pruning(recipe: Recipe, *, ratio: float = 0.5, epochs: int = 5) -> Recipe:
    """Remove a share ``ratio`` of the channels of every layer but the last, by their effect on the loss."""
    if not 0 <= ratio < 1:
        raise UsageError(f"taylor_pruning: ratio must be in [0, 1), got {ratio}")
    if epochs < 0:
        raise UsageError(f"taylor_pruning: epochs must be 0 or more, got {epochs}")

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        import torch_pruning  # a second to import

        network = recipe.finish(network, tuner)
        _add_gradients(network, tuner)
        importance = torch_pruning.importance.GroupTaylorImportance(
            multivariable=True
        )  # the sum over a channel, then its absolute value
        remove_channels(network, tuner.example, ratio, technique="taylor_pruning", importance=importance)
        network.zero_grad(set_to_none=True)
        tuner.train(network, epochs=epochs)
        return network

    return replace(recipe, finish=finish)


def _add_gradients(network: nn.Module, tuner: Tuner) -> None:
    """Gradients of the recipe's loss over the first training batches; statistics stay."""
    recipe = tuner.recipe
    trainee = start(recipe, seed=tuner.seed, device=tuner.device, reference=tuner.reference, network=network)
    network.eval()
    train = tuner.splits.train.to(tuner.device)
    for batch in islice(recipe.batches(train, torch.Generator().manual_seed(tuner.seed)), BATCHES):
        add_gradients(trainee, batch)
