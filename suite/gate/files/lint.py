"""What is wrong with readable expectations: entries that never fail, folders and files that nothing reads."""

from __future__ import annotations

import difflib
import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from suite.core.metrics import is_paired, limits
from suite.gate.drift import runs_of
from suite.gate.files.files import ANYWHERE, CLAIMS, is_hidden
from suite.gate.files.match import device_of
from suite.gate.power import too_tight
from suite.gate.sound import unfavourable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from suite.core.records import Expectation

DEVICES = frozenset({"cpu", "cuda", "rocm", "mps", "xpu", "hpu", "mtia", "npu", "xla", "openreg"})
LONGEST_XFAIL = timedelta(days=366)
ONE_MACHINE = re.compile(r"-\d+c$")  # the folder of a machine, not of a family
PLAIN_FILES = (".md", ".rst", ".txt")


def faults(entries: Iterable[Expectation], today: date) -> dict[str, str]:
    """By entry (``path:line``), why it can be read but does not do its work."""
    found = ((entry, _fault(entry, today)) for entry in entries)
    return {f"{entry.path}:{entry.line}": f"{entry.technique} {entry.metric}: {said}" for entry, said in found if said}


def _fault(entry: Expectation, today: date) -> str:
    checks = (too_tight, _half, _unknown_device, _worst, _elsewhere)
    return next((said for check in checks if (said := check(entry))), "") or _long_xfail(entry, today)


def _worst(entry: Expectation) -> str:
    """Nothing is worse than the end of a metric's range, so nothing can regress from there."""
    least, greatest = limits(entry.metric)
    end = least if entry.better == "higher" else greatest
    if entry.retired or entry.value != end or not math.isfinite(end):
        return ""
    return f"value = {entry.value:g} is the worst that {entry.metric} can be, so nothing regresses; record it again"


def _elsewhere(entry: Expectation) -> str:
    """A file that was moved: what was seen there was seen on other machines."""
    machines = [name for name in entry.seen if ONE_MACHINE.search(name)]  # a machine's own entry names its runs there
    if not ONE_MACHINE.search(entry.level) or not machines or entry.level in machines:
        return ""
    return f"lies in {entry.level}, and was seen on {', '.join(machines)}; move the file back, or record it again"


def looser(entries: Iterable[Expectation]) -> dict[str, str]:
    """By entry of a machine or family, that it accepts what the entry which holds anywhere does not."""
    known = list(entries)
    anywhere = {(e.workload, e.technique, e.metric): e for e in known if e.level == ANYWHERE and not e.retired}
    found = {}
    for entry in known:
        other = anywhere.get((entry.workload, entry.technique, entry.metric))
        if other is None or other is entry or entry.retired or not _accepts_more(entry, other):
            continue
        side, bound = unfavourable(entry)
        found[f"{entry.path}:{entry.line}"] = (
            f"{entry.technique} {entry.metric}: {side} = {bound:g} accepts more than {unfavourable(other)[1]:g}, which "
            f"holds anywhere ({other.path}:{other.line}); delete the entry, or record that one again"
        )
    return found


def _accepts_more(entry: Expectation, other: Expectation) -> bool:
    (_, ours), (_, theirs) = unfavourable(entry), unfavourable(other)
    if ours is None or theirs is None:
        return False
    return ours < theirs if entry.better == "higher" else ours > theirs


def _half(entry: Expectation) -> str:
    """A ratio that several runs widened may lose more than half without notice; a noisy first one may not help it."""
    if not is_paired(entry.metric) or entry.retired or entry.low is None or entry.low >= entry.value / 4:
        return ""
    runs = f" after {len(runs_of(entry))} runs" if len(runs_of(entry)) > 1 else ""
    return (
        f"low = {entry.low:g}{runs} accepts a loss of {1 - entry.low / entry.value:.0%} of {entry.value:g}; "
        "record it with --anew on a quiet machine"
    )


def _unknown_device(entry: Expectation) -> str:
    for device in entry.only:
        near = difflib.get_close_matches(device, DEVICES, n=1, cutoff=0.6)
        if device not in DEVICES and near:
            return f"only names {device!r}, which is no type of device known here; did you mean {near[0]}?"
        if device not in DEVICES:
            return f"only names {device!r}, which is no type of device known here ({', '.join(sorted(DEVICES))})"
    return ""


def _long_xfail(entry: Expectation, today: date) -> str:
    if entry.xfail is None or entry.xfail.until - today <= LONGEST_XFAIL:
        return ""
    return f"is marked to fail until {entry.xfail.until}, more than a year ahead; give a nearer day"


def unread(directory: Path, families: Mapping[str, str]) -> Iterator[str]:
    """One line for each folder and file below ``directory`` that no run reads.

    ``families`` gives the family of each machine's folder.
    """
    for path in sorted(directory.iterdir()):
        if is_hidden(path.name) or path.name == CLAIMS:
            continue
        if path.is_dir():
            yield from _unread_below(path)
        elif path.suffix.lower() not in PLAIN_FILES:
            yield f"{path}: nothing reads it; expectations are files <level>/<workload>.toml"
    yield from _unknown_levels(directory, families)


def _unread_below(level: Path) -> Iterator[str]:
    for path in sorted(level.iterdir()):
        if is_hidden(path.name) or path.suffix.lower() in PLAIN_FILES:
            continue
        if path.is_dir() or path.suffix != ".toml":
            yield f"{path}: nothing reads it; expectations are files <level>/<workload>.toml"


def _unknown_levels(directory: Path, families: Mapping[str, str]) -> Iterator[str]:
    """Folders that look like a family or machine, of which nothing says that there is one."""
    known = {*families, *families.values(), ANYWHERE}
    for path in sorted(directory.iterdir()):
        if not path.is_dir() or path.name in known or is_hidden(path.name) or path.name == CLAIMS:
            continue
        near = difflib.get_close_matches(path.name, known - {ANYWHERE}, n=1, cutoff=0.9)
        if device_of(path.name) not in DEVICES:
            yield f"{path}: no machine reads it: {device_of(path.name)!r} is no type of device known here"
        elif near and device_of(path.name) == device_of(near[0]) and near[0] != path.name:
            yield f"{path}: no machine here is of that family; did you mean {near[0]}?"


def misspelt(entries: Iterable[Expectation], workloads: Collection[str]) -> Iterator[str]:
    """One line for each file whose name is nearly that of a known workload: no run looks it up."""
    for path, workload in sorted({(entry.path, entry.workload) for entry in entries}):
        near = difflib.get_close_matches(workload, workloads, n=1, cutoff=0.7)
        if workload not in workloads and near:
            yield f"{path}: no workload {workload!r} is known here; did you mean {near[0]}?"
