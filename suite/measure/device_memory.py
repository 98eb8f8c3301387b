"""What an accelerator's allocator has given out: now, and at most since its peak was forgotten. All figures are bytes.

Some of torch's accelerators (MPS) have no such counters: then nothing can be said of their memory here.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress

import torch

from suite.training.devices import synchronize

OPERAND = 8  # rows and columns of the product that libraries get their workspaces by
NO_POOL = (0, 0)  # segments that belong to no graph


def has_counters(device: str) -> bool:
    """Whether ``device`` is an accelerator whose allocator counts."""
    if torch.device(device).type == "cpu":
        return False
    try:
        torch.accelerator.memory_allocated(device)
    except RuntimeError:  # this backend's allocator is none of torch's DeviceAllocators
        return False
    return True


def allocated(device: str) -> int:
    """Bytes that the allocator has given out, and those that CUDA graphs keep to themselves; 0 without counters.

    Libraries have allocated their workspaces then (cuBLAS: 32 MiB a thread on Hopper), so that these are in every
    reading and in no difference of two.
    """
    if not has_counters(device):
        return 0
    _let_libraries_allocate(device)
    gc.collect()
    synchronize(device)
    return int(torch.accelerator.memory_allocated(device)) + _kept_by_graphs(device)


def forget_peak(device: str) -> None:
    """Let an accelerator's peak counter start from what is allocated now."""
    if has_counters(device):
        torch.accelerator.reset_peak_memory_stats(device)


def peak_of(call: Callable[[], object], device: str) -> int:
    """The most bytes that ``call`` has allocated at once beyond what was allocated before it."""
    synchronize(device)
    forget_peak(device)
    before = torch.accelerator.memory_allocated(device)
    call()
    synchronize(device)
    return int(torch.accelerator.max_memory_allocated(device)) - int(before)


def empty_cache() -> None:
    """Give memory that nothing uses back to the system, on accelerators that can."""
    with suppress(RuntimeError):  # as in `has_counters`
        torch.accelerator.empty_cache()


def _let_libraries_allocate(device: str) -> None:
    """One product forward and, by the thread that computes gradients, backward; recording a graph frees workspaces."""
    with torch.enable_grad(), torch.inference_mode(mode=False):
        ones = torch.ones(OPERAND, OPERAND, device=device, requires_grad=True)
        torch.nn.functional.linear(ones, ones, ones[0]).sum().backward()


def _kept_by_graphs(device: str) -> int:
    """Bytes of graphs' private pools that count as free and that nothing but a replay can use.

    A graph's intermediate results lie there. Replays allocate nothing, so that no peak shows them.
    """
    if torch.device(device).type != "cuda":
        return 0
    index = torch.device(device).index
    index = torch.cuda.current_device() if index is None else index
    own = (found for found in torch.cuda.memory_snapshot() if found["device"] == index)
    graphs = (found for found in own if tuple(found.get("segment_pool_id", NO_POOL)) != NO_POOL)
    return sum(found["total_size"] - found["allocated_size"] for found in graphs)
