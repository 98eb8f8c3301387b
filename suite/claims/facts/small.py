"""Small perceptrons on scikit-learn's handwritten digits: attacks, memory of examples, searches; seconds each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from suite.claims.facts.declare import slow_fact
from suite.claims.quantities import Quantity

if TYPE_CHECKING:
    from torch import Tensor, nn

SEEDS = range(5)
TRAIN = 300  # examples that a perceptron can learn by heart
STEPS = 200
STEP = 0.1  # of the attack, where pixels are in [0, 1]
TRIALS, SEARCHES = 4, 40  # shapes that a search looks at, and how often it is repeated
GUESS = 0.1  # accuracy of a guess
Shape = tuple[int, int, int]  # width, depth, side
WIDTHS, DEPTHS, SIDES = (8, 16, 32, 64, 96), (1, 2, 3), (4, 8)
KEPT = 0.1  # of the weights of a lottery ticket
BUDGET = 2500  # multiply-accumulates of an image
BY_HAND = (32, 1, 8)  # what fits the budget at first thought: 64 x 32 and 32 x 10


def over_seeds(of: Callable[[int], float]) -> Quantity:
    """The mean over seeds with Student's interval."""
    from scipy.stats import t

    values = [of(seed) for seed in SEEDS]
    half = float(t.ppf(0.975, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return Quantity(value=fmean(values), low=fmean(values) - half, high=fmean(values) + half, by_seed=tuple(values))


@cache
def _digits(seed: int, side: int = 8) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training inputs [TRAIN, side^2] and targets, then those of the test."""
    import torch
    import torch.nn.functional as F  # noqa: N812  # torch's own convention
    from sklearn.datasets import load_digits

    loaded = load_digits()
    images = torch.tensor(loaded.images, dtype=torch.float32)[:, None] / 16
    inputs, targets = F.adaptive_avg_pool2d(images, side).flatten(1), torch.tensor(loaded.target)
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(seed))
    train, test = order[:TRAIN], order[TRAIN:]
    return inputs[train], targets[train], inputs[test], targets[test]


@cache
def _trained(seed: int, width: int = 64, depth: int = 1, side: int = 8) -> nn.Sequential:
    return _fitted(_fresh(seed, width, depth, side), seed, side=side)


def _fresh(seed: int, width: int = 64, depth: int = 1, side: int = 8) -> nn.Sequential:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    sizes = [side * side, *[width] * depth]
    hidden = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(width, 10))


def _fitted(network: nn.Sequential, seed: int, *, side: int = 8, masks: Sequence[Tensor] = ()) -> nn.Sequential:
    """Trained in place; a weight that its mask excludes stays zero."""
    import torch
    from torch import nn

    inputs, targets, *_ = _digits(seed, side)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), targets).backward()
        optimizer.step()
        for weight, mask in zip(network.parameters(), masks, strict=False):
            weight.data.mul_(mask)
    return network


def _compressed(network: nn.Sequential, treatment: str) -> nn.Sequential:
    """``plain``; ``int8``: weights rounded to 8 bits; ``pruned``: the smaller half of each layer's is zero."""
    import copy

    import torch
    from torch import nn

    made = copy.deepcopy(network)
    for layer in made:
        if isinstance(layer, nn.Linear):
            with torch.no_grad():
                layer.weight.copy_({"plain": _same, "int8": _rounded, "pruned": _halved}[treatment](layer.weight))
    return made


def _same(weight: Tensor) -> Tensor:
    return weight


def _rounded(weight: Tensor) -> Tensor:
    scale = weight.abs().max() / 127
    return (weight / scale).round() * scale


def _halved(weight: Tensor) -> Tensor:
    return weight * (weight.abs() >= weight.abs().median())


def _attacked(seed: int, treatment: str) -> float:
    """Accuracy under one step of `STEP` along the gradient's sign: Goodfellow et al. 2015, arXiv:1412.6572."""
    import torch
    from torch import nn

    network = _compressed(_trained(seed), treatment)
    *_, inputs, targets = _digits(seed)
    moved = inputs.clone().requires_grad_()
    (slope,) = torch.autograd.grad(nn.functional.cross_entropy(network(moved), targets), moved)
    return float((network((inputs + STEP * slope.sign()).clamp(0, 1)).argmax(1) == targets).float().mean())


@slow_fact
def robustness_change(treatment: str) -> Quantity:
    """Accuracy under attack of an ``int8`` or ``pruned`` network less that of the plain one, over five seeds."""
    return over_seeds(lambda seed: _attacked(seed, treatment) - _attacked(seed, "plain"))


def _membership(seed: int, treatment: str) -> float:
    """Area under the curve of telling training from test examples by the loss: Yeom et al. 2018, arXiv:1709.01604."""
    import torch
    from sklearn.metrics import roc_auc_score
    from torch import nn

    network = _compressed(_trained(seed), treatment)
    inputs, targets, unseen, others = _digits(seed)
    with torch.no_grad():
        losses = [
            nn.functional.cross_entropy(network(x), y, reduction="none")
            for x, y in ((inputs, targets), (unseen, others))
        ]
    told = [1] * len(losses[0]) + [0] * len(losses[1])
    return float(roc_auc_score(told, (-torch.cat(losses)).tolist()))


@slow_fact
def membership_auc(treatment: str) -> Quantity:
    """How well the loss of a ``plain``, ``int8`` or ``pruned`` network tells what it was trained on: 0.5 is not."""
    return over_seeds(lambda seed: _membership(seed, treatment))


@slow_fact
def membership_change(treatment: str) -> Quantity:
    """The same area of an ``int8`` or ``pruned`` network less that of the plain one, over five seeds."""
    return over_seeds(lambda seed: _membership(seed, treatment) - _membership(seed, "plain"))


def macs(width: int, depth: int, side: int) -> int:
    """Multiply-accumulates of a perceptron for one image."""
    return side * side * width + (depth - 1) * width * width + width * 10


@cache
def _accuracy(seed: int, shape: Shape) -> tuple[float, float]:
    """On the first half of the test data, by which is chosen, and on the second."""
    *_, inputs, targets = _digits(seed, shape[2])
    right = (_trained(seed, *shape)(inputs).argmax(1) == targets).float()
    half = len(right) // 2
    return float(right[:half].mean()), float(right[half:].mean())


def _shapes() -> list[Shape]:
    return [(width, depth, side) for width in WIDTHS for depth in DEPTHS for side in SIDES]


def _affordable() -> list[Shape]:
    return [shape for shape in _shapes() if macs(*shape) <= BUDGET]


@slow_fact
def search_gain() -> Quantity:
    """Accuracy of the shape found under a budget of multiply-accumulates less that of the one made by hand."""
    return over_seeds(lambda seed: _best(seed, _affordable()) - _accuracy(seed, BY_HAND)[1])


@slow_fact
def constrained_search_gain() -> Quantity:
    """Accuracy found by a search that proposes what the budget affords, less that of one that proposes anything."""
    return over_seeds(lambda seed: _found(seed, _affordable()) - _found(seed, _shapes()))


def _found(seed: int, shapes: list[Shape]) -> float:
    """Mean test accuracy of the best affordable one of `TRIALS` of the shapes; a guess where none is affordable."""
    import random

    draw = random.Random(seed)  # noqa: S311  # no secret
    affordable = ([one for one in draw.sample(shapes, TRIALS) if macs(*one) <= BUDGET] for _ in range(SEARCHES))
    return fmean(_best(seed, seen) if seen else GUESS for seen in affordable)


def _best(seed: int, shapes: list[Shape]) -> float:
    """Test accuracy of the shape that is best on other data."""
    return _accuracy(seed, max(shapes, key=lambda shape: _accuracy(seed, shape)[0]))[1]


@slow_fact
def ticket_change(kind: str) -> Quantity:
    """Accuracy of a tenth of the weights, trained alone from the ``first`` or ``other`` values, less that of all."""
    return over_seeds(lambda seed: _ticket(seed, kind) - _accuracy_of(_trained(seed), seed))


def _ticket(seed: int, kind: str) -> float:
    """Frankle & Carbin 2019, arXiv:1803.03635, in one round, each layer to `KEPT`."""
    import torch

    network, masks = _fresh(seed if kind == "first" else seed + 100), []
    for weight, trained in zip(network.parameters(), _trained(seed).parameters(), strict=True):
        limit = trained.detach().abs().quantile(1 - KEPT) if trained.dim() > 1 else torch.zeros(())
        masks.append(trained.detach().abs() >= limit)
        weight.data.mul_(masks[-1])
    return _accuracy_of(_fitted(network, seed, masks=masks), seed)


def _accuracy_of(network: nn.Module, seed: int) -> float:
    *_, inputs, targets = _digits(seed)
    return float((network(inputs).argmax(1) == targets).float().mean())


@slow_fact
def soft_distance(strength: float) -> float:
    """Distance of two tasks' weights after training with ``strength`` times its square in the loss."""
    first, second = (layer.weight.detach() for layer in _softly_shared(strength))
    return float((first - second).norm())


@slow_fact
def soft_parameters(strength: float) -> float:
    """Parameters of both tasks' layers after that training."""
    return float(sum(weight.numel() for layer in _softly_shared(strength) for weight in layer.parameters()))


@cache
def _softly_shared(strength: float) -> tuple[nn.Linear, nn.Linear]:
    """A layer that tells the digit and one that tells its parity, drawn together: Duong et al. 2015, P15-2139."""
    import torch
    from torch import nn

    inputs, targets, *_ = _digits(0)
    torch.manual_seed(0)
    layers = nn.Linear(64, 10), nn.Linear(64, 10)
    optimizer = torch.optim.Adam([weight for layer in layers for weight in layer.parameters()], lr=0.01)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = strength * (layers[0].weight - layers[1].weight).square().sum()
        for layer, told in zip(layers, (targets, targets % 2), strict=True):
            loss = loss + nn.functional.cross_entropy(layer(inputs), told)
        loss.backward()
        optimizer.step()
    return layers
