"""Muon: the momentum of each hidden matrix is orthogonalised before it is subtracted; AdamW updates all else.

Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/, as torch.optim.Muon: five Newton-Schulz steps in
bfloat16. Steps are scaled to AdamW's size by Liu et al. 2025, https://arxiv.org/abs/2502.16982, so the recipe's rate
and decay serve both. Embeddings, the output layer, filters, norms and biases stay with the recipe's Adam or AdamW. One
moment less is held for each hidden matrix, and a step takes longer. Serving stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from weakref import ref

from torch import nn
from torch.optim import Adam, AdamW, Muon, Optimizer

from suite.core.errors import UnavailableError
from suite.registry import technique
from suite.training.optimizers import Together
from suite.training.recipe import Recipe
from suite.training.surgery.output_layers import output_layers
from suite.training.surgery.rebuilding import evaluating
from suite.training.trees import to

MATRIX = 2  # dimensions


def has_hidden_matrices(case: Any) -> str | None:
    """Why nothing of the network can be orthogonalised; a need of this technique."""
    plain = case.workload.plain(0)
    network = plain.model()
    if any(weight.dim() == MATRIX for weight in {*network.parameters()} - ends(network, plain)):
        return None
    return f"the network of {case.workload.name} has no matrix between its embeddings and its output layer"


@technique(slots=("optimizer", "prepare"), family="optimizer", needs=("adam", has_hidden_matrices), quick=False)
def muon(recipe: Recipe, *, momentum: float = 0.95) -> Recipe:
    """Orthogonalise the updates of hidden matrices, with Nesterov's ``momentum``."""
    known: dict[int, Any] = {}  # the optimizer is built of weights that do not say what they are

    def prepare(network: nn.Module) -> Callable[[Any], Any]:
        known.update({id(weight): ref(weight) for weight in ends(network, recipe)})
        return recipe.prepare(network)

    def is_hidden(weight: nn.Parameter) -> bool:
        found = known.get(id(weight))
        return weight.dim() == MATRIX and (found is None or found() is not weight)

    def optimizer(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        return _parted(recipe.optimizer(parameters, rate), is_hidden, momentum)

    return replace(recipe, optimizer=optimizer, prepare=prepare)


def ends(network: nn.Module, recipe: Recipe) -> set[nn.Parameter]:
    """The weights of embeddings and of what makes the outputs."""
    device = str(next(network.parameters()).device)
    with evaluating(network):
        last = output_layers(network, to(recipe.data().train.first(2).inputs, device))
    first = [module for module in network.modules() if isinstance(module, nn.Embedding)]
    return {weight for layer in (*first, *last) for weight in layer.parameters()}


def _parted(plain: Optimizer, is_hidden: Callable[[nn.Parameter], bool], momentum: float) -> Optimizer:
    """Raises `UnavailableError` for any other rule than Adam's and AdamW's."""
    if type(plain) not in (Adam, AdamW):
        raise UnavailableError(f"muon: the recipe's optimizer is {type(plain).__name__}, not Adam or AdamW")
    groups = [
        {"lr": group["lr"], "weight_decay": group["weight_decay"], "params": list(filter(is_hidden, group["params"]))}
        for group in plain.param_groups
    ]
    for group in plain.param_groups:
        group["params"] = [weight for weight in group["params"] if not is_hidden(weight)]
    orthogonal = Muon([g for g in groups if g["params"]], momentum=momentum, adjust_lr_fn="match_rms_adamw")
    return Together([orthogonal, plain])
