"""torch.compile for serving, with the weights as constants: packed for the kernels and folded once.

TorchInductor's ``freezing``: Ansel et al. 2024, 'PyTorch 2', https://doi.org/10.1145/3620665.3640366. Faster than
compilation that reads the weights at every call, most of all for convolutions on CPUs; a second copy of the weights
may be held. Answers stay but for rounding; training and the artefact are left alone.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.compiling import compile_frozen
from suite.training.recipe import Recipe
from suite.training.runtime import running


@technique(slots=("runtime",), family="compilation", needs=("compiler",), quick=False)
def compiled_frozen(recipe: Recipe) -> Recipe:
    """Serve the network through TorchInductor with frozen weights."""
    return replace(recipe, runtime=running(recipe.runtime, lambda network, _: compile_frozen(network)))
