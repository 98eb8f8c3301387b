"""What NVIDIA's management library says of a GPU: clocks and what lowered them, other processes, driver and limits.

Through NVML, where its Python binding (``nvidia-ml-py``, the extra ``gpu``) and a driver are there; elsewhere there is
nothing to say. API: https://docs.nvidia.com/deploy/nvml-api/.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

POWER_CAP = "software power cap"
REASONS = {  # bits of nvmlClocksEventReasons (nvml.h) that lower the clock; idle, and clocks set by a user, do not
    0x4: POWER_CAP,
    0x8: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
}
MILLI = 1e-3
NO_BINDING = "not looked at: nvidia-ml-py is not installed; pip install 'tradeoff-suite[gpu]'"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A GPU at one moment: ``clock`` of the multiprocessors in MHz, enforced ``power_limit`` in W.

    ``None`` is what the driver does not tell. ``others`` are the ids of other processes that hold the GPU; empty too
    where the driver counts processes in another namespace.
    """

    clock: int | None
    throttles: tuple[str, ...]
    others: tuple[int, ...]
    power_limit: float | None = None


def snapshot(device: str, nvml: ModuleType | Any | None = None) -> Snapshot | None:
    """The GPU behind ``device`` (``cuda`` or ``cuda:1``) now; ``None`` without NVML, a driver or such a device.

    Take it right before and after the timed work, without a pause: an idle GPU lowers its clock.
    """
    binding = _binding() if nvml is None else nvml
    if device.partition(":")[0] != "cuda" or binding is None:
        return None
    try:
        binding.nvmlInit()
        return _read(binding, _handle(binding, device))
    except binding.NVMLError:
        return None


def doubt(before: Snapshot | None, after: Snapshot | None) -> str | None:
    """Why timings between two snapshots cannot be trusted; ``None`` where nothing speaks against them.

    Heat and faulty power supplies do. The power cap does not: dense work meets it in normal operation, and a bias
    between the sides shows in the null arm.
    """
    if before is None or after is None:
        return None
    return "; ".join(filter(None, (_slowed(before, after), _shared(before, after)))) or None


def note(before: Snapshot | None, after: Snapshot | None) -> str | None:
    """What a reader should know of a sample and what makes no figure suspect: clocks, the power cap and its limit."""
    if before is None or after is None:
        return None
    capped = POWER_CAP in (*before.throttles, *after.throttles)
    limit = next((one.power_limit for one in (after, before) if one.power_limit is not None), None)
    clocks = None if None in (before.clock, after.clock) else f"clock {before.clock} to {after.clock} MHz"
    cap = POWER_CAP if capped else None
    return ", ".join(filter(None, (clocks, cap, None if limit is None else f"limit {limit:.0f} W"))) or None


def describe(device: str, nvml: ModuleType | Any | None = None) -> dict[str, str]:
    """What a run's header says of its GPU: whether ``nvml`` answers, ``driver``, ``power``, ``clock``, ``mig``.

    Empty for a device that is not NVIDIA's; without an answer it holds the reason alone.
    """
    if device.partition(":")[0] != "cuda" or _is_rocm():
        return {}
    binding = _binding() if nvml is None else nvml
    if binding is None:
        return {"nvml": NO_BINDING}
    try:
        binding.nvmlInit()
        return {"nvml": "answers", **_facts(binding, _handle(binding, device))}
    except binding.NVMLError as error:
        return {"nvml": f"does not answer: {error}"}


def line(found: Mapping[str, str]) -> str:
    """What `describe` found, as one line; empty where it found nothing."""
    return ", ".join(f"{name} {value}" for name, value in found.items())


def driver(nvml: ModuleType | Any | None = None) -> str | None:
    """The version of NVIDIA's driver; ``None`` without the binding or a driver."""
    binding = _binding() if nvml is None else nvml
    if binding is None:
        return None
    try:
        binding.nvmlInit()
        return _text(binding.nvmlSystemGetDriverVersion())
    except binding.NVMLError:
        return None


def energy_counter(device: str, nvml: ModuleType | Any | None = None) -> Callable[[], float] | str:
    """What reads the joules of the board behind ``device`` since its driver was loaded, or why nothing can.

    The function raises `OSError` where the driver no longer answers. GPUs before Volta have no such counter.
    """
    if nvml is None and _is_rocm():
        return "no counter of energy is known for AMD's GPUs"
    binding = _binding() if nvml is None else nvml
    if binding is None:
        return NO_BINDING
    try:
        binding.nvmlInit()
        handle = _handle(binding, device)
        binding.nvmlDeviceGetTotalEnergyConsumption(handle)
    except binding.NVMLError as error:
        return f"NVML has no counter of energy here: {error}"

    def read() -> float:
        try:
            return float(binding.nvmlDeviceGetTotalEnergyConsumption(handle) * MILLI)
        except binding.NVMLError as error:
            raise OSError(f"NVML does not answer: {error}") from error

    return read


