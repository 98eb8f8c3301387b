"""Quality along what was varied: a technique's parameter, or a resource of the training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suite.report.columns import ENDS, is_share
from suite.report.foreign import printable
from suite.report.page.plot_values import Plain, short
from suite.report.page.run_content import RunContent, labelled
from suite.report.sweeps import SweepBlock

MOST_SWEEPS = 24


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """Quality against a resource: amounts ``at`` [n], means over seeds and the ends of their intervals [n]."""

    title: str
    resource: str
    score: str
    at: Sequence[float]
    quality: Sequence[float]
    low: Sequence[float | None]
    high: Sequence[float | None]


def sweep_plots(runs: Sequence[RunContent]) -> Plain:
    """Each sweep's values ``at`` [n], its score and its speed-up, each with the ends of its interval [3, n]."""
    sweeps = [(block, label) for run, label in labelled(runs) for block in run.sweeps]
    return {"plots": [_sweep(block, label) for block, label in sweeps[:MOST_SWEEPS]], "all": len(sweeps)}


def curve_plots(curves: Sequence[LearningCurve]) -> Plain:
    """Each curve's amounts ``at`` [n] and its quality with the ends of its interval [3, n]."""
    return {"plots": [_curve(curve) for curve in curves[:MOST_SWEEPS]], "all": len(curves)}


def _curve(curve: LearningCurve) -> Plain:
    return {
        "title": printable(curve.title),
        "resource": printable(curve.resource),
        "score_name": printable(curve.score),
        "at": [short(amount) for amount in curve.at],
        "score": [[short(value) for value in values] for values in (curve.quality, curve.low, curve.high)],
    }


def _sweep(block: SweepBlock, label: str) -> Plain:
    score = block.rows[0]["score"]
    return {
        "title": printable(block.title),
        "machine": label,
        "parameter": printable(block.sweep.parameter),
        "at": [value if isinstance(value, int | float) else printable(str(value)) for value in block.at],
        "score_name": score,
        "share": is_share(list(block.rows)),
        "score": _line(block, score) if score else None,
        "speedup": _line(block, "speedup"),
    }


def _line(block: SweepBlock, metric: str) -> list[list[float | None]]:
    """Values, lower and upper ends [3, n]."""
    return [[short(row.get(f"{metric}{end}")) for row in block.rows] for end in ENDS]
