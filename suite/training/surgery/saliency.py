"""Which weights of an untrained network matter: scores by the gradient of its loss, or of the flow through it.

Zeros come out as masks, see `suite.training.surgery.masks`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from suite.core.errors import UnavailableError
from suite.training.copying import copied
from suite.training.devices import autocast, own_random_numbers, place
from suite.training.loop import first_batch, loss_of
from suite.training.recipe import Recipe, Trainee
from suite.training.surgery.masks import Masks, across, apply, prunable
from suite.training.surgery.segments import still_statistics
from suite.training.trees import Tree, leaves, to, tree_map

ROUNDS = 100  # of SynFlow, as in the paper


def snip(network: nn.Module, recipe: Recipe) -> Masks:
    """Connection sensitivity of every prunable weight, ``|w dL/dw|`` on the first batch of a training of seed 0.

    Lee et al. 2019, https://arxiv.org/abs/1810.02340. Neither gradients nor statistics of the network move. Raises
    `UnavailableError` for a loss that needs another network: none is trained yet.
    """
    weights = prunable(network)
    device = str(weights[0].device)
    with own_random_numbers(device), still_statistics(network), torch.enable_grad():
        loss = _first_loss(network, recipe, device)
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return {weight: _score(weight, gradient) for weight, gradient in zip(weights, gradients, strict=True)}


def synflow(network: nn.Module, example: Tree, sparsity: float) -> Masks:
    """Masks that leave the flow through the network: scores ``|w dR/dw|`` of absolute weights on an input of ones.

    Tanaka et al. 2020, https://arxiv.org/abs/2006.05467: ``ROUNDS`` of scoring and pruning with exponentially falling
    density, in float64 on the CPU, on a copy; no data are seen, ``example`` (a tree [1, ...]) says their form. Raises
    `UnavailableError` for inputs that are no floating-point numbers.
    """
    if not all(leaf.is_floating_point() for leaf in leaves(example)):
        raise UnavailableError("synflow: the inputs are not floating-point numbers, and an input of ones says nothing")
    linear = _absolute(network)
    ones = tree_map(lambda leaf: torch.ones_like(leaf, dtype=torch.float64, device="cpu"), example)
    found: Masks = {}
    for count in range(1, ROUNDS + 1):
        found = across(_flow(linear, ones), 1 - (1 - sparsity) ** (count / ROUNDS))
        apply(found)
    pairs = zip(prunable(network), found.values(), strict=True)
    return {weight: mask.to(weight) for weight, mask in pairs}


def kept(network: nn.Module, sparsity: float) -> Masks | None:
    """The masks of weights that are zero already, in a network of that ``sparsity``; none of one that is not pruned."""
    weights = prunable(network)
    zeros, total = sum(int((w == 0).sum()) for w in weights), sum(w.numel() for w in weights)
    if zeros < max(1, round(sparsity * total)):
        return None
    return {weight: (weight != 0).to(weight.dtype) for weight in weights}


def _first_loss(network: nn.Module, recipe: Recipe, device: str) -> Tensor:
    trainee = Trainee(
        recipe=recipe, network=network, forward=network, device=device, seed=0, reference=_nobody
    )  # fmt: skip
    train = recipe.data().train.to(device)
    batch = first_batch(recipe, train, torch.Generator().manual_seed(0))
    with autocast(recipe.precision, device):
        return loss_of(trainee, batch, network(place(batch.inputs, recipe.layout)))


def _nobody(composition: str) -> nn.Module:
    raise UnavailableError(
        f"snip: the loss asks for the trained network of {composition}, and weights are scored before anything is "
        "trained; write the technique that prunes before the one that brings this loss"
    )


@torch.no_grad()
def _absolute(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose weights and buffers have no sign: what flows adds up."""
    linear = copied(network).cpu().double().eval()
    for tensor in (*linear.parameters(), *linear.buffers()):
        if tensor.is_floating_point():
            tensor.abs_()
    return linear


def _flow(linear: nn.Module, ones: Tree) -> Masks:
    weights = prunable(linear)
    with torch.enable_grad():
        total = sum((leaf.sum() for leaf in leaves(to(linear(ones), "cpu"))), torch.zeros((), dtype=torch.float64))
        gradients = torch.autograd.grad(total, weights, allow_unused=True)
    return {weight: _score(weight, gradient) for weight, gradient in zip(weights, gradients, strict=True)}


def _score(weight: Tensor, gradient: Tensor | None) -> Tensor:
    """Nothing of a weight that the answer does not depend on."""
    return torch.zeros_like(weight) if gradient is None else (weight * gradient).abs().detach()
