"""torch.compile with the settings that make its figures honest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from suite.training.trees import leaves

RECOMPILE_LIMIT = 64  # seeds and batch sizes each compile once


def compile_static(network: nn.Module, *, mode: str | None = None) -> Callable[[Any], Any]:
    """``network`` compiled for each new input shape, in torch.compile's ``mode`` if one is given.

    Dynamic shapes would serve the second batch size with other kernels than a deployment for one size would. Beyond
    the limit torch falls back to eager silently, which would be measured as if it were compiled: make it an error.
    """
    torch._dynamo.config.recompile_limit = RECOMPILE_LIMIT  # noqa: SLF001  # the documented way to set it
    torch._dynamo.config.fail_on_recompile_limit_hit = True  # noqa: SLF001
    return torch.compile(network, dynamic=False, mode=mode)


def compile_frozen(network: nn.Module) -> Callable[[Any], Any]:
    """As `compile_static`, with the weights as constants: packed, quantized and folded once, not at every call.

    Freezing is a global switch that tracing reads too, so ``torch.compile(options=...)`` comes too late for it. It is
    on while a new shape compiles, and costs nothing afterwards.
    """
    import torch._inductor.config as inductor  # loads the compiler

    compiled, known = compile_static(network), set[tuple[torch.Size, ...]]()

    def call(inputs: Any) -> Any:
        shapes = tuple(leaf.shape for leaf in leaves(inputs))
        if shapes in known:
            return compiled(inputs)
        with inductor.patch(freezing=True):
            output = compiled(inputs)
        known.add(shapes)
        return output

    return call
