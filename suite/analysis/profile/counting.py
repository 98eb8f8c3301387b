"""Floating-point operations and bytes of every operator of a round, counted where torch dispatches it.

FLOPs by the formulas of `torch.utils.flop_counter`. Bytes are those of the tensors that an operator reads and writes,
once each (`suite.measure.counting.operators.moved_bytes`): what memory must move if nothing stays in a cache.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode  # what torch's own FLOP counter is built on
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from suite.core.machine import flags
from suite.measure.ceilings import TF32
from suite.measure.counting.operators import moved_bytes


@dataclass
class Counted:
    """Totals of one operator over a round; ``dtype`` is that of its last output."""

    calls: int = 0
    flops: float = 0.0
    moved: float = 0.0
    dtype: str = "float32"


class Counting(TorchDispatchMode):
    """Counts every operator that runs inside, the backward pass included: ``counts`` by name (``aten::mm``)."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, Counted] = defaultdict(Counted)

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = str(func.overloadpacket._qualified_op_name)  # noqa: SLF001  # the profiler's name of it
        if not name.startswith("profiler::"):
            self._add(name, func, args, kwargs or {}, out)
        return out

    def _add(self, name: str, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        found = self.counts[name]
        found.calls += 1
        outputs = _tensors(out)
        if outputs:
            found.dtype = _computed_in(name, outputs[0])
        if func.overloadpacket in flop_registry:
            found.flops += flop_registry[func.overloadpacket](*args, **kwargs, out_val=out)
        found.moved += moved_bytes(func, args, kwargs, out)


def _computed_in(name: str, output: Tensor) -> str:
    """The type that an operator computes in: its output's, or `TF32` on CUDA where torch's settings round to it."""
    if not output.is_cuda or output.dtype != torch.float32:
        return str(output.dtype).removeprefix("torch.")
    rounds = torch.backends.cudnn.allow_tf32 if "conv" in name else _matmul_precision() != "highest"
    return TF32 if rounds else "float32"


def _matmul_precision() -> object:
    return flags.FLAGS[flags.MATMUL].read(torch)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
