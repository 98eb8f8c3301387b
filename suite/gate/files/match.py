"""Whether an entry speaks of what a run measures: the same hardware, threads, device, conditions and data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suite.core.metrics import ABSOLUTE_UNITS, COUNTS, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from suite.core.records import Expectation, Measurement, Where

HARDWARE = frozenset({"threads", "host"})  # under others of these a machine is another machine
MEMORY_CAP = "memory_cap"  # of the edge profile, in bytes; the condition of all its figures
OF_KERNELS = frozenset({"output_error", *COUNTS})  # metrics that follow from a device's kernels
VERSIONS = frozenset({"torch"})  # conditions that are versions: under another one a figure may differ, and may not
ENVIRONMENT = ":"  # in a digest, after the name of what the data come with
ANEW = "record it again (suite bench --expect=record)"


def applies(entry: Expectation, where: Where) -> bool:
    """Whether the entry is about the hardware and threads of this run, and about as much memory."""
    return entry.level in where.levels and usable(entry, where)


def usable(entry: Expectation, where: Where) -> bool:
    """Whether an entry of this run's levels was recorded with its threads, its cap of memory and its kind of device."""
    return threads_agree(entry, where) and caps_agree(entry, where.memory_cap) and devices_agree(entry, where)


def devices_agree(entry: Expectation, where: Where) -> bool:
    """Whether an entry that holds anywhere holds on this kind of device: not if its value follows from the kernels.

    Other kernels round otherwise: errors of outputs that CPUs recorded say nothing of a GPU's. An entry that names no
    machine was written by hand, and holds everywhere.
    """
    if entry.metric not in OF_KERNELS or entry.level != "any" or not entry.seen:
        return True
    return device_of(where.machine) in {device_of(machine) for machine in entry.seen}


def device_of(machine: str) -> str:
    """The kind of device of a machine's key: ``cpu-x86_64-...``, ``cuda-sm90-...``."""
    return machine.partition("-")[0]


def caps_agree(entry: Expectation, cap: int | None) -> bool:
    """Whether the entry was recorded under the same cap of memory, or like the run under none."""
    return entry.conditions.get(MEMORY_CAP) == cap


def threads_agree(entry: Expectation, where: Where) -> bool:
    """Thread counts matter where hardware does; entries of other hardware are not asked."""
    if entry.level not in (where.machine, where.family) or entry.level == "any":
        return True
    return threads_of(entry) in (None, where.threads)


def threads_of(entry: Expectation) -> int | str | None:
    """The threads that the entry was recorded with."""
    return entry.conditions.get("threads", entry.origin.threads)


def must_answer(entry: Expectation, where: Where) -> bool:
    """Whether a measurement has to come on this device; a retired entry waits for none.

    An absolute time never fails a gate, so its absence does not either (a percentile of too few calls is left out).
    """
    if entry.retired or entry.unit in ABSOLUTE_UNITS:
        return False
    return not entry.only or where.device.partition(":")[0] in entry.only


def other_hardware(measured: Measurement, entry: Expectation) -> str:
    """Why the entry is about another use of the hardware; empty where it is not. What holds anywhere never is."""
    if entry.level == "any":
        return ""
    keys = [key for key in _differing(measured.conditions, entry.conditions) if key in HARDWARE]
    return _difference(keys, measured.conditions, entry.conditions)


def other_family(measured: Measurement, entry: Expectation, where: Where) -> str:
    """Why a value of one family's machines is not judged by an entry that others recorded for any; empty otherwise."""
    if (
        entry.level != "any"
        or measured.tier not in ("family", "local")
        or not entry.seen
        or where.machine in entry.seen
    ):
        return ""
    return f"recorded on {', '.join(sorted(entry.seen))}, and {measured.metric} depends on the family; {ANEW}"


def other_conditions(measured: Measurement, entry: Expectation) -> str:
    """Why the measurement does not answer the entry, which applies here; empty where it does."""
    keys = [key for key in _differing(measured.conditions, entry.conditions) if key not in HARDWARE]
    difference = _difference(keys, measured.conditions, entry.conditions)
    return f"{difference}; {ANEW}" if difference else ""


def other_versions(measured: Measurement, entry: Expectation) -> str:
    """Why a count that differs is none of this code's: it was recorded under another version; empty where it was not.

    All other conditions have to agree: under others it is another quantity (`other_conditions`).
    """
    keys = _differing(measured.conditions, entry.conditions)
    if not keys or not VERSIONS.issuperset(keys):
        return ""
    recorded, here = (
        ", ".join(f"{key} {given[key]}" for key in keys) for given in (entry.conditions, measured.conditions)
    )
    return f"counted with {recorded}, this run has {here}; {ANEW}"


def other_data(entry: Expectation, where: Where) -> str:
    """Why the quality was recorded on data that are not comparable; empty where they are, or either is not known."""
    recorded, here = entry.origin.data_digest, where.data_digests.get(entry.workload)
    known = METRICS.get(entry.metric)
    portable = entry.tier == "portable" and known is not None and known.group == "quality"
    if not portable or recorded is None or here is None or recorded == here:
        return ""
    return f"other data: recorded on {recorded}, this run has {here}; {ANEW} or restore the data"


def other_environment(entry: Expectation, where: Where) -> str:
    """Why the quality was recorded on data that another environment came with; empty where data are the user's own.

    A digest such as ``cpython-3.11.7:5868b1c2f24ac8da`` names what the data come with: nobody can restore them there.
    """
    recorded, here = entry.origin.data_digest or "", where.data_digests.get(entry.workload, "")
    if ENVIRONMENT not in recorded or ENVIRONMENT not in here or not other_data(entry, where):
        return ""
    return f"recorded on the data of {recorded}, this environment has those of {here}"


def _differing(here: Mapping[str, int | str], there: Mapping[str, int | str]) -> list[str]:
    """The conditions that both name and that differ."""
    return sorted(key for key in here.keys() & there.keys() if here[key] != there[key])


def _difference(keys: Iterable[str], here: Mapping[str, int | str], there: Mapping[str, int | str]) -> str:
    keys = list(keys)
    if not keys:
        return ""
    recorded, measured = (", ".join(f"{key} {given[key]}" for key in keys) for given in (there, here))
    return f"recorded at {recorded}, this run measured {measured}"
