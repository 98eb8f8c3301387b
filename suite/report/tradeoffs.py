"""What each cell trades for what: one row per cell, for people and for spreadsheets, and which rows are Pareto-optimal.

A cell is Pareto-optimal if no other cell of its workload and device is at least as good in accuracy, artefact bytes
and speed-up, and better in one of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from suite.errors import ResultsError
from suite.report.frame import tidy, typed, worst
from suite.report.run import RunFolder, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pandas as pd

    from suite.records import RunHeader

KEYS = ("workload", "technique", "device")
METRIC_COLUMNS = (
    "accuracy",
    "accuracy_vs_control",
    "artefact_bytes",
    "entropy_bytes",
    "parameters",
    "macs",
    "speedup",
    "speedup_vs_channels_last",
    "speedup_b1",
    "train_step_speedup",
    "peak_memory_inference",
)
INTERVALS = ("accuracy_vs_control", "speedup")
COLUMNS = (
    "workload",
    "technique",
    "control",
    "device",
    "accuracy",
    "accuracy_vs_control",
    "accuracy_vs_control_low",
    "accuracy_vs_control_high",
    "artefact_bytes",
    "bytes_ratio",
    "entropy_bytes",
    "parameters",
    "macs",
    "speedup",
    "speedup_low",
    "speedup_high",
    "speedup_vs_channels_last",
    "speedup_b1",
    "train_step_speedup",
    "peak_memory_inference",
    "pareto",
    "verdict",
    "stale",
)
NUMBERS = frozenset(COLUMNS) - {*KEYS, "control", "pareto", "verdict", "stale"}
HIGHER_IS_BETTER = {"accuracy": 1, "artefact_bytes": -1, "speedup": 1}

LEGEND = (
    "Accuracy is a share of test images; *vs control* is the difference from the control in percentage points, with "
    "its interval. *Artefact* is what ships, *smaller* the baseline's bytes / these, *coded* the bytes after entropy "
    "coding. Speed-ups are baseline seconds / technique seconds (inference at the serving batch unless said), with "
    "their interval; higher is better. *Memory* is the peak of one served batch. A star marks cells that no other cell "
    "of the same workload and device beats in accuracy, artefact bytes and speed-up at once (the last two where there "
    "is no accuracy); `-` was not measured."
)


def tradeoffs(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per cell of a tidy frame of one run, in order of appearance; columns `COLUMNS`.

    ``bytes_ratio`` is baseline bytes / bytes. ``pareto`` is empty (``pandas.NA``) where a figure that it needs is
    missing. ``verdict`` is the cell's worst, ``stale`` whether any is. Raises `ResultsError` for several machines.
    """
    machines = frame["machine"].unique()
    if len(machines) > 1:
        raise ResultsError(f"one table holds one machine, got {', '.join(machines)}; select one with frame.query(...)")
    rows = [_row(key, cell) for key, cell in frame.groupby(list(KEYS), sort=False)]
    _add_ratios(rows)
    table = typed(rows, COLUMNS, numbers=NUMBERS, flags=frozenset({"stale"}))
    table["pareto"] = _pareto(table)
    return table


def write(folder: RunFolder) -> tuple[Path, Path, Path]:
    """Write ``results.csv``, ``tradeoffs.csv`` and ``tradeoffs.md`` of a run into its folder; returns their paths."""
    frame = tidy(folder.header, folder.measurements(), folder.verdicts())
    table = tradeoffs(frame)
    results, csv, markdown = (folder.path / name for name in ("results.csv", "tradeoffs.csv", "tradeoffs.md"))
    replace_file(results, frame.to_csv(index=False, lineterminator="\n").encode())
    replace_file(csv, table.to_csv(index=False, lineterminator="\n").encode())
    replace_file(markdown, to_markdown(table, folder.header).encode())
    return results, csv, markdown


def to_markdown(table: pd.DataFrame, header: RunHeader) -> str:
    """The table for people, GitHub-flavoured, below a heading that says where its figures come from."""
    import pandas as pd  # heavy

    rows = [{name: _cell(show(row)) for name, show in MARKDOWN.items()} for row in records(table)]
    shown = pd.DataFrame(rows, columns=list(MARKDOWN))
    left = {"workload", "technique", "control", "device", "verdict"}
    alignment = ["left" if name in left else "right" for name in shown.columns]
    text = shown.to_markdown(index=False, tablefmt="pipe", colalign=alignment, disable_numparse=True)
    return f"{_heading(header)}\n\n{LEGEND}\n\n{text}\n"


# -- values for people ------------------------------------------------------------------------------------------------


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries, ``None`` where a value is missing."""
    import pandas as pd  # heavy

    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


def percent(share: float | None) -> str:
    """A share in percent: ``97.35 %``."""
    return "-" if share is None else f"{100 * share:.2f} %"


def points(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A difference of shares in percentage points, with its interval: ``-0.28 [-0.61, +0.06]``."""
    return _with_interval(value, low, high, lambda share: f"{round(100 * share, 2) + 0.0:+.2f}")  # no -0.00


