"""What the tests of expectations share: a machine, a cell, and builders with telling defaults."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import HealthCheck, settings

from suite.core.metrics import METRICS, metric
from suite.core.records import Cell, CellFailure, Expectation, Measurement, Origin, RunHeader, Where

FAMILY = "cpu-x86_64-avx2"
MACHINE = "cpu-x86_64-amd-epyc-2c"
TODAY = date(2026, 11, 23)
TECHNIQUE = "structured_pruning(ratio=0.5,epochs=5)"
CELL = Cell(workload="digits_cnn", technique=TECHNIQUE, device="cpu")
VERSIONS = {"python": "3.11", "torch": "2.15.0"}
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # slow machines are no fault
GROUPS = ("quality", "size", "speed", "memory")


def here(**changes: Any) -> Where:
    fields: dict[str, Any] = {"machine": MACHINE, "family": FAMILY, "device": "cpu", "threads": 1, "versions": VERSIONS}
    return Where(**(fields | {"data_digests": {"digits_cnn": "d1"}} | changes))


def measurement(name: str, value: float, **changes: Any) -> Measurement:
    known = metric(name)
    fields = {"unit": known.unit, "better": known.better, "tier": known.tier, "group": known.group, "cell": CELL}
    return Measurement(metric=name, value=value, **(fields | changes))


def expectation(name: str, value: float, **changes: Any) -> Expectation:
    known = metric(name)
    fields: dict[str, Any] = {"unit": known.unit, "better": known.better, "tier": known.tier}
    fields |= {"workload": "digits_cnn", "technique": TECHNIQUE, "level": "any", "path": "any/digits_cnn.toml"}
    return Expectation(
        metric=name, value=value, **(fields | {"line": 3, "origin": Origin(versions=VERSIONS)} | changes)
    )


def failure(group: str, kind: str, reason: str = "no compiler") -> CellFailure:
    return CellFailure(cell=CELL, group=group, kind=kind, reason=reason)


def run_header(**changes: Any) -> RunHeader:
    fields: dict[str, Any] = {"run": "r1", "started": "2026-11-23T10:00:00Z", "command": "suite record", "seeds": (0,)}
    fields |= {"commit": "3f9c2ab", "where": here(), "profile": "default", "quiet": True}
    return RunHeader(**(fields | changes))


def all_metrics() -> list[str]:
    return list(METRICS)
