"""What else went on on an NVIDIA GPU while something was timed: clocks, throttling, other processes.

Through NVML, where its Python binding (``nvidia-ml-py``) and a driver are there; elsewhere there is nothing to say.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any

CLOCK_DROP = 0.05  # of the clock before; GPUs move by single steps of 1 % all the time
THROTTLES = {  # bits of nvmlClocksThrottleReasons (nvml.h) that slow a GPU down; idle and set limits are none
    0x4: "software power cap",
    0x8: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A GPU at one moment; ``clock`` of the multiprocessors in MHz. ``None`` is what the driver does not tell."""

    clock: int | None
    throttles: tuple[str, ...]
    others: tuple[int, ...]


def snapshot(device: str, nvml: ModuleType | Any | None = None) -> Snapshot | None:
    """The GPU behind ``device`` (``cuda`` or ``cuda:1``) now; ``None`` without NVML, a driver or such a device.

    To be taken right before and after the timed work, without a pause: an idle GPU lowers its clock.
    """
    kind, _, index = device.partition(":")
    binding = _binding() if nvml is None else nvml
    if kind != "cuda" or binding is None:
        return None
    try:
        binding.nvmlInit()
        return _read(binding, _handle(binding, int(index or 0)))
    except binding.NVMLError:
        return None


def doubt(before: Snapshot | None, after: Snapshot | None) -> str | None:
    """Why timings between two snapshots cannot be trusted; ``None`` where nothing speaks against them."""
    if before is None or after is None:
        return None
    return "; ".join(filter(None, (_throttled(before, after), _slower(before, after), _shared(before, after)))) or None


def _throttled(before: Snapshot, after: Snapshot) -> str | None:
    reasons = sorted({*before.throttles, *after.throttles})
    return f"the GPU was slowed down by {' and '.join(reasons)}" if reasons else None


def _slower(before: Snapshot, after: Snapshot) -> str | None:
    if before.clock is None or after.clock is None or after.clock >= (1 - CLOCK_DROP) * before.clock:
        return None
    return f"the GPU's clock fell from {before.clock} to {after.clock} MHz"


def _shared(before: Snapshot, after: Snapshot) -> str | None:
    others = sorted({*before.others, *after.others})
    return f"other processes used the GPU: {', '.join(map(str, others))}" if others else None


def _binding() -> ModuleType | None:
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return None


def _handle(nvml: Any, index: int) -> Any:
    """The device that torch calls ``index``: ``CUDA_VISIBLE_DEVICES`` may have renumbered it, or names a UUID."""
    visible = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    name = visible[index] if index < len(visible) else str(index)
    if name.isdecimal():
        return nvml.nvmlDeviceGetHandleByIndex(int(name))
    return nvml.nvmlDeviceGetHandleByUUID(name)


def _read(nvml: Any, handle: Any) -> Snapshot:
    bits = _told(nvml, nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle) or 0
    running = _told(nvml, nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
    return Snapshot(
        clock=_told(nvml, nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_SM),
        throttles=tuple(reason for bit, reason in THROTTLES.items() if bits & bit),
        others=tuple(sorted(process.pid for process in running if process.pid not in _family())),
    )


def _told(nvml: Any, ask: Any, *arguments: Any) -> Any:
    """What the driver answers; ``None`` where it does not support the question (a virtual GPU, MIG)."""
    try:
        return ask(*arguments)
    except nvml.NVMLError:
        return None


def _family() -> tuple[int, int]:
    """This process and its parent: a run and its worker hold the same GPU and take turns."""
    return os.getpid(), os.getppid()
