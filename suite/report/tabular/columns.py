"""The columns of one run, by name, in the order of `suite.report.tabular.schema`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from suite.core.metrics import METRICS
from suite.core.records import Cell, CellFailure, Measurement, RunHeader
from suite.report.engine_tables import SHARE, engine_of, split_runtime
from suite.report.frames import PLAIN, Pair, as_json, as_text, suspicion
from suite.report.results.lines import Judged
from suite.report.same_seeds import same_seeds
from suite.report.tabular.schema import COLUMN_NAMES

Columns = dict[str, list[Any]]
COPIED = ("control", "value", "low", "high", "confidence", "noise", "margin", "processes")
"""Fields of a measurement that are columns of the same name."""
OLD_SCORES = ("accuracy",)  # of runs whose header does not name the scores yet


def columns(header: RunHeader, pairs: Sequence[Pair], failures: Sequence[CellFailure]) -> Columns:
    """One row per pair, then one per failure."""
    keys = [(cell, metric) for cell, metric, _, _ in pairs] + [(one.cell, one.group) for one in failures]
    found = [one for _, _, one, _ in pairs] + [None] * len(failures)
    judged = [one for _, _, _, one in pairs] + [None] * len(failures)
    failed = [None] * len(pairs) + list(failures)
    known = _of_run(header, len(keys)) | _of_cells(header, keys) | _of_measurements(header, keys, found)
    known |= _of_engines(header, keys, found)
    known["group"] = [_group(*one) for one in zip(found, judged, failed, strict=True)]
    known |= _of_verdicts(judged, failed)
    return {name: known[name] for name in COLUMN_NAMES}


def _of_run(header: RunHeader, rows: int) -> Columns:
    where = header.where
    plain = {
        "run": header.run, "started": header.started, "commit": header.commit, "machine": where.machine,
        "family": where.family, "torch": where.versions.get("torch"), "profile": header.profile, "quiet": header.quiet,
        "threads": where.threads,
    }  # fmt: skip
    return {name: [value] * rows for name, value in plain.items()}


def _of_cells(header: RunHeader, keys: Sequence[tuple[Cell, str]]) -> Columns:
    techniques = [cell.technique for cell, _ in keys]
    primary = {workload: scores[0] for workload, scores in header.scores.items() if scores}
    return {
        "workload": [cell.workload for cell, _ in keys],
        "technique": techniques,
        "device": [cell.device for cell, _ in keys],
        "ranks": [cell.ranks for cell, _ in keys],
        "metric": [metric for _, metric in keys],
        "primary": [metric == primary.get(cell.workload, OLD_SCORES[0]) for cell, metric in keys],
        "precision": [header.precisions.get(technique, PLAIN) for technique in techniques],
        "arguments": [as_json(technique) for technique in techniques],
    }


def _of_engines(header: RunHeader, keys: Sequence[tuple[Cell, str]], measured: Sequence[Measurement | None]) -> Columns:
    """What ran each cell, in all of its rows."""
    shares = {found.cell: found for found in measured if found is not None and found.metric == SHARE}
    runtimes = {cell: split_runtime(cell.technique, header.runtimes)[0] for cell, _ in keys}
    engines = {cell: engine_of(header, runtime, shares.get(cell)) for cell, runtime in runtimes.items()}
    executed = {cell: json.dumps(dict(one.fingerprint)) for cell, one in shares.items()}
    by_cell: dict[str, dict[Cell, Any]] = {"runtime": {**runtimes}, "engine": {**engines}, "executed": {**executed}}
    return {name: [values.get(cell) for cell, _ in keys] for name, values in by_cell.items()}


def _of_measurements(
    header: RunHeader, keys: Sequence[tuple[Cell, str]], measured: Sequence[Measurement | None]
) -> Columns:
    known = [found or METRICS.get(metric) for (_, metric), found in zip(keys, measured, strict=True)]
    columns: Columns = {name: _values(measured, name) for name in COPIED}
    columns |= {name: [one and getattr(one, name) for one in known] for name in ("unit", "better", "tier")}
    columns |= _over_shared_seeds(measured)
    columns["items"] = [found and found.n for found in measured]
    columns["null_ratio"] = [found and found.null for found in measured]
    columns["batch"] = [found and found.conditions.get("batch") for found in measured]
    columns["reused"] = [found is not None and found.reused for found in measured]
    columns["suspect"] = [found and suspicion(header, found) for found in measured]
    columns["seeds"] = [found and (as_text(found.seeds) or None) for found in measured]
    return columns


def _over_shared_seeds(measured: Sequence[Measurement | None]) -> Columns:
    """Values and intervals as `suite.report.tradeoffs` compares them; what was not measured are the last rows."""
    known = [found for found in measured if found is not None]
    reduced = [*same_seeds(known), *[None] * (len(measured) - len(known))]
    return {f"shared_{name}": _values(reduced, name) for name in ("value", "low", "high")}


def _values(measured: Sequence[Measurement | None], name: str) -> list[Any]:
    """A field of each, ``None`` where nothing was measured: those are the last rows, where there are any."""
    get = attrgetter(name)
    if measured and measured[-1] is not None:
        return list(map(get, measured))
    return [None if one is None else get(one) for one in measured]


def _of_verdicts(judged: Sequence[Judged | None], failed: Sequence[CellFailure | None]) -> Columns:
    reasons = zip(judged, failed, strict=True)
    return {
        "verdict": [verdict and verdict.kind.value for verdict in judged],
        "reason": [
            (verdict and verdict.reason) or (failure and failure.reason) or None for verdict, failure in reasons
        ],
        "stale": [verdict is not None and verdict.stale for verdict in judged],
        "detectable": [verdict and verdict.detectable for verdict in judged],
        "failure": [failure and failure.kind for failure in failed],
    }


def _group(found: Measurement | None, verdict: Judged | None, failure: CellFailure | None) -> str | None:
    known = found or verdict or failure
    return None if known is None else known.group
