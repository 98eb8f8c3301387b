"""Deep Compression: prune, let the weights that are left share few values, train these, and code them without loss.

Han et al. 2016, https://arxiv.org/abs/1510.00149. One threshold for the whole network, fine-tuning while masks hold,
then k-means in each tensor from evenly spaced starts; the shared values are trained by the sum of their members'
gradients. Codes and the distances between weights are in Huffman's code. The artefact is the coded one, decoded and
compared before it counts. Nothing computes with codes: what is served has the decoded weights, so speed, shapes and
parameters stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training import invariants
from suite.training.recipe import Recipe, Tuner
from suite.training.runtime import coded
from suite.training.surgery import codebook, masks

MOST = codebook.CODES - 1  # zero has a code of its own


@technique(
    slots=("finish", "quantize", "runtime"),
    family="quantization",
    control="extra_epochs(epochs={epochs})+extra_epochs(epochs={value_epochs})",
    sweep={"sparsity": (0.8, 0.9), "clusters": (16, 32)},
    quick=False,
    sizes_follow_weights=("artefact_bytes",),
    promises=lambda *, sparsity, clusters, **_: invariants.Levels(clusters + 1, sparsity=sparsity),
)
def deep_compression(
    recipe: Recipe, *, sparsity: float = 0.9, clusters: int = 32, epochs: int = 3, value_epochs: int = 1
) -> Recipe:
    """Prune to ``sparsity``, fine-tune, share ``clusters`` values among each tensor's weights, and train the values."""
    masks.check("deep_compression", sparsity, epochs)
    if not 1 <= clusters <= MOST:
        raise UsageError(f"deep_compression: clusters must be in 1 to {MOST}, got {clusters}")
    if value_epochs < 0:
        raise UsageError(f"deep_compression: value_epochs must be 0 or more, got {value_epochs}")
    prune = masks.masked(recipe, lambda net, _: masks.across(masks.magnitudes(net), sparsity), epochs=epochs)

    def finish(network: nn.Module, tuner: Tuner) -> nn.Module:
        network = prune(network, tuner)
        tuner.hold(codebook.Shared(codebook.share(network, clusters)))
        tuner.train(network, epochs=value_epochs)
        return network

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        """What is shared already stays; other techniques may have made new weights."""
        network = recipe.quantize(network, calibration)
        codebook.share(network, clusters)
        return network

    return replace(recipe, finish=finish, quantize=quantize, runtime=coded(recipe.runtime, codebook.coded_bytes))
