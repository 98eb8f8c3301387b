"""torch.compile with the settings that make its figures honest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

RECOMPILE_LIMIT = 64  # seeds and batch sizes each compile once


def compile_static(network: nn.Module, **options: Any) -> Callable[[Tensor], Tensor]:
    """``network`` compiled anew for each shape of its input.

    Dynamic shapes would serve the second batch size with other kernels than a deployment for one size would. Beyond
    the limit torch falls back to eager silently, which would be measured as if it were compiled: make it an error.
    """
    torch._dynamo.config.recompile_limit = RECOMPILE_LIMIT  # noqa: SLF001  # the documented way to set it
    torch._dynamo.config.fail_on_recompile_limit_hit = True  # noqa: SLF001
    return torch.compile(network, dynamic=False, options=options or None)
