"""Weight-only int4: Linear weights in 4 bits, two a byte, multiplied by torch's kernel for CPUs without decoding them.

Rounded to nearest after training, asymmetrically: each group of neighbouring weights has a scale and a least value, as
the groups of Dettmers & Zettlemoyer 2023, https://arxiv.org/abs/2212.09720. No data are looked at. Faster where weights
are large and batches small, since memory traffic is the limit; slower for batches. Layers of other shapes than the
kernel's (outputs by 16, inputs by the group), convolutions and embeddings stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training.exporting import saved_bytes
from suite.training.recipe import Recipe
from suite.training.runtime import coded
from suite.training.surgery import int4
from suite.training.surgery.tied import own_layers


def has_kernel(case: Any) -> str | None:
    """Why weights of 4 bits cannot be multiplied here, or the network has none that can; a need of this technique."""
    groups = [bound["group"] for _, bound in case.composition.members if "group" in bound]
    missing = int4.kernel_missing(case.cell.device)
    if missing or not groups:
        return missing
    try:
        _layers(case.workload.plain(0).model(), min(groups))
    except UnavailableError as error:
        return str(error)
    return None


@technique(
    slots=("quantize", "runtime"),
    family="quantization",
    sweep={"group": (32, 128)},
    needs=(has_kernel,),
    conflicts=("compiled", "compiled_frozen", "compiled_mode", "aot_inductor"),  # which have no such kernel
    quick=False,
)
def weight_only_int4(recipe: Recipe, *, group: int = 32) -> Recipe:
    """Serve Linear layers with weights in 4 bits, ``group`` of which share a scale and a least value."""
    if group not in int4.GROUPS:
        raise UsageError(f"weight_only_int4: group must be one of {', '.join(map(str, int4.GROUPS))}, got {group}")

    def quantize(network: nn.Module, calibration: Any) -> nn.Module:
        network = recipe.quantize(network, calibration)
        for name in _layers(network, group):
            layer = int4.Int4Linear(network.get_submodule(name), group)  # type: ignore[arg-type]
            if not name:
                return layer
            network.set_submodule(name, layer)
        return network

    return replace(recipe, quantize=quantize, runtime=coded(recipe.runtime, saved_bytes))


def _layers(network: nn.Module, group: int) -> list[str]:
    """Names of the layers that the kernel takes. Raises `UnavailableError` where there is none."""
    own = own_layers(network, nn.Linear, "weight_only_int4")
    found = [name for name in own if int4.fits(network.get_submodule(name), group)]  # type: ignore[arg-type]
    if not found:
        raise UnavailableError(
            f"weight_only_int4: no Linear layer has a multiple of 16 outputs and of {group} inputs, in float32"
        )
    return found
