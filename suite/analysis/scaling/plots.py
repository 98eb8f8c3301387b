"""One picture a curve: points, the preferred family with its bands, the article's two, the forecast; marginal returns.

matplotlib comes with the extra ``plots`` and is imported when the first picture is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.analysis.scaling.compare import Comparison, forecast
from suite.core.errors import SetupError, SuiteError
from suite.curves import Fit

Array = NDArray[np.float64]
INSTALL = "pictures need matplotlib: pip install 'tradeoff-suite[plots]'"
AHEAD = 4.0  # times the largest resource, up to which pictures go
DENSE = 200  # resources at which curves are drawn
COLOURS = ("tab:orange", "tab:green")  # of the article's two families
PREFERRED, FORECAST = "tab:blue", "tab:red"
QUANTILES = (0.025, 0.975)
HEADROOM = 0.12  # of the range of what was measured and is expected, above and below it


@dataclass(frozen=True, kw_only=True)
class Means:
    """What error bars show: resources [m], pooled qualities and their 95 % intervals."""

    resource: Array
    quality: Array
    low: Array
    high: Array


def available() -> bool:
    """Whether pictures can be drawn here."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def draw(found: Comparison, path: Path, *, title: str, x: str, y: str, means: Means | None = None) -> Path:
    """Write the picture of a curve to a PNG file; ``x`` and ``y`` label the axes, with units.

    Raises `SetupError` where matplotlib is missing or the file cannot be written.
    """
    figure = _figure()
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    _qualities(upper, found, means)
    _returns(lower, found)
    upper.set(xscale="log", title=title, ylabel=y, ylim=_limits(found, means))
    lower.set(xlabel=x, ylabel=f"marginal return\n[{_unit(y)}/{_unit(x)}]")
    upper.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    lower.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    for panel in (upper, lower):
        panel.grid(visible=True, which="major", alpha=0.25)
        panel.axvline(found.series.last, color="grey", linewidth=0.8, linestyle=":")
    try:
        figure.savefig(path, dpi=130)
    except OSError as error:
        raise SetupError(f"cannot write {path}: {error.strerror or error}; choose a writable folder") from error
    return path


def _figure() -> Any:
    """An empty figure without a window: no global state of pyplot is touched."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SetupError(INSTALL) from error
    figure = Figure(figsize=(9.6, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _qualities(panel: Any, found: Comparison, means: Means | None) -> None:
    best, series = found.preferred, found.series
    assert best.fit is not None  # noqa: S101  # preferred has one
    r = _resources(series.resource, AHEAD)
    for kind, alpha in (("prediction", 0.12), ("confidence", 0.3)):
        band = best.fit.band(r, kind=kind)
        panel.fill_between(
            r, band.low, band.high, color=PREFERRED, alpha=alpha, linewidth=0, label=f"{kind} band, 95 %"
        )
    panel.plot(r, best.fit(r), color=PREFERRED, label=f"{best.name} (preferred)")
    for other, colour in zip(found.article, COLOURS, strict=False):
        if other.fit is not None and other is not best and not other.flat:
            label = f"{other.name}\n(AICc {other.aicc - best.aicc:.1f} behind)"
            panel.plot(r, other.fit(r), color=colour, linestyle="--", linewidth=1.2, label=label)
    _points(panel, found, means)
    _forecast(panel, found)


def _points(panel: Any, found: Comparison, means: Means | None) -> None:
    series = found.series
    faint = {"color": "grey", "alpha": 0.6, "s": 12, "zorder": 3} if means is not None else {"color": "black", "s": 16}
    panel.scatter(series.resource, series.quality, label="runs" if means is not None else "points", **faint)
    if means is not None:
        errors = np.maximum([means.quality - means.low, means.high - means.quality], 0.0)
        panel.errorbar(
            means.resource, means.quality, yerr=errors, fmt="o", color="black", markersize=4, capsize=3, zorder=4,
            label="pooled over seeds,\n95 % over test items",
        )  # fmt: skip


def _forecast(panel: Any, found: Comparison) -> None:
    """Mean and interval of `extrapolate`, unless it abstains."""
    to = found.series.last * np.geomspace(1.05, AHEAD, 20)
    try:
        said = forecast(found.series, to)
    except SuiteError:
        return
    if said.abstained is None:
        panel.fill_between(to, said.low, said.high, color=FORECAST, alpha=0.15, linewidth=0)
        panel.plot(to, said.mean, color=FORECAST, linestyle="-.", label=f"extrapolate,\n{said.level:.0%} interval")


def _returns(panel: Any, found: Comparison) -> None:
    """Size of the marginal return of the preferred family with its bootstrap band, on two logarithmic axes."""
    best = found.preferred
    assert best.fit is not None  # noqa: S101  # preferred has one
    r = _resources(found.series.resource, AHEAD)
    low, high = _band(best.fit, r)
    least = max(float(np.abs(best.fit.curve.derivative(r)).max()) * 1e-9, 1e-300)
    panel.fill_between(r, np.maximum(low, least), np.maximum(high, least), color=PREFERRED, alpha=0.25, linewidth=0)
    size = np.abs(best.fit.curve.derivative(r))
    panel.plot(r, np.where(size > least, size, np.nan), color=PREFERRED, label=f"{best.name}, 95 %")
    panel.set_yscale("log")


def _band(fit: Fit, r: Array) -> tuple[Array, Array]:
    values = np.abs([curve.derivative(r) for curve in fit.replicated_curves])
    low, high = np.quantile(values, QUANTILES, axis=0)
    return np.asarray(low), np.asarray(high)


def _limits(found: Comparison, means: Means | None) -> tuple[float, float]:
    """What was measured, pooled and is expected: a band that runs away must not flatten the curve."""
    assert found.preferred.fit is not None  # noqa: S101  # preferred has one
    shown = [found.series.quality, found.preferred.fit(_resources(found.series.resource, AHEAD))]
    shown += [means.low, means.high] if means is not None else []
    low, high = float(min(part.min() for part in shown)), float(max(part.max() for part in shown))
    room = HEADROOM * ((high - low) or 1.0)
    return low - room, high + room


def _resources(resource: Array, ahead: float) -> Array:
    return np.geomspace(float(resource.min()), ahead * float(resource.max()), DENSE)


def _unit(label: str) -> str:
    """What stands in brackets at the end of a label."""
    return label.rpartition("[")[2].rstrip("]") if "[" in label else label