def _slowed(before: Snapshot, after: Snapshot) -> str | None:
    reasons = sorted({*before.throttles, *after.throttles} - {POWER_CAP})
    return f"the GPU was slowed down by {' and '.join(reasons)}" if reasons else None


def _shared(before: Snapshot, after: Snapshot) -> str | None:
    others = sorted({*before.others, *after.others})
    return f"other processes used the GPU: {', '.join(map(str, others))}" if others else None


def _binding() -> ModuleType | None:
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return None


def _is_rocm() -> bool:
    import torch  # slow to import, and NVML needs it for this alone

    return bool(torch.version.hip)


def _handle(nvml: Any, device: str) -> Any:
    """The GPU, or its MIG slice, by the UUID that torch gives; torch's numbers are not those of NVML."""
    for name in _names(device):
        handle = _told(nvml, nvml.nvmlDeviceGetHandleByUUID, name)
        if handle is not None:
            return handle
    return _handle_by_index(nvml, int(device.partition(":")[2] or 0))


def _names(device: str) -> tuple[str, ...]:
    """What NVML may call the device: torch's UUID says not whether it is a GPU's or a MIG slice's."""
    import torch

    try:
        uuid = str(torch.cuda.get_device_properties(device).uuid)
    except (AttributeError, AssertionError, RuntimeError):  # an old build, one without CUDA, no such device
        return ()
    return (uuid,) if uuid.startswith(("GPU-", "MIG-")) else (f"MIG-{uuid}", f"GPU-{uuid}")


def _handle_by_index(nvml: Any, index: int) -> Any:
    """By its place among the visible ones: ``CUDA_VISIBLE_DEVICES`` may have renumbered it, or names a UUID."""
    visible = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    name = visible[index] if index < len(visible) else str(index)
    if name.isdecimal():
        return nvml.nvmlDeviceGetHandleByIndex(int(name))
    return nvml.nvmlDeviceGetHandleByUUID(name)


def _read(nvml: Any, handle: Any) -> Snapshot:
    bits = _reasons(nvml, handle)
    running = _told(nvml, nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
    return Snapshot(
        clock=_told(nvml, nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_SM),
        throttles=tuple(reason for bit, reason in REASONS.items() if bits & bit),
        others=_others(tuple(process.pid for process in running)),
        power_limit=_power_limit(nvml, handle),
    )


def _reasons(nvml: Any, handle: Any) -> int:
    """The bits that say why the clock is low; the second name is deprecated with CUDA 13, older drivers have it alone.

    0 where neither is answered.
    """
    for name in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"):
        bits = _told(nvml, getattr(nvml, name), handle) if hasattr(nvml, name) else None
        if bits is not None:
            return int(bits)
    return 0


def _power_limit(nvml: Any, handle: Any) -> float | None:
    milliwatts = _told(nvml, nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    return None if milliwatts is None else milliwatts * MILLI


def _others(pids: tuple[int, ...]) -> tuple[int, ...]:
    """Processes but for this one and its parent, which hold the same GPU and take turns.

    This process has work on the GPU, so it must be among them. Where it is not, the driver counts in the namespace of
    the host (a container): these ids then say nothing about who is who.
    """
    if os.getpid() not in pids:
        return ()
    return tuple(sorted(set(pids) - {os.getpid(), os.getppid()}))


def _facts(nvml: Any, handle: Any) -> Mapping[str, str]:
    now = _told(nvml, nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_SM)
    most = _told(nvml, nvml.nvmlDeviceGetMaxClockInfo, handle, nvml.NVML_CLOCK_SM)
    limit = _power_limit(nvml, handle)
    mig = _told(nvml, nvml.nvmlDeviceGetMigMode, handle)  # now, and after the next reset
    found = {
        "driver": _text(_told(nvml, nvml.nvmlSystemGetDriverVersion)),
        "power": None if limit is None else f"limit {limit:.0f} W",
        "clock": None if now is None or most is None else f"{now} of {most} MHz",
        "mig": None if mig is None else "on" if mig[0] else "off",
    }
    return {name: value for name, value in found.items() if value}


def _text(found: Any) -> str | None:
    return found.decode() if isinstance(found, bytes) else found  # older bindings give bytes


def _told(nvml: Any, ask: Any, *arguments: Any) -> Any:
    """What the driver answers; ``None`` where it does not support the question (a virtual GPU, MIG)."""
    try:
        return ask(*arguments)
    except nvml.NVMLError:
        return None
