"""A picture of a search: every measured composition, those of the front joined. matplotlib comes with ``plots``."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from suite.analysis.search.objectives import Objectives
from suite.analysis.search.optimize import MeasuredComposition
from suite.analysis.search.tables import front
from suite.core.metrics import metric

FEASIBLE, INFEASIBLE = "tab:blue", "tab:gray"


def available() -> bool:
    """Whether pictures can be drawn here."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(found: Sequence[MeasuredComposition], objectives: Objectives, path: Path) -> Path:
    """Write the picture of the first two metrics that are aimed at, with their units, to a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    panel = figure.subplots()
    across, upward = objectives.metrics[:2]
    for fits, colour, label in ((True, FEASIBLE, "feasible"), (False, INFEASIBLE, "infeasible")):
        some = [one for one in found if objectives.feasible(one.figures) is fits]
        places = [[one.figures[name][0] for one in some] for name in (across, upward)]
        panel.scatter(*places, color=colour, label=label)
    for one in front(found, objectives):
        place = one.figures[across][0], one.figures[upward][0]
        panel.annotate(one.composition, place, fontsize=6, xytext=(4, 4), textcoords="offset points")
    panel.set(xlabel=_label(across), ylabel=_label(upward), title="on validation items; names: the front")
    panel.legend(frameon=False)
    figure.savefig(path, dpi=120)
    return path


def _label(name: str) -> str:
    return f"{name} [{metric(name).unit}]"
