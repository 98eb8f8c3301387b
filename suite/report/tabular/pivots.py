"""The usual questions about a frame of `suite.report.load`, each answered by a frame.

`tradeoffs`: what does each cell trade for what. `pareto`: which cells does no other beat. `matrix`: what holds where.
`engines`: what is the engine's gain, and what the precision's.
`roi`: after how many served items has a technique earned its training. `diff`: what changed between two runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.report import tradeoffs as tables
from suite.report.engine_gains import EngineSpeed, Gain, engine_gains
from suite.report.engine_tables import PLACES, SPEEDS, as_frame, device_of, split_runtime, what_ran
from suite.report.frames import records, worst
from suite.report.tabular.difference import diff

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["diff", "engines", "matrix", "pareto", "roi", "tradeoffs"]

PLACE = ("run", "machine")
TASK = (*PLACE, "workload", "device")
CELL = (*TASK, "ranks")
Row = Mapping[str, Any]
ROI = ("train_seconds", "throughput", "speedup", "artefact_bytes")


def tradeoffs(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per cell of each run and machine: its score, difference to the control, sizes, ratios of times, verdict.

    The columns after ``run`` and ``machine`` are those of ``tradeoffs.csv`` (`suite.report.tradeoffs.tradeoffs`), and
    so are the values: over the seeds that all cells of a run share, with the primary scores of that run.
    """
    import pandas as pd  # heavy

    usual = _primary(frame)
    parts = []
    for (run, machine), rows in frame.groupby(list(PLACE), sort=False):
        part = tables.tradeoffs(_over_shared_seeds(rows).reset_index(drop=True), usual | _primary(rows))
        part.insert(0, "run", str(run))
        part.insert(1, "machine", str(machine))
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*PLACE, *tables.columns([])])


def _over_shared_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the values that can be compared; those of a frame without such columns as they are."""
    names = [name for name in ("value", "low", "high") if f"shared_{name}" in rows]
    return rows.assign(**{name: rows[f"shared_{name}"] for name in names})


def _primary(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """The primary score of each workload that has one; of several runs the first one's."""
    primary = frame.loc[frame["primary"], ["workload", "metric"]].drop_duplicates("workload")
    return {workload: (metric,) for workload, metric in primary.itertuples(index=False)}


def pareto(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `tradeoffs` that no other cell of the same run, workload and device beats."""
    table = tradeoffs(frame)
    return table[table["pareto"].fillna(value=False).astype(bool)].reset_index(drop=True)


def matrix(frame: pd.DataFrame, values: str = "verdict") -> pd.DataFrame:
    """Techniques by workload, machine and device.

    ``values`` is ``verdict`` (the cell's worst one, or its failure) or the name of a metric (its value; of several
    runs of one machine, that of the last to start). Raises `UsageError` for a metric that the frame does not have.
    """
    if values == "verdict":
        known = frame.assign(shown=frame["verdict"].fillna(frame["failure"])).dropna(subset=["shown"])
        return _spread(known, lambda kinds: str(worst(kinds)))
    known = frame[(frame["metric"] == values) & frame["value"].notna()]
    if known.empty:
        names = sorted(set(frame.loc[frame["value"].notna(), "metric"]))
        raise UsageError(f"no rows of the metric {values!r}; the frame has {', '.join(names) or 'none'}")
    return _spread(known.assign(shown=known["value"]).sort_values("started", kind="stable"), "last")


def _spread(frame: pd.DataFrame, together: Any) -> pd.DataFrame:
    places = ["workload", "machine", "device"]
    return frame.pivot_table(index="technique", columns=places, values="shown", aggfunc=together, sort=False)


def engines(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per speed-up of each cell that no eager torch runs: the engine's gain and the precision's.

    The columns after ``run`` and ``machine`` are those of ``engines.csv`` (`suite.report.engine_gains`).
    """
    known = frame[frame["metric"].isin(SPEEDS) & (frame["value"] > 0)]
    return as_frame(engine_gains(map(_engine_speed, records(known))), (*PLACE, *PLACES))


def _engine_speed(row: Row) -> EngineSpeed:
    macs, runtime, engine = json.loads(row["executed"] or "{}"), row["runtime"], row["engine"]
    return EngineSpeed(
        place=(row["run"], row["machine"], row["workload"], device_of(row["device"], row["ranks"]), row["metric"]),
        technique=row["technique"], rest=split_runtime(row["technique"], [runtime])[1],
        **what_ran(runtime, engine, row["precision"], macs),
        speedup=Gain(row["value"], row["low"], row["high"]), batch=row["batch"] and int(row["batch"]),
        suspect=row["suspect"] is not None,
    )  # fmt: skip


def roi(frame: pd.DataFrame) -> pd.DataFrame:
    """What each cell costs in training and earns in serving, against the baseline of the same run and device.

    ``extra_seconds``: training seconds beyond the baseline's [s]; ``seconds_saved``: per served item [s];
    ``items_to_payback``: served items after which the training is paid back: 0 at once, infinity never; NaN if training
    or speed-up was not measured. Techniques of several ranks are compared with the baseline of one. Values have no
    interval: `suite roi` computes money, days and intervals.
    """
    wide = _wide(frame)
    base = wide[wide["technique"] == BASELINE].drop(columns=["technique", "ranks"]).drop_duplicates(list(TASK))
    both = wide.merge(base, on=list(TASK), how="inner", suffixes=("", "_baseline"))
    both["extra_seconds"] = both["train_seconds"] - both["train_seconds_baseline"]
    both["seconds_saved"] = (1 - 1 / both["speedup"]) / both["throughput_baseline"]
    both["bytes_ratio"] = both["artefact_bytes_baseline"] / both["artefact_bytes"]
    both["items_to_payback"] = _payback(both["extra_seconds"], both["seconds_saved"])
    names = ["extra_seconds", "seconds_saved", "items_to_payback", "speedup", "bytes_ratio"]
    return both.loc[both["technique"] != BASELINE, [*CELL, "technique", *names]].reset_index(drop=True)


def _wide(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per cell with the metrics `ROI`; disturbed timings are left out."""
    known = frame[frame["metric"].isin(ROI) & frame["suspect"].isna()]
    keys = [*CELL, "technique"]
    wide = known.drop_duplicates([*keys, "metric"]).pivot_table(
        index=keys, columns="metric", values="value", aggfunc="first"
    )
    return wide.reindex(columns=list(ROI)).reset_index()


def _payback(cost: pd.Series[float], saving: pd.Series[float]) -> pd.Series[float]:
    items = (cost / saving).where(saving > 0, float("inf"))
    return items.where((cost > 0) | (saving < 0), 0.0).where(cost.notna() & saving.notna())
