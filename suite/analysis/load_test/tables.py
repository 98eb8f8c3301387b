"""The curve and the loads as tables for a terminal, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import ResultsError
from suite.core.units.values import times
from suite.report.results.folder import replace_file

if TYPE_CHECKING:
    from suite.analysis.load_test.capacity import BatchCapacity
    from suite.analysis.load_test.plan import LoadTestPlan
    from suite.analysis.load_test.run import LoadTestResult
    from suite.analysis.load_test.summary import Load

CURVE, LOADS = "curve.csv", "loads.csv"
GAP = "  "
MILLI = 1e3


def lines(found: LoadTestResult, plan: LoadTestPlan) -> Iterator[str]:
    """Both tables with what they were measured under."""
    yield from _aligned(
        ("batch", "ms a batch", "items/s", "baseline items/s", "speed-up"), map(_of_point, found.points)
    )
    yield ""
    policy, doubt = plan.policy, _mark(found.suspect)
    yield (
        f"capacity {found.capacity:.0f}{doubt} requests/s at batches up to {policy.max_batch}; a batch waits "
        f"at most {MILLI * policy.max_wait:g} ms; an answer is good within {MILLI * found.objective:.4g} ms"
    )
    if found.suspect:
        yield f"? the rounds of this capacity were disturbed, and so are the shares of it: {found.suspect}"
    yield from _aligned(
        ("load", "requests/s", "p50 ms", "p99 ms", "goodput/s", "late", "mean batch", ""), map(_of_load, found.loads)
    )
    if any(load.saturated for load in found.loads):
        yield "saturated: work piled up, and latencies grow with the duration of the load"


def write(folder: Path, found: LoadTestResult) -> list[Path]:
    """``curve.csv`` and ``loads.csv`` in a new ``folder``. Raises `ResultsError` where it cannot be written."""
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ResultsError(f"cannot make {folder}: {error.strerror or error}; choose another with --out") from error
    tables = {CURVE: list(map(asdict, found.points)), LOADS: list(map(asdict, found.loads))}
    for name, rows in tables.items():
        replace_file(folder / name, _csv(rows).encode())
    return [folder / name for name in tables]


def _csv(rows: Sequence[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _of_point(point: BatchCapacity) -> tuple[str, ...]:
    return (
        str(point.batch),
        f"{MILLI * point.seconds:.3f}",
        f"{point.throughput:.0f}",
        f"{point.baseline_throughput:.0f}",
        times(point.speedup, point.low, point.high) + (f"  suspect: {point.suspect}" if point.suspect else ""),
    )


def _of_load(load: Load) -> tuple[str, ...]:
    return (
        f"{load.share:.0%}{_mark(load.suspect)}",
        f"{load.rate:.0f}",
        f"{MILLI * load.p50:.3f}",
        f"{MILLI * load.p99:.3f}",
        f"{load.goodput:.0f}",
        f"{load.late:.1%}",
        f"{load.mean_batch:.1f}",
        "saturated" if load.saturated else "",
    )


def _mark(suspect: str | None) -> str:
    return " ?" if suspect else ""


def _aligned(titles: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """Columns to the right, but for the last one."""
    table = [tuple(titles), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        yield GAP.join([*cells[:-1], row[-1]]).rstrip()
