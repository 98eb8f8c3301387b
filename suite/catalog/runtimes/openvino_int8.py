"""OpenVINO in 8 bits, quantized by NNCF with ranges of training inputs. `suite.training.openvino_engine`."""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.openvino_engine import OpenVINO, installed_with_nncf
from suite.training.recipe import Recipe
from suite.training.serving import calibration_inputs


@technique(slots=("runtime",), family="runtimes", needs=(installed_with_nncf,), runs=False)
def openvino_int8(recipe: Recipe) -> Recipe:
    """Serve with OpenVINO, weights and activations in 8 bits."""
    return replace(recipe, runtime=OpenVINO(precision="int8", calibration=lambda: calibration_inputs(recipe)))
