"""Memory of serving a batch and of training a step: what is held between calls, and the most that is held at once.

In a pass of its own. On CPUs the profiler's allocator events are summed (they repeat exactly; a resident set does
not) and held tensors are counted one by one; on accelerators the allocator's own counters are read.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from suite.measure.held import held_bytes
from suite.measure.step import training_step
from suite.measure.timing import undisturbed
from suite.metrics import measured
from suite.phases import phase
from suite.records import Cell, Measurement
from suite.training.devices import synchronize
from suite.training.recipe import Recipe, Reference
from suite.training.serving import Served, warm_up


def inference_memory(
    cell: Cell, served: Served, inputs: Tensor, *, allocated_before: int | None = None
) -> list[Measurement]:
    """Bytes held by the served network, and these with the peak of serving ``inputs`` [B, ...] once.

    ``allocated_before`` is what `allocated` said before the network was served: on accelerators everything above it
    is held, copies of compilers too. Without it, and on CPUs, the tensors that can be reached are counted.
    """
    placed = served.prepare_inputs(inputs)
    warm_up(served, placed)
    held = held_bytes(served.network, served.call)
    if allocated_before is not None and not _is_cpu(cell.device):
        held = max(0, allocated(cell.device) - allocated_before - held_bytes(placed))
    peak = peak_bytes(lambda: served(placed), cell.device)
    return _pair(cell, "inference", held, peak, {"batch": _items(inputs)})


def training_memory(cell: Cell, recipe: Recipe, *, reference: Reference) -> list[Measurement]:
    """Bytes held between training steps (weights, buffers, gradients, optimizer's state), and these with a step's peak.

    What is held is read off the step's ``trainee`` and ``optimizer``, or off those of its attribute ``step``.
    """
    before = allocated(cell.device)
    step: Any = training_step(recipe, device=cell.device, reference=reference, resets=False)
    held = _held_in_training(step) if _is_cpu(cell.device) else max(0, allocated(cell.device) - before)
    batch = getattr(step, "batch", None)
    conditions = {} if batch is None else {"batch": len(batch)}
    return _pair(cell, "training", held, peak_bytes(step, cell.device), conditions)


def forget_peak(device: str) -> None:
    """Let an accelerator's peak counter start from what is allocated now."""
    if not _is_cpu(device):
        torch.accelerator.reset_peak_memory_stats(device)


def allocated(device: str) -> int:
    """Bytes that an accelerator's allocator has given out; 0 on a CPU, whose allocator does not say."""
    if _is_cpu(device):
        return 0
    gc.collect()
    synchronize(device)
    return int(torch.accelerator.memory_allocated(device))


def _held_in_training(step: Any) -> int:
    inner = getattr(step, "step", step)
    trainee = getattr(inner, "trainee", None)
    own = (getattr(trainee, name, None) for name in ("network", "forward", "kept"))
    return held_bytes(*own, getattr(inner, "optimizer", None))


def _pair(cell: Cell, what: str, held: int, peak: int, conditions: Mapping[str, int | str]) -> list[Measurement]:
    return [
        measured(cell, f"held_memory_{what}", held, conditions=conditions),
        measured(cell, f"peak_memory_{what}", held + peak, conditions=conditions),
    ]


def _items(inputs: Any) -> int:
    """The batch size of one tensor, or of several that belong together."""
    return len(tree_leaves(inputs)[0])


def _is_cpu(device: str) -> bool:
    return torch.device(device).type == "cpu"


def peak_bytes(call: Callable[[], object], device: str) -> int:
    """The most bytes that ``call`` held at once beyond what was held before it."""
    with phase("memory"):
        return _peak_on_cpu(call) if _is_cpu(device) else _peak_on_accelerator(call, device)


def _peak_on_cpu(call: Callable[[], object]) -> int:
    """The second of two passes: in the first, frees of blocks that are older than the profiler go uncounted."""
    _profiled_peak(call)
    return _profiled_peak(call)


def _profiled_peak(call: Callable[[], object]) -> int:
    from torch.profiler import ProfilerActivity, profile  # loads the tracing library

    with undisturbed(), profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiler:
        call()  # without collections: garbage that is freed during the call would count against it
    results = profiler.profiler.kineto_results
    events = [event for event in results.events() if event.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def _peak_on_accelerator(call: Callable[[], object], device: str) -> int:
    synchronize(device)
    forget_peak(device)
    before = torch.accelerator.memory_allocated(device)
    call()
    synchronize(device)
    return int(torch.accelerator.max_memory_allocated(device)) - int(before)
