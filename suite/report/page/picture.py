"""The page's main picture as SVG, for README and Markdown: score against speed-up. Drawn with matplotlib (`plots`)."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.report.columns import Row, groups, is_share
from suite.report.foreign import printable
from suite.report.page.run_content import RunContent, labels
from suite.report.results.folder import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE = "tradeoffs.svg"
COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:brown", "tab:gray")
MOST_PANELS = 6
MOST_NAMES = 12  # cells of a panel that stand with their names
APART = 0.05  # from a speed-up of 1: names of closer ones would lie over each other
LONGEST = 30  # characters of a name


def draw(runs: Sequence[RunContent], path: Path) -> Path | None:
    """One panel for each workload; filled marks are Pareto-optimal, runs have a colour each. Raises `ResultsError`.

    ``None`` where matplotlib is not installed or no cell has both a score and a speed-up.
    """
    workloads = list(dict.fromkeys(row["workload"] for run in runs for row in run.rows if _is_drawn(row)))[:MOST_PANELS]
    if not workloads or importlib.util.find_spec("matplotlib") is None:
        return None
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4 * len(workloads)), layout="constrained")
    panels = figure.subplots(len(workloads), squeeze=False)[:, 0]
    with mpl.rc_context({"svg.hashsalt": "tradeoffs"}):  # equal runs give equal files
        for workload, panel in zip(workloads, panels, strict=True):
            _panel(runs, workload, panel)
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    replace_file(path, content.getvalue())
    return path


def _is_drawn(row: Row) -> bool:
    score = row["score"]
    return score is not None and row.get(score) is not None and row.get("speedup") is not None


def _panel(runs: Sequence[RunContent], workload: str, panel: Axes) -> None:
    own = [(run, [row for row in run.rows if row["workload"] == workload and _is_drawn(row)]) for run in runs]
    rows = [row for _, some in own for row in some]
    share = all(is_share(group) for group in groups(rows))
    for place, ((_, some), label) in enumerate(zip(own, labels(runs), strict=True)):
        panel.plot([], [], "o", color=COLOURS[place % len(COLOURS)], label=printable(label))
        for row in some:
            _mark(panel, row, colour=COLOURS[place % len(COLOURS)], scale=100 if share else 1)
    _name(panel, rows, scale=100 if share else 1)
    panel.set_title(printable(workload), parse_math=False, fontsize=10)
    panel.set_xlabel("speed-up (baseline seconds / technique seconds)")
    panel.set_ylabel(printable(rows[0]["score"].replace("_", " ")) + (", %" if share else ""), parse_math=False)
    panel.legend(frameon=False, fontsize=8)


def _name(panel: Axes, rows: Sequence[Row], *, scale: float) -> None:
    """Write the names of the cells that differ in speed, or of those on the front where they are many."""
    apart = [row for row in rows if abs(row["speedup"] - 1) >= APART]
    middle = sum(panel.get_xlim()) / 2
    for row in apart if len(apart) <= MOST_NAMES else [row for row in apart if row["pareto"]][:MOST_NAMES]:
        x, y = row["speedup"], row[row["score"]] * scale
        left = x > middle
        panel.annotate(
            _short(row["technique"]), (x, y), xytext=(-5 if left else 5, 5), textcoords="offset points", fontsize=8,
            ha="right" if left else "left", parse_math=False,
        )  # fmt: skip


def _mark(panel: Axes, row: Row, *, colour: str, scale: float) -> None:
    score = row["score"]
    x, y = row["speedup"], row[score] * scale
    errors = [_distances(row, "speedup", 1), _distances(row, score, scale)]
    fill = colour if row["pareto"] else "white"
    panel.errorbar(x, y, xerr=errors[0], yerr=errors[1], color=colour, linewidth=0.8, marker="o", markerfacecolor=fill)


def _distances(row: Row, figure: str, scale: float) -> list[list[float]] | None:
    """From the value to the ends of its interval [2, 1]; ``None`` without one."""
    value, low, high = row[figure], row.get(f"{figure}_low"), row.get(f"{figure}_high")
    if low is None or high is None:
        return None
    return [[max(0.0, value - low) * scale], [max(0.0, high - value) * scale]]


def _short(name: str) -> str:
    text = printable(name)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]}.."
