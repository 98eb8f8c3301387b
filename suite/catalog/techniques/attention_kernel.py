"""The kernel of scaled dot-product attention, chosen by hand: a contrast to what torch chooses.

Torch takes the most efficient kernel that it can: FlashAttention (Dao et al. 2022, https://arxiv.org/abs/2205.14135)
where it fits, memory-efficient attention (Rabe & Staats 2021, https://arxiv.org/abs/2112.05682) elsewhere. ``math``
writes out all scores [B, H, T, T] instead: speed-ups below 1 and memory above the baseline's are what the efficient
kernels are worth. Answers stay but for rounding. A kernel that cannot take the network here makes it unavailable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from suite.core.errors import UnavailableError, UsageError
from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.runtime import in_torch, running

BACKENDS = {
    "math": SDPBackend.MATH,
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
}


@technique(
    slots=("prepare", "runtime"),
    family="compilation",
    sweep={"backend": ("math", "flash")},
    needs=("attention",),
    quick=False,
)
def attention_kernel(recipe: Recipe, *, backend: str = "math") -> Recipe:
    """Train and serve with this one kernel: math, flash, efficient or cudnn."""
    if backend not in BACKENDS:
        raise UsageError(f"attention_kernel: backend must be one of {', '.join(BACKENDS)}, got {backend!r}")

    def prepare(network: nn.Module) -> Callable[[Any], Any]:
        return _under(backend, recipe.prepare(network))

    runtime = in_torch(recipe.runtime)

    def run(network: Any, device: str) -> Callable[[Any], Any]:
        return _under(backend, runtime.run(network, device))

    return replace(recipe, prepare=prepare, runtime=running(runtime, run))


def _under(backend: str, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def called(inputs: Any) -> Any:
        with sdpa_kernel(BACKENDS[backend]):
            try:
                return call(inputs)
            except RuntimeError as error:
                if "No available kernel" in str(error) or "No viable backend" in str(error):
                    raise UnavailableError(f"attention_kernel: {backend} cannot take this network here") from error
                raise

    return called
