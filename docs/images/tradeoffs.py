# noqa: INP001  # a script, no package
"""Draw the README's picture from a committed report: ``python docs/images/tradeoffs.py`` (extra ``plots``)."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of the backend

HERE = Path(__file__).parent
RUN = HERE.parents[1] / "reports" / "reference" / "cpu-x86_64-amd-epyc-f25m17-2c" / "tradeoffs.csv"
PLACES = {  # where a label stands beside its point, in typographic points
    "baseline": (-10, 18),
    "amp_bf16": (10, -16),
    "compiled": (-40, 16),
    "channels_last": (8, 5),
    "static_int8": (10, 5),
    "pure_bf16": (9, 4),
    "structured_pruning": (10, -12),
    "distillation": (-50, -24),
}


def draw(frame: pd.DataFrame, axes: Axes) -> None:
    """Speed-up against accuracy, both with their intervals; the area of a point is the artefact's bytes."""
    plotted = frame[frame.technique.str.partition("(")[0].isin(PLACES)]
    for row in plotted.itertuples():
        name = row.technique.partition("(")[0]
        speed, score = row.speedup, 100 * row.accuracy
        axes.errorbar(
            speed,
            score,
            xerr=[[max(0, speed - row.speedup_low)], [max(0, row.speedup_high - speed)]],
            yerr=[[score - 100 * row.accuracy_low], [100 * row.accuracy_high - score]],
            color="0.75",
            linewidth=1,
            zorder=1,
        )
        colour = "tab:red" if name == "baseline" else "tab:blue"
        axes.scatter(speed, score, s=row.artefact_bytes / 3000, color=colour, alpha=0.6, zorder=2)
        label = f"{name}, {row.artefact_bytes / 1000:.0f} kB"
        axes.annotate(label, (speed, score), xytext=PLACES[name], textcoords="offset points", fontsize=9, zorder=3)


def main() -> None:
    """Write ``tradeoffs.png`` beside this file."""
    figure, axes = plt.subplots(figsize=(8.4, 4.2), layout="constrained")
    draw(pd.read_csv(RUN), axes)
    axes.set_xscale("log", base=2)
    axes.set_xticks([1, 1.5, 2, 3, 4, 5], ["1x", "1.5x", "2x", "3x", "4x", "5x"])
    axes.minorticks_off()
    axes.set_xlim(0.9, 5.4)
    axes.set_xlabel("inference speed-up over the baseline, batch 64 (log scale, 99 % intervals)")
    axes.set_ylabel("test accuracy, % (95 % intervals)")
    title = "digits_cnn on a two-core AMD EPYC, one thread, torch 2.15, five seeds; area: artefact bytes"
    axes.set_title(title, fontsize=10)
    figure.savefig(HERE / "tradeoffs.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
