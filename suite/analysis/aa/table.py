"""The figures of an A/A study as Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields

from suite.analysis.aa.figures import NoiseMetrics
from suite.core.stats.intervals import wilson
from suite.report.pipe_table import pipe_table

CONFIDENCE = 0.95
TITLES = ("cell", "metric", "n", "value", "s within", "s between", "low", "regressed", "finds a loss of")


def markdown(found: Sequence[NoiseMetrics]) -> str:
    """One line for each metric of each cell."""
    return pipe_table(TITLES, map(_cells, found)) + "\n"


def _cells(one: NoiseMetrics) -> tuple[str, ...]:
    loss = "-" if one.loss is None else f"{one.loss:.1%}"
    shares = (f"{one.within:.2%}", f"{one.between:.2%}", f"{one.low:.4g}", alarms([one]), loss)
    return (one.cell, one.metric, str(one.n), f"{one.value:.4g}", *shares)


def alarms(found: Sequence[NoiseMetrics]) -> str:
    """How many decisions on unchanged code regressed before a repeat, with the 95 % interval of their share."""
    count, judged = sum(one.alarms for one in found), sum(one.judged for one in found)
    low, high = wilson(count, judged, CONFIDENCE)
    return f"{count} of {judged} [{low:.0%}, {high:.0%}]"


def comma_separated(found: Sequence[NoiseMetrics]) -> str:
    """The same for pandas."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(NoiseMetrics)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(asdict, found))
    return out.getvalue()
