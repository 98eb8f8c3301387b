"""torch.compile for serving.

Ansel et al. 2024, 'PyTorch 2', https://doi.org/10.1145/3620665.3640366.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.compiling import compile_static
from suite.training.recipe import Recipe
from suite.training.runtime import running


@technique(slots=("runtime",), family="compilation", needs=("compiler",))
def compiled(recipe: Recipe) -> Recipe:
    """Serve the network through TorchInductor; training is left alone."""
    return replace(recipe, runtime=running(recipe.runtime, lambda network, _: compile_static(network)))
