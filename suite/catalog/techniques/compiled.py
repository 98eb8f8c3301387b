"""torch.compile for serving.

Ansel et al. 2024, 'PyTorch 2', https://doi.org/10.1145/3620665.3640366.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn

from suite.registry import technique
from suite.training.compiling import compile_static
from suite.training.recipe import Recipe


@technique(slots=("deploy",), family="compilation", needs=("compiler",))
def compiled(recipe: Recipe) -> Recipe:
    """Serve the network through TorchInductor; training is left alone."""

    def deploy(network: nn.Module) -> Callable[[Any], Any]:
        return compile_static(network)

    return replace(recipe, deploy=deploy)
