"""OpenVINO in bfloat16, its default where the CPU multiplies in it. `suite.training.openvino_engine`."""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.openvino_engine import OpenVINO, installed
from suite.training.recipe import Recipe


@technique(slots=("runtime",), family="runtimes", needs=(installed, "bf16"), runs=False)
def openvino_bf16(recipe: Recipe) -> Recipe:
    """Serve with OpenVINO in bfloat16."""
    return replace(recipe, runtime=OpenVINO(precision="bf16"))
