"""The share of planted slowdowns that each rule calls regressed, one panel for each load.

matplotlib comes with the extra ``plots`` and is imported when the picture is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from studies.gate.table import CONFIDENCE, RULES, Count
from suite.core.errors import SetupError
from suite.core.stats.intervals import wilson

INSTALL = "the picture needs matplotlib: pip install 'tradeoff-suite[plots]'"


def available() -> bool:
    """Whether pictures can be drawn here."""
    return find_spec("matplotlib") is not None


def draw(found: Sequence[Count], path: Path) -> Path:
    """Write the picture to a PNG file. Raises `SetupError` where matplotlib is missing."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SetupError(INSTALL) from error
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    names = list(dict.fromkeys(count.load for count in found))
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for panel, load in zip(panels, names, strict=True):
        _panel(panel, [count for count in found if count.load == load])
        panel.set(title=f"other cores: {load}", xlabel="planted slowdown [%]", ylim=(-0.03, 1.03))
        panel.grid(visible=True, alpha=0.25)
    panels[0].set_ylabel("share called regressed")
    panels[-1].legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=130)
    return path


def _panel(panel: Any, found: Sequence[Count]) -> None:
    for rule in RULES:
        chosen = [count for count in found if count.rule == rule]
        ends = [wilson(count.regressed, count.n, CONFIDENCE) for count in chosen]
        shares = [count.regressed / count.n for count in chosen]
        errors = [
            [max(0.0, share - low) for share, (low, _) in zip(shares, ends, strict=True)],
            [max(0.0, high - share) for share, (_, high) in zip(shares, ends, strict=True)],
        ]
        panel.errorbar([100 * c.planted for c in chosen], shares, yerr=errors, marker="o", capsize=2, label=rule)
