"""``suite curves law``: loss as a law of parameters and tokens, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from suite.core.errors import UsageError
from suite.curves import CurveError
from suite.curves.csv_points import CsvPoints, Table
from suite.curves.families.loss_law import LossLaw
from suite.curves.fitting import LawFit, fit_loss_law
from suite.report.pipe_table import pipe_table

LEVEL = 0.95
QUANTILES = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def lawful(
    path: Path, *, parameters: str, tokens: str, y: str, compute: Sequence[float] = (), targets: Sequence[float] = ()
) -> str:
    """Fit E + A / N^alpha + B / D^beta to the runs in a CSV file; what it says, as Markdown.

    Args:
        path: a CSV file with a header, one training run a line.
        parameters: the column with N.
        tokens: the column with D.
        y: the column with the loss the run ended at, in nats per token or any other positive unit.
        compute: budgets in floating-point operations, for each of which the best N and D are told.
        targets: losses, for each of which the compute is told.

    Raises `TableError` and `FitError` for runs that cannot be used, `UsageError` for a budget that is not positive.
    """
    for option, values in (("--compute", compute), ("--target", targets)):
        if wrong := [value for value in values if not 0 < value < float("inf")]:
            raise UsageError(f"{option} {wrong[0]:g}: must be a finite number above 0")
    names = (parameters, tokens, y)
    runs = Table.read(path, names).points(names, positive=names)
    found = fit_loss_law(*(runs[name] for name in names))
    said = [*_constants(found, y), *_outliers(found, runs.lines), *_notes(runs)]
    return "\n".join([*said, "", *_budgets(found, compute, targets)])


def _constants(found: LawFit, y: str) -> Iterator[str]:
    yield f"{y} = E + A / N^alpha + B / D^beta, from {len(found.runs)} runs; noise of {100 * found.noise:.2g} %"
    yield ""
    intervals = {name: found.interval(name, LEVEL) for name in found.params}
    yield pipe_table(
        ["constant", "value", "standard error", "95 %"],
        [
            [name, f"{value:.4g}", f"{found.errors[name]:.2g}", "{:.4g} to {:.4g}".format(*intervals[name])]
            for name, value in found.params.items()
        ],
    )


def _outliers(found: LawFit, lines: Sequence[int]) -> Iterator[str]:
    if found.outliers:
        named = ", ".join(str(lines[at]) for at in found.outliers)
        yield ""
        yield f"Excluded, since they are far off: lines {named}."


def _notes(runs: CsvPoints) -> Iterator[str]:
    for note in runs.notes:
        yield ""
        yield f"Note: {note}."


def _budgets(found: LawFit, compute: Sequence[float], targets: Sequence[float]) -> Iterator[str]:
    laws = found.replicated_laws
    for budget in compute:
        best = found.law.optimal(budget)
        size = _interval([float(law.optimal(budget)[0]) for law in laws])
        loss = _interval([float(law.least_loss(budget)) for law in laws])
        yield (
            f"- {budget:.3g} operations: N = {best[0]:.3g} [{size}] parameters on D = {best[1]:.3g} tokens "
            f"({best[1] / best[0]:.3g} a parameter), loss {float(found.law.least_loss(budget)):.4g} [{loss}]"
        )
    for target in targets:
        yield f"- a loss of {target:g} {_needed(found.law, laws, target)}"


def _needed(law: LossLaw, laws: Sequence[LossLaw], target: float) -> str:
    reaching = np.array([_compute(one, target) for one in laws])
    if np.mean(np.isfinite(reaching)) <= 1 - LEVEL:
        return f"is unreachable at {LEVEL:.0%}: unlimited means leave {law.E:.4g}"
    low, high = np.quantile(reaching, QUANTILES, method="inverted_cdf")
    return f"needs {_compute(law, target):.3g} [{low:.3g}, {high:.3g}] operations"


def _compute(law: LossLaw, target: float) -> float:
    try:
        return float(law.compute_needed(target))
    except CurveError:
        return float("inf")


def _interval(values: Sequence[float]) -> str:
    low, high = np.quantile(values, QUANTILES)
    return f"{low:.3g}, {high:.3g}"
