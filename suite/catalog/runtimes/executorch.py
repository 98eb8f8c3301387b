"""ExecuTorch in float32, by XNNPACK's kernels: one program ships. `suite.training.executorch_engine` has sources."""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.executorch_engine import ExecuTorch, installed
from suite.training.recipe import Recipe


@technique(slots=("runtime",), family="runtimes", needs=(installed,), runs=False)
def executorch(recipe: Recipe) -> Recipe:
    """Serve with ExecuTorch in float32."""
    return replace(recipe, runtime=ExecuTorch())
