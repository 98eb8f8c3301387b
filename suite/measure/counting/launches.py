"""Kernels that a call launches on an accelerator, as torch's profiler sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch

COPIES = ("Memcpy", "Memset")
Profile = Callable[[], AbstractContextManager[Any]]


def launches(call: Callable[[], object], device: str, *, profile: Profile | None = None) -> Counter[str] | None:
    """The kernels of ``call`` by name. ``None`` on a CPU, and where the profiler sees nothing of the device."""
    if torch.device(device).type == "cpu":
        return None
    with (profile or _profile)() as profiler:
        call()
        torch.accelerator.synchronize(device)
    return Counter(_kernels(profiler.events())) or None


def _profile() -> AbstractContextManager[Any]:
    from torch.profiler import ProfilerActivity, supported_activities

    wanted = {activity for activity in supported_activities() if activity is not ProfilerActivity.CPU}
    return torch.profiler.profile(activities=[ProfilerActivity.CPU, *wanted])


def _kernels(events: Iterable[Any]) -> Iterable[str]:
    """Names without their arguments. Copies and fills of memory are no kernels."""
    for event in events:
        on_device = str(event.device_type).rpartition(".")[2] != "CPU"
        if on_device and not event.name.startswith(COPIES):
            yield event.name.partition("(")[0].partition("<")[0].strip() or event.name
