"""The roofline model: what an operator attains against what this machine's arithmetic and memory allow.

Williams, Waterman and Patterson 2009, https://doi.org/10.1145/1498765.1498785. Intensity is FLOPs over bytes; left of
the ridge memory is the ceiling, right of it arithmetic. The ceilings are those measured by `suite doctor`: products of
matrices and copies beyond the cache, so that small tensors, which stay in the cache, may exceed the slope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.analysis.profile.tools import package
from suite.measure.ceilings import Ceilings

FALLBACK = "float32"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point of the plot: FLOPs, bytes and seconds of a group of operators in one round."""

    name: str
    flops: float
    moved: float
    seconds: float

    @property
    def intensity(self) -> float:
        """FLOPs a byte; 0 where nothing is moved."""
        return self.flops / self.moved if self.moved > 0 else 0.0

    @property
    def attained(self) -> float:
        """FLOP/s; 0 without time."""
        return self.flops / self.seconds if self.seconds > 0 else 0.0


def peak(ceilings: Ceilings, dtype: str) -> float:
    """FLOP/s of matrix products in a type; of float32 for types that have no ceiling of their own."""
    return ceilings.gemm.get(dtype, ceilings.gemm[FALLBACK])


def ridge(ceilings: Ceilings, dtype: str = FALLBACK) -> float:
    """FLOPs a byte from which on arithmetic is the ceiling."""
    return peak(ceilings, dtype) / ceilings.copy


def least_seconds(flops: float, moved: float, ceilings: Ceilings, dtype: str = FALLBACK) -> tuple[float, float]:
    """Seconds that the arithmetic and the memory traffic need at least."""
    return flops / peak(ceilings, dtype), moved / ceilings.copy


def plot(marks: Sequence[Mark], ceilings: Ceilings, path: Path, *, title: str) -> Path:
    """Draw marks and ceilings on logarithmic axes. Raises `SetupError` without matplotlib."""
    figures, canvases = (
        package("matplotlib", "matplotlib.figure"),
        package("matplotlib", "matplotlib.backends.backend_agg"),
    )
    figure = figures.Figure(figsize=(8, 5), layout="constrained")
    canvases.FigureCanvasAgg(figure)
    axes = figure.subplots()
    shown = [mark for mark in marks if mark.flops > 0 and mark.moved > 0 and mark.seconds > 0]
    low, high = _span(shown, ceilings)
    _ceilings(axes, ceilings, low, high)
    for number, mark in enumerate(shown):
        axes.plot(mark.intensity, mark.attained / 1e9, "*" if mark.name == "total" else "o", ms=9, color=f"C{number}",
                  label=mark.name)  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="arithmetic intensity (FLOP/byte)", ylabel="attained (GFLOP/s)")
    axes.set_title(title, fontsize=10)
    axes.grid(visible=True, which="major", alpha=0.3)
    if shown:
        axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=120)
    return path


def _span(marks: Sequence[Mark], ceilings: Ceilings) -> tuple[float, float]:
    around = [ridge(ceilings, dtype) for dtype in ceilings.gemm] + [mark.intensity for mark in marks]
    return min(around) / 10, max(around) * 10


def _ceilings(axes: Any, ceilings: Ceilings, low: float, high: float) -> None:
    for dtype, rate in _ordered(ceilings.gemm).items():
        corner = ridge(ceilings, dtype)
        axes.plot([corner, high], [rate / 1e9] * 2, color="black", lw=1)
        axes.annotate(f"{dtype} GEMM {rate / 1e9:.0f} GFLOP/s", (high, rate / 1e9), ha="right", va="bottom", fontsize=8)
        axes.plot([corner] * 2, [0.0, rate / 1e9], color="gray", lw=0.7, ls=":")
        axes.annotate(f"ridge {corner:.1f}", (corner, rate / 1e9), xytext=(-4, 4), textcoords="offset points",
                      ha="right", fontsize=8)  # fmt: skip
    top = max(ridge(ceilings, dtype) for dtype in ceilings.gemm)
    axes.plot([low, top], [low * ceilings.copy / 1e9, top * ceilings.copy / 1e9], color="black", lw=1)
    axes.annotate(f"copy {ceilings.copy / 1e9:.1f} GB/s", (low, low * ceilings.copy / 1e9), xytext=(14, 0),
                  textcoords="offset points", fontsize=8)  # fmt: skip


def _ordered(rates: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(rates.items(), key=lambda item: item[1]))
