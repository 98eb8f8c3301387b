"""What papers publish of their networks, counted or computed again."""

from __future__ import annotations

import math
from itertools import pairwise

from suite.claims.facts.declare import fact, slow_fact
from suite.core.errors import unknown

VOCABULARY, POSITIONS, SEGMENTS = 30_522, 512, 2  # of BERT's uncased models
BERT = {"base": (12, 768, 3072), "large": (24, 1024, 4096)}  # layers, width, width of the inner layer
MB = 1 << 20
GIGA = 1e9


@fact
def bert_parameters(size: str) -> float:
    """Parameters of BERT ``base`` or ``large`` with its pooler, counted on torch's own encoder."""
    import torch
    from torch import nn

    if size not in BERT:
        raise unknown("BERT", size, BERT)
    layers, width, inner = BERT[size]
    with torch.device("meta"):
        block = nn.TransformerEncoderLayer(width, width // 64, inner)
        rest = [nn.LayerNorm(width), nn.Linear(width, width)]  # of the embeddings; the pooler
    embeddings = (VOCABULARY + POSITIONS + SEGMENTS) * width
    count = sum(weight.numel() for module in rest for weight in module.parameters())
    return float(layers * sum(weight.numel() for weight in block.parameters()) + embeddings + count)


@fact
def lenet_300_100_parameters() -> float:
    """Parameters of LeNet-300-100: 784 inputs, 300 and 100 hidden units, 10 classes."""
    sizes = (784, 300, 100, 10)
    return float(sum((a + 1) * b for a, b in pairwise(sizes)))


@fact
def compound_cost(alpha: float, beta: float, gamma: float) -> float:
    """Multiply-accumulates of EfficientNet's step of depth, width and resolution, over those before it."""
    return alpha * beta**2 * gamma**2


@fact
def checkpoint_share(layers: float) -> float:
    """Activations that stay with checkpoints every root of ``layers``, over those of all: Chen et al. 2016."""
    segment = math.isqrt(int(layers))
    return (layers / segment + segment) / layers


@fact
def linear_int8_ratio(inputs: float, outputs: float) -> float:
    """Bytes of a Linear layer's weights in float32 over those in 8 bits with a scale for each output."""
    import torch
    from torch import nn

    layer = nn.Linear(int(inputs), int(outputs), bias=False)
    scales = layer.weight.detach().abs().amax(1) / 127
    rounded = (layer.weight.detach() / scales[:, None]).round().to(torch.int8)
    stored = sum(one.numel() * one.element_size() for one in (rounded, scales))
    return layer.weight.numel() * layer.weight.element_size() / stored


@fact
def elastic_subnetworks() -> float:
    """Networks in Once-for-All: five units of 2 to 4 layers, each with 3 kernels and 3 expansions."""
    return float(sum((3 * 3) ** depth for depth in (2, 3, 4)) ** 5)


@fact
def warm_restart_epochs(first: float, factor: float, cycles: float) -> float:
    """Epochs of as many cosine cycles, each ``factor`` times as long as the last."""
    return float(sum(first * factor**cycle for cycle in range(int(cycles))))


@fact
def torchvision_parameters(model: str, weights: str) -> float:
    """Parameters of a network of torchvision's, counted without its weights."""
    return float(_counts(model, weights)[0])


@fact
def torchvision_gmacs(model: str, weights: str) -> float:
    """Its multiply-accumulates for one image in units of 1e9, to the three decimals that torchvision publishes."""
    return round(_counts(model, weights)[1] / GIGA, 3)


@fact
def torchvision_megabytes(model: str, weights: str) -> float:
    """Bytes of all its tensors in units of 2^20."""
    return _counts(model, weights)[2] / MB


def _counts(model: str, weights: str) -> tuple[int, int, int]:
    from suite.catalog.zoo.entries import entries
    from suite.claims.torchvision.counts import count

    found = {entry.weights: entry for entry in entries([model])}
    if weights not in found:
        raise unknown(f"entry of {model}", weights, found)
    counted = count(model, found[weights].pixels, weights)
    return counted.parameters, counted.macs or 0, counted.bytes


@slow_fact
def torchvision_disagreements() -> float:
    """How many of the published counts of torchvision's weights are not ours: all networks, minutes."""
    from suite.catalog.zoo.entries import entries
    from suite.claims.torchvision.agreement import disagreements
    from suite.claims.torchvision.counts import count

    return float(sum(1 for one in entries() for _ in disagreements(one, count(one.model, one.pixels, one.weights))))
