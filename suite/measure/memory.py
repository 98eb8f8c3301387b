"""Peak memory of one served batch and of one training step, in a pass of its own.

On CPUs the profiler's allocator events are summed (they repeat exactly; a resident set does not); on accelerators
the allocator's own peak counter is read.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from suite.measure.speed import training_step
from suite.measure.timing import undisturbed
from suite.metrics import measured
from suite.records import Cell, Measurement
from suite.training.devices import synchronize
from suite.training.recipe import Recipe, Reference
from suite.training.serving import Served, warm_up


def inference_memory(cell: Cell, served: Served, inputs: Tensor) -> Measurement:
    """Peak bytes of serving ``inputs`` [B, ...] once."""
    placed = served.prepare_inputs(inputs)
    warm_up(served, placed)
    return measured(cell, "peak_memory_inference", peak_bytes(lambda: served(placed), cell.device))


def training_memory(cell: Cell, recipe: Recipe, *, reference: Reference) -> Measurement:
    """Peak bytes of one training step above what is held between steps: weights, gradients, optimizer's state."""
    step = training_step(recipe, device=cell.device, reference=reference)
    return measured(cell, "peak_memory_training", peak_bytes(step, cell.device))


def peak_bytes(call: Callable[[], object], device: str) -> int:
    """The most bytes that ``call`` held at once beyond what was held before it."""
    return _peak_on_cpu(call) if torch.device(device).type == "cpu" else _peak_on_accelerator(call, device)


def _peak_on_cpu(call: Callable[[], object]) -> int:
    """The second of two passes: in the first, frees of blocks that are older than the profiler go uncounted."""
    _profiled_peak(call)
    return _profiled_peak(call)


def _profiled_peak(call: Callable[[], object]) -> int:
    from torch.profiler import ProfilerActivity, profile  # loads the tracing library

    with undisturbed(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
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
    torch.accelerator.reset_peak_memory_stats(device)
    before = torch.accelerator.memory_allocated(device)
    call()
    synchronize(device)
    return int(torch.accelerator.max_memory_allocated(device)) - int(before)
