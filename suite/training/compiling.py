"""torch.compile with the settings that make its figures honest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

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
    on while one of these networks compiles, also when it does so again: after ``torch._dynamo.reset()``, or because
    another network of the same code was compiled since.
    """
    from torch._dynamo.callback import callback_handler  # loads the compiler

    compiled = compile_static(network)

    def call(inputs: Any) -> Any:
        if _start not in callback_handler.start_callbacks:  # the first one, or after a reset
            callback_handler.register_start_callback(_start)
            callback_handler.register_end_callback(_end)
        _asked.calls = getattr(_asked, "calls", 0) + 1
        try:
            return compiled(inputs)
        finally:
            _asked.calls -= 1

    return call


_asked = threading.local()  # `calls` of frozen networks that are under way in this thread
_before: list[bool] = []  # an entry for each compilation: a switch at each call would cost more


def _start(_: object) -> None:
    import torch._inductor.config as inductor

    _before.append(inductor.freezing)
    inductor.freezing = inductor.freezing or getattr(_asked, "calls", 0) > 0


def _end(_: object) -> None:
    import torch._inductor.config as inductor

    if _before:  # registered while something compiled
        inductor.freezing = _before.pop()
