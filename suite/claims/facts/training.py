"""Arithmetic of training: gradients, numbers of bytes, communication, precision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from suite.claims.facts.declare import fact, local_fact

if TYPE_CHECKING:
    import torch
    from torch import nn

SAMPLES = 200_000  # of a simulated maximum
LOGITS = 200  # examples of a cross-entropy


@fact
def adam_bytes_per_parameter() -> float:
    """Bytes that training with Adam in float32 holds for a parameter: weight, gradient, two moments; counted."""
    import torch
    from torch import nn

    layer = nn.Linear(100, 100)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 100)).sum().backward()
    optimizer.step()
    held = [one for weight in layer.parameters() for one in (weight, weight.grad, *optimizer.state[weight].values())]
    count = sum(weight.numel() for weight in layer.parameters())
    return float(sum(one.numel() * one.element_size() for one in held if one is not None and one.dim() > 0) / count)


@fact
def accumulation_error(parts: str) -> float:
    """Relative error of gradients added over micro-batches, against the whole batch's, in float64.

    ``equal``: two of eight items. ``unequal``: of 4 and 12, means added without weights. ``batch norm``: two of eight
    through a network that normalises by batch.
    """
    import torch
    from torch import nn

    sizes = {"equal": [8, 8], "unequal": [4, 12], "batch norm": [8, 8]}[parts]
    torch.manual_seed(0)
    middle: nn.Module = nn.BatchNorm1d(8) if parts == "batch norm" else nn.ReLU()
    network = nn.Sequential(nn.Linear(6, 8), middle, nn.Linear(8, 3)).double()
    inputs, targets = torch.randn(16, 6, dtype=torch.float64), torch.randint(3, (16,))
    whole = _gradients(network, [(inputs, targets)])
    added = _gradients(network, list(zip(inputs.split(sizes), targets.split(sizes), strict=True)))
    return float((added - whole).norm() / whole.norm())


def _gradients(network: nn.Module, parts: list[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    import torch
    from torch import nn

    network.zero_grad()
    for inputs, targets in parts:
        (nn.functional.cross_entropy(network(inputs), targets) / len(parts)).backward()
    return torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])


@fact
def ring_bytes_per_rank(ranks: float) -> float:
    """Bytes that each rank sends in a ring all-reduce of a buffer of one byte a rank, by playing it through."""
    count = int(ranks)
    sent = [0.0] * count
    for _ in range(2 * (count - 1)):  # reduce-scatter, then all-gather: one chunk a step
        for rank in range(count):
            sent[rank] += 1 / count
    return max(sent)


@fact
def slowest_of(workers: float, jitter: float) -> float:
    """Expected time of the slowest of some workers whose times are normal around 1 with a relative ``jitter``."""
    import numpy as np

    draws = np.random.default_rng(0).normal(1.0, jitter, size=(SAMPLES, int(workers)))
    return float(draws.max(axis=1).mean())


@fact
def half_cross_entropy_error(classes: float) -> float:
    """Mean error of a cross-entropy in float16 against float64, over random logits."""
    import torch

    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(LOGITS, int(classes), generator=generator)
    half = logits.half()
    sums = half.exp().sum(1, dtype=torch.float16)
    found = sums.log() - half[:, 0]
    true = torch.logsumexp(half.double(), 1) - half[:, 0].double()
    error = (found.double() - true).abs()
    return float(error[torch.isfinite(error)].mean()) if bool(torch.isfinite(error).any()) else math.inf


@fact
def amdahl(share: float) -> float:
    """The greatest speed-up if only a ``share`` of the work gets faster."""
    return 1 / (1 - share)


@fact
def noisy_accuracy(noise: float) -> float:
    """Accuracy of the true labels themselves on a test set whose labels were replaced with a probability ``noise``."""
    import numpy as np

    draw = np.random.default_rng(0)
    flipped = draw.random(SAMPLES) < noise
    return float(1 - flipped.mean())


@local_fact
def runs_on_python(version: str) -> float:
    """1 if the installed torch says that it runs on a version of Python, else 0."""
    from importlib.metadata import metadata

    from packaging.specifiers import SpecifierSet

    return float(SpecifierSet(metadata("torch")["Requires-Python"] or "").contains(version))
