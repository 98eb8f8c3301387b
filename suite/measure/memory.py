"""Memory of serving a batch and of training a step: what is held between calls, and the most that is held at once.

In a pass of its own. On CPUs the profiler's allocator events are summed (they repeat exactly; a resident set does not)
and held tensors are counted one by one; on accelerators the allocator's own counters are read; without them held
tensors are counted and no peak is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from suite.core.metrics import measured
from suite.core.phases import phase
from suite.core.records import Cell, Measurement
from suite.measure.artefacts import held
from suite.measure.device_memory import allocated, has_counters, peak_of
from suite.measure.held import held_bytes
from suite.measure.sampler.timing import undisturbed
from suite.measure.step import training_step
from suite.training.recipe import Recipe, Reference
from suite.training.serving import Served, warm_up


def inference_memory(
    cell: Cell, served: Served, inputs: Tensor, *, allocated_before: int | None = None
) -> list[Measurement]:
    """Bytes held by what is served, and these with the peak of serving ``inputs`` [B, ...] once.

    ``allocated_before`` is what `suite.measure.device_memory.allocated` said before the network was served: on
    accelerators everything above it is held, copies of compilers and graphs too. Without it, and on CPUs, the tensors
    that can be reached are counted. A predictor that is not torch's reports its own held bytes and has no peak; if it
    reports none, nothing is measured (`untold`).
    """
    placed = served.prepare_inputs(inputs)
    warm_up(served, placed)
    conditions = {"batch": _items(inputs)}
    if served.predictor is not None and not served.in_torch:
        told = served.predictor.resident_bytes()
        if told is None:
            return []
        seen = sum(tensor.nbytes for tensor in held(served))  # what torch reads is held, whatever the runtime says
        return [measured(cell, "held_memory_inference", max(told, seen), conditions=conditions)]
    resident = held_bytes(served.network, served.call)
    if allocated_before is not None and has_counters(cell.device):
        resident = max(0, allocated(cell.device) - allocated_before - held_bytes(placed))
    return _pair(cell, "inference", resident, lambda: served(placed), conditions)


def untold(served: Served) -> str | None:
    """Why a metric of serving memory is missing; ``None`` if none is."""
    if served.in_torch or served.predictor is None:
        return None
    runtime = type(served.recipe.runtime).__qualname__
    if served.predictor.resident_bytes() is None:
        return f"{runtime} does not say how many bytes it holds: held and peak memory of serving are not measured"
    return f"{runtime} allocates memory that torch does not count: peak memory of serving is not measured"


def of_the_fullest_rank(cell: Cell, recipe: Recipe, *, reference: Reference) -> list[Measurement]:
    """`training_memory`; of several ranks, each metric of the rank that has most of it."""
    if cell.ranks == 1:
        return training_memory(cell, recipe, reference=reference)
    from suite.training.distributed.in_ranks import flags_of_a_rank
    from suite.training.distributed.launching import run_ranks

    own = replace(recipe, flags=flags_of_a_rank(recipe))
    ranks = run_ranks(lambda _rank: training_memory(cell, own, reference=reference), cell.ranks)
    return [max(same, key=lambda found: found.value) for same in zip(*ranks, strict=True)]


def training_memory(cell: Cell, recipe: Recipe, *, reference: Reference) -> list[Measurement]:
    """Bytes held between training steps (weights, buffers, gradients, optimizer's state), and these with a step's peak.

    What is held is read off the step's ``trainee`` and ``optimizer``, or off those of its attribute ``step``.
    """
    before = allocated(cell.device)
    step: Any = training_step(recipe, device=cell.device, reference=reference, resets=False)
    batch = getattr(step, "batch", None)
    held = _held_in_training(step)
    if has_counters(cell.device):
        given = held_bytes(*((batch.inputs, batch.targets) if batch else ()))  # as on CPUs, no part of what is held
        held = max(0, allocated(cell.device) - before - given)
    conditions = {} if batch is None else {"batch": len(batch)}
    return _pair(cell, "training", held, step, conditions)


def _held_in_training(step: Any) -> int:
    inner = getattr(step, "step", step)
    trainee = getattr(inner, "trainee", None)
    own = (getattr(trainee, name, None) for name in ("network", "forward", "kept"))
    return held_bytes(*own, getattr(inner, "optimizer", None))


def _pair(
    cell: Cell, what: str, held: int, call: Callable[[], object], conditions: Mapping[str, int | str]
) -> list[Measurement]:
    """What is held, and with the peak of ``call``; without the peak on accelerators that do not count."""
    found = [measured(cell, f"held_memory_{what}", held, conditions=conditions)]
    if _is_cpu(cell.device) or has_counters(cell.device):
        peak = held + peak_bytes(call, cell.device)
        found.append(measured(cell, f"peak_memory_{what}", peak, conditions=conditions))
    return found


def _items(inputs: Any) -> int:
    """The batch size of one tensor, or of several that belong together."""
    return len(tree_leaves(inputs)[0])


def _is_cpu(device: str) -> bool:
    return torch.device(device).type == "cpu"


def peak_bytes(call: Callable[[], object], device: str) -> int:
    """The most bytes that ``call`` held at once beyond what was held before it."""
    with phase("memory"):
        return _peak_on_cpu(call) if _is_cpu(device) else peak_of(call, device)


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
