"""The tables and pictures of a run of curves, from its `points.csv`; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from suite.analysis.scaling import plots
from suite.analysis.scaling.compare import Comparison, CurvePoints, compared, preference
from suite.analysis.scaling.folder import CurveFolder
from suite.analysis.scaling.plan import RESOURCES
from suite.analysis.scaling.pool import noise, pooled
from suite.analysis.scaling.tables import Row, family_rows, forecasts, section
from suite.analysis.scaling.train import TrainedPoint
from suite.core.errors import ResultsError, SuiteError
from suite.core.records import Better
from suite.report.results.folder import replace_file

Say = Callable[[str], None]
LABELS = {
    "train_samples": "training samples", "steps": "optimizer steps", "parameters": "parameters",
    "flops": "training compute",
}  # fmt: skip

X_LABELS = {**LABELS, "flops": "training compute [FLOPs]"}


@dataclass(frozen=True, kw_only=True)
class ScalingCurve:
    """The trained points of one workload and resource, and what its quality is called."""

    workload: str
    resource: str
    rows: tuple[TrainedPoint, ...]
    score: str
    unit: str
    better: Better

    @property
    def name(self) -> str:
        return f"{self.workload}-{self.resource}"

    @property
    def title(self) -> str:
        return f"{self.workload}: {self.score} against {LABELS[self.resource]}"

    @property
    def quality(self) -> str:
        """Unit of the quality, for sentences."""
        return self.score if self.unit == "1" else self.unit

    def series(self, noise: Mapping[float, float] | None) -> CurvePoints:
        """Each training as a separate point, with the noise of its share if it is known."""
        return CurvePoints(
            resource=np.array([row.amount for row in self.rows]),
            quality=np.array([row.quality for row in self.rows]),
            sigma=None if noise is None else np.array([noise[row.share] for row in self.rows]),
            better=self.better,
            kind="accuracy" if noise is not None else "loss" if self.better == "lower" else None,
        )


def curves(folder: CurveFolder) -> Iterator[ScalingCurve]:
    """The curves of a folder, in the order in which they were trained. Raises `ResultsError` where there are none."""
    rows = folder.rows()
    if not rows:
        raise ResultsError(f"{folder.path} holds no trained point yet; go on with --resume {folder.path}")
    for workload, resource in dict.fromkeys((row.workload, row.resource) for row in rows):
        name, unit, better = folder.header["scores"][workload]
        chosen = tuple(row for row in rows if (row.workload, row.resource) == (workload, resource))
        yield ScalingCurve(workload=workload, resource=resource, rows=chosen, score=name, unit=unit, better=better)


def write(folder: CurveFolder, say: Say) -> Path:
    """Write means, tables and pictures of every curve; returns the Markdown file. Says what could not be fitted."""
    sections, families, ahead, means = [], [], [], []
    if not plots.available():
        say(plots.INSTALL)
    for curve in curves(folder):
        points = pooled(folder, curve.rows, curve.better)
        means += [{**_names(curve), **row} for row in points]
        try:
            found = compared(curve.series(noise(points, curve.rows)))
        except SuiteError as error:
            sections.append(f"## {curve.title}\n\nNot fitted: {error}\n")
            continue
        families += [{**_names(curve), **row} for row in family_rows(found)]
        ahead += [{**_names(curve), **row} for row in forecasts(found)]
        sections.append(_section(folder, curve, found, points))
        say(f"{curve.title}: {preference(found)}")
    for name, rows in (("means", means), ("families", families), ("forecasts", ahead)):
        _csv(folder.path / f"{name}.csv", rows)
    path = folder.path / "curves.md"
    replace_file(path, ("# Curves from runs\n\n" + "\n".join(sections)).encode())
    return path


def _names(curve: ScalingCurve) -> Row:
    return {"workload": curve.workload, "resource_name": curve.resource, "score": curve.score}


def _section(folder: CurveFolder, curve: ScalingCurve, found: Comparison, points: Sequence[Row]) -> str:
    text = section(found, curve.title, unit=RESOURCES[curve.resource], quality=curve.quality)
    text = text.replace("\n\n", f"\n\n{_setting(curve)}\n\n", 1)
    if not plots.available():
        return text
    plots.draw(
        found, folder.path / f"{curve.name}.png", title=curve.title, means=_means(points),
        x=X_LABELS[curve.resource],
        y=f"{curve.score} [{'share' if curve.unit == '1' else curve.unit}]",
    )  # fmt: skip
    return f"{text}\n![{curve.title}]({curve.name}.png)\n"


def _setting(curve: ScalingCurve) -> str:
    """How many trainings there are, and what the others of the resources were."""
    ranges = {
        name: sorted({getattr(row, name) for row in curve.rows})
        for name in ("train_samples", "steps", "parameters")
        if name != curve.resource
    }
    said = ", ".join(f"{name} {_range(values)}" for name, values in ranges.items())
    return f"{len(curve.rows)} trainings, {len({row.seed for row in curve.rows})} seeds; {said}."


def _range(values: Sequence[int]) -> str:
    return f"{values[0]}" if values[0] == values[-1] else f"{values[0]} to {values[-1]}"


def _means(rows: Sequence[Row]) -> plots.Means | None:
    names = ("amount", "quality", "low", "high")
    columns: dict[str, Any] = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
    if not np.isfinite(columns["low"]).all():
        return None
    return plots.Means(resource=columns["amount"], quality=columns["quality"], low=columns["low"], high=columns["high"])


def _csv(path: Path, rows: Sequence[Row]) -> None:
    import pandas as pd

    replace_file(path, pd.DataFrame(rows).to_csv(index=False).encode())
