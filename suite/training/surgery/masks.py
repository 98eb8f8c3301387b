"""Masks of unstructured pruning: which weights of a network are zero, and training that keeps them so.

A mask is 0 where a weight is pruned and 1 elsewhere, in the weight's shape. Weights are masked as tensors, not through
their layers: attention reads its own without calling them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from suite.core.errors import UnavailableError, UsageError
from suite.training.recipe import Recipe, Tuner

MATRIX = 2  # dimensions of the least weight that is pruned: biases and scales are few and matter

NORMS = ("_WeightNorm", "_SpectralNorm")  # torch's parametrizations

GROUP = 4  # neighbours of which sparse tensor cores multiply two

Masks = dict[nn.Parameter, Tensor]


def check(technique: str, sparsity: float, epochs: int = 0) -> None:
    """Raise `UsageError` for a share that is not in [0, 1) or for fewer than no epochs."""
    if not 0 <= sparsity < 1:
        raise UsageError(f"{technique}: sparsity must be in [0, 1), got {sparsity}")
    if epochs < 0:
        raise UsageError(f"{technique}: epochs must be 0 or more, got {epochs}")


def masked(
    recipe: Recipe, choose: Callable[[nn.Module, Tuner], Masks], *, epochs: int
) -> Callable[[nn.Module, Tuner], nn.Module]:
    """A ``finish`` that applies the masks that ``choose`` gives, then fine-tunes while they hold."""

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = recipe.finish(network, tuner)  # earlier techniques first: composition order
        masks = choose(network, tuner)
        apply(masks)
        tuner.hold(Masked(masks))
        tuner.train(network, epochs=epochs)
        return network

    return finish


class Masked:
    """A constraint: what is masked stays zero, in this fine-tuning and in later ones."""

    rank = 0

    def __init__(self, masks: Masks) -> None:
        self.masks = masks

    def begin(self, network: nn.Module) -> None:
        """Weights that another technique replaced are masked no more; in what it made of them zeros have moved."""
        left = {id(weight): weight.shape for weight in network.parameters()}
        self.masks = {weight: mask for weight, mask in self.masks.items() if left.get(id(weight)) == mask.shape}

    def restore(self, _network: nn.Module) -> None:
        apply(self.masks)


@torch.no_grad()
def across(scores: Masks, sparsity: float) -> Masks:
    """Masks that are 0 for the share ``sparsity`` of all weights with the lowest scores: one threshold for all."""
    keep = _keep(torch.cat([score.flatten() for score in scores.values()]), sparsity)
    parts = keep.split([score.numel() for score in scores.values()])
    return {weight: part.view(weight.shape) for weight, part in zip(scores, parts, strict=True)}


@torch.no_grad()
def each(scores: Masks, sparsity: float) -> Masks:
    """Masks that are 0 for the share ``sparsity`` of every weight tensor, lowest scores first."""
    return {weight: _keep(score.flatten(), sparsity).view(weight.shape) for weight, score in scores.items()}


@torch.no_grad()
def of_four(scores: Masks) -> Masks:
    """Masks that are 0 for the two lowest scores of every four inputs (dimension 1) that follow one another.

    Weights whose inputs cannot be divided by four are left out. Raises `UnavailableError` where that is all of them.
    """
    found = {weight: _keep_two(score) for weight, score in scores.items() if score.shape[1] % GROUP == 0}
    if not found:
        raise UnavailableError("no weight of the network has a number of inputs that is a multiple of four")
    return found


@torch.no_grad()
def magnitudes(network: nn.Module) -> Masks:
    """The absolute value of every prunable weight."""
    return {weight: weight.abs() for weight in prunable(network)}


def chances(network: nn.Module, seed: int) -> Masks:
    """For every prunable weight uniform random numbers of a seed, drawn on the CPU: the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return {weight: torch.rand(weight.shape, generator=generator).to(weight.device) for weight in prunable(network)}


def prunable(network: nn.Module) -> list[nn.Parameter]:
    """Real weights of two or more dimensions (matrices, filters) but for embeddings; one that is shared counts once.

    The factors of weight and spectral norm are left out: zeros have no direction and no norm, and their layer would
    answer NaN. Raises `UnavailableError` for a network that has none; it says whether others are left out.
    """
    left = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
    left |= {id(weight) for weight in _normalized(network)}
    real = [p for p in network.parameters() if p.dim() >= MATRIX and p.is_floating_point()]
    found = [p for p in real if p.requires_grad and id(p) not in left]
    if not found:
        raise UnavailableError(f"the network has no weight of two or more dimensions to change{_why(real)}")
    return found


def _why(real: Sequence[nn.Parameter]) -> str:
    """What is said of weights of two or more dimensions that are left out."""
    if any(not one.requires_grad for one in real):
        return ": all are frozen (requires_grad=False); set it on those that may change"
    if not real:
        return ""
    return ": all are embeddings, or factors of weight or spectral norm; remove_parametrizations first"


def _normalized(network: nn.Module) -> Iterator[nn.Parameter]:
    """The factors g and v of weight norm, of torch's hook and its parametrization, and what spectral norm divides."""
    for module in network.modules():
        own = dict(module.named_parameters(recurse=False))
        if isinstance(module, ParametrizationList) and any(type(one).__name__ in NORMS for one in module):
            yield from own.values()
        for name, weight in own.items():
            if name.endswith("_v") and f"{name[:-2]}_g" in own:
                yield from (weight, own[f"{name[:-2]}_g"])
            if name.endswith("_orig") and hasattr(module, f"{name[:-5]}_u"):  # of the hook of spectral norm
                yield weight


@torch.no_grad()
def apply(masks: Masks) -> None:
    """Zero what is masked, in place."""
    for weight, mask in masks.items():
        weight.mul_(mask)


def _keep(scores: Tensor, sparsity: float) -> Tensor:
    """1 for all but the ``round(sparsity * N)`` lowest of scores [N]; of equal ones the first goes first."""
    keep = torch.ones_like(scores)
    keep[scores.argsort(stable=True)[: round(sparsity * len(scores))]] = 0
    return keep


def _keep_two(scores: Tensor) -> Tensor:
    """1 for the two highest of every four neighbours along dimension 1; of equal ones the first goes first."""
    inputs_last = scores.movedim(1, -1)
    groups = inputs_last.reshape(-1, GROUP)
    keep = torch.ones_like(groups).scatter_(1, groups.argsort(dim=1, stable=True)[:, : GROUP // 2], 0)
    return keep.view(inputs_last.shape).movedim(-1, 1)
