"""The columns of `suite.report.load`: name, type, unit and meaning. docs/frames.md shows this table.

`VERSION` grows when a column is renamed or removed, or when its meaning changes; a new column alone keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VERSION = 1
Kind = Literal["text", "number", "integer", "flag"]
OWN = "`unit`"
DTYPES: dict[Kind, str] = {"text": "str", "number": "float64", "integer": "int64", "flag": "bool"}
"""pandas' names; before pandas 3, text is ``object``. Absent texts and numbers are NaN."""


@dataclass(frozen=True)
class FrameColumn:
    """One column: ``unit`` is empty for what has none, and `OWN` for values in the unit that the row names."""

    name: str
    kind: Kind
    unit: str
    meaning: str


SCHEMA = (
    FrameColumn("run", "text", "", "name of the run: its start and device"),
    FrameColumn("started", "text", "", "start of the run, ISO 8601"),
    FrameColumn("commit", "text", "", "commit of the measured repository; ends with -dirty if files differed"),
    FrameColumn("machine", "text", "", "key of the machine"),
    FrameColumn("family", "text", "", "key of its hardware family"),
    FrameColumn("torch", "text", "", "version of torch"),
    FrameColumn("profile", "text", "", "quick, default or full"),
    FrameColumn("quiet", "flag", "", "whether the process was quiet: its timings count"),
    FrameColumn("threads", "integer", "threads", "threads of CPU work"),
    FrameColumn("workload", "text", "", "name of the workload"),
    FrameColumn("technique", "text", "", "composition of techniques, with parameters"),
    FrameColumn("control", "text", "", "composition that the metric is compared with"),
    FrameColumn("device", "text", "", "cpu, cuda:0, ..."),
    FrameColumn("ranks", "integer", "devices", "devices that work on the cell at once"),
    FrameColumn("precision", "text", "", "number format of the composition's arithmetic"),
    FrameColumn("runtime", "text", "", "technique that runs the served network; eager where torch does"),
    FrameColumn("engine", "text", "", "engine whose kernels ran: torch, or another one that says so"),
    FrameColumn("executed", "text", "", "another engine's multiply-accumulates as JSON, by precision and device"),
    FrameColumn("arguments", "text", "", "parameters as JSON by technique.parameter"),
    FrameColumn("group", "text", "", "quality, size, speed or memory"),
    FrameColumn("metric", "text", "", "name of the metric; of a failed group, the group's name"),
    FrameColumn("primary", "flag", "", "whether the metric is the workload's primary score"),
    FrameColumn("value", "number", OWN, "measured value; NaN if there is only a verdict or a failure"),
    FrameColumn("low", "number", OWN, "lower end of its interval; NaN for counts"),
    FrameColumn("high", "number", OWN, "upper end of its interval"),
    FrameColumn(
        "shared_value", "number", OWN, "value over the seeds that all cells of the run share; of tradeoffs.csv"
    ),
    FrameColumn("shared_low", "number", OWN, "lower end of its interval"),
    FrameColumn("shared_high", "number", OWN, "upper end of its interval"),
    FrameColumn("confidence", "number", "1", "confidence of the interval"),
    FrameColumn("noise", "number", "", "standard deviation over processes (relative) or seeds (in `unit`)"),
    FrameColumn("margin", "number", OWN, "least difference that matters"),
    FrameColumn("null_ratio", "number", "1", "ratio of the baseline to its own copy in the same sample"),
    FrameColumn("unit", "text", "", "unit of the value: 1, s, 1/s, B, bit"),
    FrameColumn("better", "text", "", "higher or lower"),
    FrameColumn("tier", "text", "", "exact, portable, family or local: where the value is the same"),
    FrameColumn("items", "number", "1", "test items, rounds or other samples of the value"),
    FrameColumn("processes", "number", "1", "fresh processes of the value"),
    FrameColumn("seeds", "text", "", "seeds of the value, separated by spaces"),
    FrameColumn("batch", "number", "items", "batch of a timing or of a memory"),
    FrameColumn("reused", "flag", "", "whether an earlier run trained the network"),
    FrameColumn("suspect", "text", "", "what disturbed a timing, which then says nothing"),
    FrameColumn("verdict", "text", "", "verdict of the run's gate; NaN if nothing was judged"),
    FrameColumn("reason", "text", "", "reason of the verdict or of the failure"),
    FrameColumn("stale", "flag", "", "whether the expectation was recorded under other versions"),
    FrameColumn("detectable", "number", "1", "least relative loss that the run would have found"),
    FrameColumn("failure", "text", "", "error or unavailable, of a group that brought no measurement"),
)
COLUMN_NAMES = tuple(column.name for column in SCHEMA)


def of_kind(kind: Kind) -> frozenset[str]:
    """Names of the columns of one kind."""
    return frozenset(column.name for column in SCHEMA if column.kind == kind)


def markdown() -> str:
    """The schema as a Markdown table."""
    rows = [f"| `{one.name}` | {DTYPES[one.kind]} | {one.unit} | {one.meaning} |" for one in SCHEMA]
    return "\n".join(["| column | dtype | unit | meaning |", "|---|---|---|---|", *rows])
