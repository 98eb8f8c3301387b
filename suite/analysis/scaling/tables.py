"""Tables and sentences of fitted curves: rows for CSV, Markdown to read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from suite.analysis.scaling.compare import Comparison, FamilyFit, forecast, preference
from suite.core.errors import SuiteError
from suite.curves.decide import doubling_gain, marginal_return, resource_for
from suite.report.pipe_table import pipe_table

Row = dict[str, Any]
AHEAD = (2.0, 4.0)  # times the largest resource, where nothing else is asked for


def family_rows(found: Comparison) -> list[Row]:
    """One row a family, the preferred first, then `extrapolate` and the last value with their one figure each."""
    best = found.preferred.aicc
    rows = [_row(one, best) for one in found.candidates]
    rivals = {"extrapolate": found.forecast_error, "last value": found.last_error}
    return rows + [{"family": name, "extrapolation_error": error} for name, error in rivals.items()]


def _row(one: FamilyFit, best: float) -> Row:
    if one.fit is None:
        return {"family": one.name, "asymptote": f"not fitted: {one.why_not}"}
    return {
        "family": one.name,
        "parameters": parameters(one),
        "aicc": one.aicc,
        "behind": one.aicc - best,
        "bic": one.fit.bic,
        "in_sample_error": one.in_sample,
        "extrapolation_error": one.extrapolation,
        "asymptote": one.asymptote,
    }


def parameters(one: FamilyFit) -> str:
    """``a = 0.98 [0.97, 0.99]; ...``, each with its 95 % interval."""
    if one.fit is None:
        return ""
    return "; ".join(
        f"{name} = {value:.4g} [{one.intervals[name][0]:.4g}, {one.intervals[name][1]:.4g}]"
        for name, value in one.fit.params.items()
    )


def decisions(found: Comparison, *, unit: str, quality: str, targets: Sequence[float] = ()) -> list[str]:
    """What the preferred family says of the last point: marginal return, doubling gain, resources of targets."""
    fit, last = found.preferred.fit, found.series.last
    assert fit is not None  # noqa: S101  # preferred has one
    units = {"Q/R": f"{quality}/{unit}", "Q": quality, "R": unit}
    said = [
        f"marginal return at {last:g} {unit}: {_named(str(marginal_return(fit, last)), units)}",
        f"twice as much brings: {_named(str(doubling_gain(fit, last)), units)}",
    ]
    return said + [f"target: {_named(str(resource_for(fit, target)), units)}" for target in targets]


def _named(text: str, units: Mapping[str, str]) -> str:
    """The text of a figure with ``Q`` and ``R`` at its end spelt out."""
    body, _, last = text.rpartition(" ")
    return f"{body} {units[last]}" if last in units else text


def forecasts(found: Comparison, to: Sequence[float] = ()) -> list[Row]:
    """The preferred family with its 95 % prediction band, and `extrapolate` at 90 %, at resources ``to``."""
    from suite.curves.fitting.result import LEVEL

    fit = found.preferred.fit
    assert fit is not None  # noqa: S101  # preferred has one
    at = sorted(to or [factor * found.series.last for factor in AHEAD])
    band = fit.band(at, kind="prediction")
    rows = [
        {
            "resource": r,
            "by": found.preferred.name,
            "mean": m,
            "low": low,
            "high": high,
            "level": LEVEL,
            "doubt": found.misfit or "",
        }
        for r, m, low, high in zip(at, band.mean, band.low, band.high, strict=True)
    ]
    return rows + _forecast_rows(found, [r for r in at if r > found.series.last])


def _forecast_rows(found: Comparison, at: Sequence[float]) -> list[Row]:
    if not at:
        return []
    try:
        said = forecast(found.series, at)
    except SuiteError as error:
        return [{"by": "extrapolate", "doubt": str(error)}]
    doubt = said.abstained or ""
    return [
        {"resource": r, "by": "extrapolate", "mean": m, "low": low, "high": high, "level": said.level, "doubt": doubt}
        for r, m, low, high in zip(at, said.mean, said.low, said.high, strict=True)
    ]


HEADERS = {
    "family": "family", "parameters": "parameters [95 %]", "aicc": "AICc", "behind": "behind", "bic": "BIC",
    "in_sample_error": "in-sample error", "extrapolation_error": "extrapolation error", "asymptote": "asymptote",
    "resource": "resource", "by": "by", "mean": "forecast", "low": "low", "high": "high", "level": "level",
    "doubt": "doubt",
}  # fmt: skip


def markdown(rows: Sequence[Row]) -> str:
    """A Markdown table of rows; what a row lacks is empty."""
    names = [name for name in HEADERS if any(row.get(name) not in (None, "") for row in rows)]
    return pipe_table([HEADERS[name] for name in names], ([_cell(row.get(name)) for name in names] for row in rows))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return str(value)


def section(found: Comparison, title: str, *, unit: str, quality: str, targets: Sequence[float] = (),
            to: Sequence[float] = ()) -> str:  # fmt: skip
    """All that is said of one curve, as Markdown."""
    lines = [f"## {title}", *_notes(found), preference(found), *_misfit(found)]
    lines += [markdown(family_rows(found)), *_doubt(found)]
    lines += ["\n".join(f"- {said}" for said in decisions(found, unit=unit, quality=quality, targets=targets))]
    return "\n\n".join([*lines, markdown(forecasts(found, to))]) + "\n"


def _notes(found: Comparison) -> list[str]:
    """What was assumed and left out, as a list."""
    return ["\n".join(f"- {note}" for note in found.series.notes)] if found.series.notes else []


def _misfit(found: Comparison) -> list[str]:
    return [f"**Doubtful: {found.misfit}.**"] if found.misfit else []


def _doubt(found: Comparison) -> list[str]:
    return [f"From a quarter of the resources `extrapolate` abstains: {found.doubt}."] if found.doubt else []
