"""torch.compile with the settings that make its figures honest."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

RECOMPILE_LIMIT = 64  # seeds and batch sizes each compile once


def compile_static(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """``network`` compiled anew for each shape of its input.

    Dynamic shapes would serve the second batch size with other kernels than a deployment for one size would. Beyond
    the limit torch falls back to eager silently, which would be measured as if it were compiled: make it an error.
    """
    torch._dynamo.config.recompile_limit = RECOMPILE_LIMIT  # noqa: SLF001  # the documented way to set it
    torch._dynamo.config.fail_on_recompile_limit_hit = True  # noqa: SLF001
    return torch.compile(network, dynamic=False)


def compile_frozen(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """As `compile_static`, with the weights as constants: packed, quantized and folded once, not at every call.

    Freezing is a global switch that tracing reads too, so ``torch.compile(options=...)`` comes too late for it. It is
    on while a new shape compiles, and costs nothing afterwards.
    """
    import torch._inductor.config as inductor  # loads the compiler

    compiled, known = compile_static(network), set[torch.Size]()

    def call(inputs: Tensor) -> Tensor:
        if inputs.shape in known:
            return compiled(inputs)
        with inductor.patch(freezing=True):
            output = compiled(inputs)
        known.add(inputs.shape)
        return output

    return call
