"""OpenVINO in float32: graph and weights ship. `suite.training.openvino_engine` has sources and limits."""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.openvino_engine import OpenVINO, installed
from suite.training.recipe import Recipe


@technique(slots=("runtime",), family="runtimes", needs=(installed,), runs=False)
def openvino(recipe: Recipe) -> Recipe:
    """Serve with OpenVINO in float32."""
    return replace(recipe, runtime=OpenVINO())
