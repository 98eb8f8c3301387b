"""Activations wait in the host's memory between forward and backward.

Rhu et al. 2016, 'vDNN', https://arxiv.org/abs/1602.08124, as torch's ``save_on_cpu`` does it. A training step's peak
memory on the accelerator falls, and the step takes longer by the copies; everything that backward needs is moved, the
weights it reads too. Results stay to the bit, and so does serving.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn
from torch.autograd.graph import save_on_cpu

from suite.registry import technique
from suite.training.recipe import Recipe


@technique(slots=("prepare",), family="memory", needs=("accelerator",), quick=False)
def activation_offload(recipe: Recipe) -> Recipe:
    """Keep on the host what backward needs of the network's forward pass."""

    def prepare(network: nn.Module) -> Callable[[Any], Any]:
        forward = recipe.prepare(network)
        pinned = next(network.parameters()).device.type == "cuda"

        def call(inputs: Any) -> Any:
            with save_on_cpu(pin_memory=pinned):
                return forward(inputs)

        return call

    return replace(recipe, prepare=prepare)
