"""What the seeds of a point are worth together: intervals over test items, each of which counts once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from suite.curve_runs.folder import CurveFolder
from suite.curve_runs.train import Row
from suite.errors import ResultsError
from suite.records import Better, Cell

if TYPE_CHECKING:
    from suite.scores.items import Outcome

PLAIN = "baseline"


def pooled(folder: CurveFolder, rows: Sequence[Row], better: Better) -> list[dict[str, Any]]:
    """For each amount of a curve its quality over the seeds and the 95 % interval, as the bench pools a cell.

    The interval is NaN for an aggregate, which is no mean over items.
    """
    name = folder.header["scores"][rows[0].workload][0]
    return [_pooled(folder, chosen, name, better) for chosen in _by_amount(rows)]


def _by_amount(rows: Sequence[Row]) -> Iterator[list[Row]]:
    for amount in sorted({row.amount for row in rows}):
        yield [row for row in rows if row.amount == amount]


def _pooled(folder: CurveFolder, rows: Sequence[Row], name: str, better: Better) -> dict[str, Any]:
    from suite.scores.pooled import Compared, score_measurements
    from suite.scores.score import Score

    quality = sum(row.quality for row in rows) / len(rows)
    plain = {"amount": rows[0].amount, "quality": quality, "low": math.nan, "high": math.nan, "seeds": len(rows)}
    outcomes = [_outcome(folder, row) for row in rows]
    if not all(name in one.figures for one in outcomes):
        return plain
    score = Score(name=name, better=better, per_item=lambda outputs, _: outputs)
    cell = Cell(workload=rows[0].workload, technique=PLAIN, device=str(folder.header["device"]))
    value = score_measurements(score, Compared(cell=cell, outcomes=outcomes, control=outcomes, control_name=PLAIN))[0]
    return {**plain, "low": value.low, "high": value.high}


def _outcome(folder: CurveFolder, row: Row) -> Outcome:
    import numpy as np

    from suite.scores.items import Figures, Outcome

    path = folder.items(row)
    try:
        with np.load(path) as kept:
            arrays = {name: kept[name] for name in kept.files}
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"{path} cannot be read: {error}; delete the point's line in points.csv and resume"
        ) from error
    names = [name.partition(":")[2] for name in arrays if name.startswith("totals:")]
    figures = {n: Figures(totals=arrays[f"totals:{n}"], weights=arrays[f"weights:{n}"]) for n in names}
    return Outcome(seed=row.seed, ids=arrays["ids"], fingerprints=arrays["fingerprints"], figures=figures)
