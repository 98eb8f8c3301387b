"""Counters of energy: RAPL of a CPU's packages, NVML's total of an NVIDIA GPU's board. Nothing is estimated from power.

RAPL is read through Linux's powercap (https://docs.kernel.org/power/powercap/powercap.html): microjoules that start
again from 0 at ``max_energy_range_uj``. Both count all that the package or the board does, idle power and other
processes too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.core.machine import nvml as nvml_of

POWERCAP = Path("/sys/class/powercap")
MICRO = 1e-6
NAME, ENERGY, RANGE = "name", "energy_uj", "max_energy_range_uj"


@dataclass(frozen=True, kw_only=True)
class EnergyCounter:
    """``read`` gives joules since some moment. They start again from 0 at ``wraps_at`` joules (``None``: never).

    ``read`` raises `OSError` or `ValueError` where the counter no longer answers.
    """

    name: str
    read: Callable[[], float]
    wraps_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class EnergyCounters:
    """All counters of a device; where there are none, ``absent`` is the reason."""

    counters: tuple[EnergyCounter, ...] = ()
    absent: str = ""

    def __str__(self) -> str:
        """``intel-rapl:0 package-0``, or ``absent: ...`` with the reason."""
        return f"absent: {self.absent}" if self.absent else ", ".join(counter.name for counter in self.counters)


def counters_of(device: str, *, root: Path = POWERCAP, nvml: Any = None) -> EnergyCounters:
    """The counters of a device (``cpu``, ``cuda:1``). ``root`` is the folder of powercap, ``nvml`` the binding."""
    kind = device.partition(":")[0]
    if kind == "cpu":
        return _rapl(root)
    if kind != "cuda":
        return EnergyCounters(absent=f"no counter of energy is known for {kind}")
    read = nvml_of.energy_counter(device, nvml)
    if isinstance(read, str):
        return EnergyCounters(absent=read)
    return EnergyCounters(counters=(EnergyCounter(name="NVML total energy", read=read),))


def _rapl(root: Path) -> EnergyCounters:
    """One counter for each package. Their parts (cores, memory) are in them; other zones count the same once more."""
    try:
        zones = [zone for zone in sorted(root.glob("intel-rapl:*")) if zone.name.count(":") == 1]
        packages = [zone for zone in zones if (zone / NAME).read_text("utf-8").startswith("package")]
        if not packages:
            return EnergyCounters(absent=f"{root} has no RAPL counter of a package; virtual machines have none")
        found = tuple(_package(zone) for zone in packages)
        for counter in found:
            counter.read()
    except PermissionError as error:
        path = error.filename
        return EnergyCounters(absent=f"{path} may not be read by this user; allow it with: sudo chmod a+r {path}")
    except (OSError, ValueError) as error:
        return EnergyCounters(absent=f"RAPL cannot be read: {error}")
    return EnergyCounters(counters=found)


def _package(zone: Path) -> EnergyCounter:
    """Raises `OSError` and `ValueError` for a zone that cannot be read."""
    most = zone / RANGE
    return EnergyCounter(
        name=f"{zone.name} {(zone / NAME).read_text('utf-8').strip()}",
        read=lambda: int((zone / ENERGY).read_text("ascii")) * MICRO,
        wraps_at=int(most.read_text("ascii")) * MICRO if most.exists() else None,
    )