def times(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A ratio with its interval: ``2.24x [2.20, 2.28]``."""
    return _with_interval(value, low, high, lambda ratio: f"{ratio:.2f}", unit="x")


def size(count: float | None) -> str:
    """Bytes in the decimal unit that fits: ``512 B``, ``151.2 kB``, ``1.2 MB``."""
    if count is None:
        return "-"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= 0.99995 * scale:  # 999,960 bytes are 1.0 MB, not 1000.0 kB
            return f"{count / scale:.1f} {unit}"
    return f"{count:.0f} B"


def verdict_of(row: dict[str, Any]) -> str:
    """The verdict of a row of the table, with its flag: ``pass (stale)``."""
    return (row["verdict"] or "-") + (" (stale)" if row["stale"] else "")


def _with_interval(
    value: float | None, low: float | None, high: float | None, show: Callable[[float], str], unit: str = ""
) -> str:
    if value is None:
        return "-"
    interval = "" if low is None or high is None else f" [{show(low)}, {show(high)}]"
    return f"{show(value)}{unit}{interval}"


def _millions(count: float | None) -> str:
    return "-" if count is None else f"{count / 1e6:.2f} M"


def _whole(count: float | None) -> str:
    return "-" if count is None else f"{count:,.0f}"


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "-"


def _cell(text: str) -> str:
    """Text that cannot end a cell of a Markdown table."""
    return " ".join(text.replace("|", r"\|").split())


MARKDOWN: dict[str, Callable[[dict[str, Any]], str]] = {
    "workload": lambda row: row["workload"],
    "technique": lambda row: _code(row["technique"]),
    "control": lambda row: _code(row["control"]),
    "device": lambda row: row["device"],
    "accuracy": lambda row: percent(row["accuracy"]),
    "vs control, points": lambda row: points(*_interval(row, "accuracy_vs_control")),
    "artefact": lambda row: size(row["artefact_bytes"]),
    "smaller": lambda row: times(row["bytes_ratio"]),
    "coded": lambda row: size(row["entropy_bytes"]),
    "parameters": lambda row: _whole(row["parameters"]),
    "MACs": lambda row: _millions(row["macs"]),
    "speed-up": lambda row: times(*_interval(row, "speedup")),
    "vs channels_last": lambda row: times(row["speedup_vs_channels_last"]),
    "batch 1": lambda row: times(row["speedup_b1"]),
    "training step": lambda row: times(row["train_step_speedup"]),
    "memory": lambda row: size(row["peak_memory_inference"]),
    "Pareto": lambda row: "★" if row["pareto"] else "",
    "verdict": verdict_of,
}


def _interval(row: dict[str, Any], metric: str) -> tuple[float | None, float | None, float | None]:
    return row[metric], row[f"{metric}_low"], row[f"{metric}_high"]


def _heading(header: RunHeader) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(header.where.versions.items()))
    seeds = ", ".join(map(str, header.seeds))
    quiet = "" if header.quiet else "\n- **Not a quiet process**: timings of this run cannot be trusted."
    return (
        f"# Trade-offs of {header.run}\n\n"
        f"- machine: {header.where.machine} ({header.where.family}), {header.where.device}, "
        f"threads: {header.where.threads}\n"
        f"- versions: {versions or 'unknown'}\n"
        f"- seeds: {seeds or 'none'}; profile: {header.profile}\n"
        f"- commit: {header.commit or 'unknown'}\n"
        f"- command: `{header.command}`{quiet}"
    )


# -- rows -------------------------------------------------------------------------------------------------------------


def _row(key: Any, cell: pd.DataFrame) -> dict[str, Any]:
    by_metric = {row["metric"]: row for row in records(cell)}
    row: dict[str, Any] = dict(zip(KEYS, key, strict=True))
    row |= {name: by_metric.get(name, {}).get("value") for name in METRIC_COLUMNS}
    row |= {f"{name}_{end}": by_metric.get(name, {}).get(end) for name in INTERVALS for end in ("low", "high")}
    row["control"] = _control(by_metric)
    verdict = worst(cell["verdict"].dropna())
    row["verdict"] = verdict and verdict.value
    row["stale"] = bool(cell["stale"].any())
    return row


def _control(by_metric: dict[str, dict[str, Any]]) -> str | None:
    """What quality is compared with; the control of another metric only where that is not known."""
    rows = [by_metric.get("accuracy_vs_control", {}), *by_metric.values()]
    return next((row["control"] for row in rows if row.get("control")), None)


def _add_ratios(rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    baselines = {
        (row["workload"], row["device"]): row["artefact_bytes"] for row in rows if row["technique"] == "baseline"
    }
    for row in rows:
        baseline, own = baselines.get((row["workload"], row["device"])), row["artefact_bytes"]
        row["bytes_ratio"] = baseline / own if baseline and own else None


def _pareto(table: pd.DataFrame) -> pd.Series[Any]:
    import pandas as pd  # heavy

    with_accuracy = set(table.loc[table["accuracy"].notna(), "workload"])
    merits = [_merits(row, accuracy=row["workload"] in with_accuracy) for row in records(table)]
    places = list(zip(table["workload"], table["device"], strict=True))
    optimal = [
        None
        if own is None
        else not any(place == other and _beats(rival, own) for other, rival in zip(places, merits, strict=True))
        for place, own in zip(places, merits, strict=True)
    ]
    return pd.Series(optimal, index=table.index, dtype="boolean")


def _merits(row: dict[str, Any], *, accuracy: bool) -> tuple[float, ...] | None:
    """The figures that cells are compared in, higher is better; ``None`` if one is missing."""
    names = [name for name in HIGHER_IS_BETTER if accuracy or name != "accuracy"]
    merits = tuple(HIGHER_IS_BETTER[name] * (math.nan if row[name] is None else row[name]) for name in names)
    return None if any(map(math.isnan, merits)) else merits


def _beats(rival: tuple[float, ...] | None, own: tuple[float, ...]) -> bool:
    return rival is not None and rival != own and all(theirs >= mine for theirs, mine in zip(rival, own, strict=True))
