"""The page as a file: sections in the order in which a reader needs them, all in one HTML document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import ResultsError
from suite.report.page.assets import asset, filled, plotting_library, script
from suite.report.page.cell_columns import cell_columns
from suite.report.page.claims_section import claims_section
from suite.report.page.engines_section import engines_section
from suite.report.page.findings import PageFindings
from suite.report.page.history_plots import history_plots
from suite.report.page.markup import escaped
from suite.report.page.measurement_columns import measurement_columns
from suite.report.page.packing import as_json, packed
from suite.report.page.plot_values import MOST_POINTS
from suite.report.page.provenance_section import provenance_section
from suite.report.page.ratio_plots import ratio_plots
from suite.report.page.roofline_plots import roofline_plots
from suite.report.page.run_content import RunContent, labels
from suite.report.page.speed_plots import fast_plots, profile_plots
from suite.report.page.support_section import support_section
from suite.report.page.sweep_plots import curve_plots, sweep_plots
from suite.report.page.verdict_section import verdict_section
from suite.report.results.folder import RunFolder, replace_file

if TYPE_CHECKING:
    import pandas as pd

PAGE = "index.html"


def write(runs: Sequence[RunContent], path: Path, findings: PageFindings | None = None) -> Path:
    """Write the page of one or several runs to ``path``, replaced as a whole. Raises `ResultsError`."""
    replace_file(path, render(runs, path.parent, findings).encode())
    return path


def try_writing(folder: RunFolder, table: pd.DataFrame | None = None) -> str:
    """Write the page into a run's folder; the line that says where it is, or why there is none.

    ``table`` is the run's trade-off table if it is known already.
    """
    try:
        return f"page: {write([RunContent.read(folder, table)], folder.path / PAGE)}"
    except Exception as error:  # noqa: BLE001  # a run with all its values must not fail for its picture
        return f"page: not written, {type(error).__name__}: {error}"


def render(runs: Sequence[RunContent], folder: Path, findings: PageFindings | None = None) -> str:
    """The whole document; links in it are relative to ``folder``. Raises `ResultsError` for no run."""
    if not runs:
        raise ResultsError("no page without a run; give a results folder, or run `suite bench` first")
    known = findings or PageFindings()
    return filled(
        asset("page.html"),
        {
            "title": escaped(_title(runs)),
            "style": asset("page.css"),
            "verdicts": verdict_section(runs),
            "cells": packed(cell_columns(runs)),
            "measurements": packed(measurement_columns(runs)),
            "plots": as_json(_plots(runs, known)),
            "claims": claims_section(known.claims),
            "engines": engines_section(runs),
            "support": support_section(runs),
            "provenance": provenance_section(runs, folder),
            "plotly": plotting_library(),
            "script": script(),
        },
    )


def _title(runs: Sequence[RunContent]) -> str:
    names = ", ".join(labels(runs)) if len(runs) > 1 else runs[0].header.run
    return f"Trade-offs of {names}"


def _plots(runs: Sequence[RunContent], findings: PageFindings) -> dict[str, object]:
    return {
        "most_points": MOST_POINTS,
        "fast": fast_plots(runs),
        "profiles": profile_plots(runs),
        "roofline": roofline_plots(runs),
        "sweeps": sweep_plots(runs),
        "curves": curve_plots(findings.curves),
        "ratios": ratio_plots(runs),
        "history": history_plots(runs, findings.changes),
    }
