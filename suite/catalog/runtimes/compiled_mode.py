"""torch.compile for serving, in one of its other modes.

Ansel et al. 2024, 'PyTorch 2', https://doi.org/10.1145/3620665.3640366; the modes:
https://docs.pytorch.org/docs/stable/generated/torch.compile.html. ``reduce-overhead`` records CUDA graphs, which pay
where launching kernels takes longer than running them, and exist on CUDA alone; ``max-autotune`` tries several kernels
for each product, and compiles longer. Answers stay but for rounding; training is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from suite.core.errors import UnavailableError, UsageError
from suite.core.machine.hardware import device_type
from suite.registry import technique
from suite.training.compiling import compile_static
from suite.training.recipe import Recipe
from suite.training.runtime import running

GRAPHS = "reduce-overhead"
MODES = (GRAPHS, "max-autotune", "max-autotune-no-cudagraphs")


@technique(slots=("runtime",), family="compilation", sweep={"mode": MODES[:2]}, needs=("compiler",), quick=False)
def compiled_mode(recipe: Recipe, *, mode: str = "max-autotune") -> Recipe:
    """Serve the network through TorchInductor in this mode."""
    if mode not in MODES:
        raise UsageError(f"compiled_mode: mode must be one of {', '.join(MODES)}, got {mode!r}")

    def run(network: Any, device: str) -> Callable[[Any], Any]:
        if mode == GRAPHS and device_type(device) != "cuda":
            raise UnavailableError(f"compiled_mode: {GRAPHS} records CUDA graphs, and the network is on {device}")
        return compile_static(network, mode=mode)

    return replace(recipe, runtime=running(recipe.runtime, run))
