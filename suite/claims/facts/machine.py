"""What this machine has: claims hold where the hardware supports them."""

from __future__ import annotations

from suite.claims.facts.declare import local_fact
from suite.core.machine.hardware import processor
from suite.core.machine.quiet import available_cores

TOLD = frozenset(
    {
        *(
            "avx2",
            "avx512f",
            "avx512_vnni",
            "avx_vnni",
            "avx512_bf16",
            "avx512_fp16",
            "amx_tile",
            "amx_bf16",
            "amx_int8",
        ),
        *("asimd", "sve", "bf16", "i8mm"),
    }
)
"""Instruction sets that select kernels, as Linux names them."""
BF16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
INT8 = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "i8mm"})


def features() -> tuple[str, ...]:
    """The instruction sets and accelerators of this machine that kernels are chosen by."""
    return tuple(sorted({*(processor().flags & TOLD), *_accelerators()}))


def _accelerators() -> set[str]:
    import torch  # slow to import

    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return set() if found is None else {found.type}


@local_fact
def has(feature: str) -> float:
    """1 where the machine has an instruction set (``amx_bf16``) or an accelerator (``cuda``), else 0."""
    return float(feature in features())


@local_fact
def has_bf16() -> float:
    """1 where the CPU multiplies bfloat16 in hardware, else 0."""
    return float(bool(processor().flags & BF16))


@local_fact
def has_int8() -> float:
    """1 where the CPU has dot products of 8-bit integers, else 0."""
    return float(bool(processor().flags & INT8))


@local_fact
def cores() -> float:
    """Cores that this process may use."""
    return float(available_cores())
