"""Claims on a machine that is not this one: known of it are its results, and what its family's name says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from suite.claims.facts import FACTS
from suite.claims.facts.machine import BF16, INT8, TOLD
from suite.claims.predicate import Missing
from suite.core.errors import UsageError
from suite.core.metrics import METRICS
from suite.core.records import Measurement, Where

FAMILIES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "x86_64": {
        "amx": frozenset(
            {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"}
        ),
        "avx512_bf16": frozenset({"avx2", "avx512f", "avx512_vnni", "avx512_bf16"}),
        "avx512_vnni": frozenset({"avx2", "avx512f", "avx512_vnni"}),
        "avx512": frozenset({"avx2", "avx512f"}),
        "avx_vnni": frozenset({"avx2", "avx_vnni"}),
        "avx2": frozenset({"avx2"}),
    },
    "aarch64": {"sve": frozenset({"asimd", "sve"}), "bf16": frozenset({"asimd", "bf16"})},
}  # fmt: skip
"""By architecture and family, the most capable first, the instruction sets that every processor of it has."""
ARM = frozenset({"asimd", "sve", "bf16", "i8mm"})
"""What no processor of another architecture has."""
RENAMED = {"speedup_b64": "speedup"}
"""Metrics that results of earlier versions have under another name: both are at the serving batch."""


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """The machine of some results, by its key and its family."""

    machine: str
    family: str

    @property
    def features(self) -> frozenset[str]:
        """What it has for certain."""
        architecture, own = self._family
        return FAMILIES.get(architecture, {}).get(own, frozenset())

    @property
    def lacking(self) -> frozenset[str]:
        """What it cannot have: sets of other architectures, and those that would put it into a more capable family."""
        architecture, own = self._family
        table = FAMILIES.get(architecture, {})
        if own not in table:
            return frozenset()
        strange = TOLD - ARM if architecture == "aarch64" else ARM
        above = list(table.values())[: list(table).index(own)]
        return strange.union(*above) - self.features

    def fact(self, name: str, arguments: Sequence[float | str]) -> float | None:
        """A fact of that machine; ``None`` for one that is the same on every machine. Raises `Missing`."""
        if not FACTS[name].local:
            return None
        asked = {"has": frozenset(map(str, arguments)), "has_bf16": BF16, "has_int8": INT8}.get(name)
        if asked is not None and asked & self.features:
            return 1.0
        if asked is not None and asked <= self.lacking:
            return 0.0
        raise Missing(f"{name} is a fact of {self.machine}, and its results do not hold it: judge the claim there")

    @property
    def _family(self) -> tuple[str, str]:
        found = re.fullmatch(r"cpu-(x86_64|aarch64)-(\w+)", self.family)
        return (found[1], found[2]) if found else ("", "")


def place_of(places: Mapping[str, Where]) -> Where:
    """The one machine of some runs. Raises `UsageError` where there are two."""
    machines = {where.machine: run for run, where in places.items()}
    if len(machines) > 1:
        told = ", ".join(f"{run} from {machine}" for machine, run in machines.items())
        raise UsageError(f"the results are of {len(machines)} machines ({told}): judge each by itself, then merge")
    return next(iter(places.values()))


def understood(measurements: Iterable[Measurement]) -> tuple[list[Measurement], dict[str, str]]:
    """The measurements under today's names, and what is said of each metric of an earlier version."""
    found = list(measurements)
    older = dict.fromkeys(one.metric for one in found if one.metric not in METRICS)
    said = {
        name: f"{name} is called {RENAMED[name]} now" if name in RENAMED else f"{name} is no metric of this version"
        for name in older
    }
    return [replace(one, metric=RENAMED.get(one.metric, one.metric)) for one in found], said
