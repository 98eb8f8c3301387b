"""ExecuTorch in 8 bits, static: PT2E with ranges of training inputs. `suite.training.executorch_engine`."""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.executorch_engine import ExecuTorch, installed
from suite.training.recipe import Recipe
from suite.training.serving import calibration_inputs


@technique(slots=("runtime",), family="runtimes", needs=(installed,), runs=False)
def executorch_int8(recipe: Recipe) -> Recipe:
    """Serve with ExecuTorch, weights and activations in 8 bits."""
    return replace(recipe, runtime=ExecuTorch(precision="int8", calibration=lambda: calibration_inputs(recipe)))
