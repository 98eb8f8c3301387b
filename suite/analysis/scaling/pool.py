"""What the seeds of a point are worth together: intervals over test items, each of which counts once.

A share of right items varies less the nearer it is to 0 or 1, so its noise is known from point to point but for a
factor: seeds differ by more than the drawing of items explains. That factor comes from the seeds themselves, which no
family of curves has a say in (Burnham and Anderson 2002, section 2.5, on overdispersion).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from suite.analysis.scaling.folder import CurveFolder
from suite.analysis.scaling.train import TrainedPoint
from suite.core.composition import BASELINE
from suite.core.errors import ResultsError
from suite.core.records import Better, Cell
from suite.core.stats.intervals import wilson

if TYPE_CHECKING:
    from suite.measure.scoring.items import Outcome

NORMAL = 1.959964  # standard deviations that a 95 % interval reaches


def pooled(folder: CurveFolder, rows: Sequence[TrainedPoint], better: Better) -> list[dict[str, Any]]:
    """For each amount of a curve its quality over the seeds and the 95 % interval, as the bench pools a cell.

    The interval is NaN for an aggregate, which is no mean over items.
    """
    name = folder.header["scores"][rows[0].workload][0]
    return [_pooled(folder, chosen, name, better) for chosen in _by_share(rows)]


def noise(means: Sequence[Mapping[str, Any]], rows: Sequence[TrainedPoint]) -> dict[float, float] | None:
    """Standard deviation of one training's quality by ``share``, in its unit; ``None`` where it is not known."""
    sigma = {row["share"]: row["item_noise"] for row in means}
    if not all(math.isfinite(value) for value in sigma.values()):
        return None
    value = {row["share"]: row["quality"] for row in means}
    spare = len(rows) - len(means)
    squares = sum(((row.quality - value[row.share]) / sigma[row.share]) ** 2 for row in rows)
    factor = math.sqrt(max(1.0, squares / spare)) if spare else 1.0
    return {share: factor * one for share, one in sigma.items()}


def _by_share(rows: Sequence[TrainedPoint]) -> Iterator[list[TrainedPoint]]:
    """The trainings of each point: folds may differ by an item, so the amount is no name."""
    for share in sorted({row.share for row in rows}):
        yield [row for row in rows if row.share == share]


def _pooled(folder: CurveFolder, rows: Sequence[TrainedPoint], name: str, better: Better) -> dict[str, Any]:
    from suite.measure.scoring.pooled import CONFIDENCE, PooledOutcomes, score_measurements
    from suite.registry.score import Score

    mean, amount = (sum(getattr(row, what) for row in rows) / len(rows) for what in ("quality", "amount"))
    unknown = dict.fromkeys(("low", "high", "item_noise"), math.nan)
    plain = {"share": rows[0].share, "amount": amount, "quality": mean, **unknown, "seeds": len(rows)}
    outcomes = [_outcome(folder, row) for row in rows]
    if not all(name in one.figures for one in outcomes):
        return plain
    score = Score(name=name, better=better, per_item=lambda outputs, _: outputs)
    cell = Cell(workload=rows[0].workload, technique=BASELINE, device=str(folder.header["device"]))
    value = score_measurements(
        score, PooledOutcomes(cell=cell, outcomes=outcomes, control=outcomes, control_name=BASELINE)
    )[0]
    known = {"low": value.low, "high": value.high}
    if not all(one.figures[name].is_binary for one in outcomes):
        return {**plain, **known}
    low, high = wilson(mean * len(outcomes[0]), len(outcomes[0]), CONFIDENCE)  # of one training
    return {**plain, **known, "item_noise": (high - low) / (2 * NORMAL)}


def _outcome(folder: CurveFolder, row: TrainedPoint) -> Outcome:
    import numpy as np

    from suite.measure.scoring.items import ItemValues, Outcome

    path = folder.items(row)
    try:
        with np.load(path) as kept:
            arrays = {name: kept[name] for name in kept.files}
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"{path} cannot be read: {error}; delete the point's line in points.csv and resume"
        ) from error
    names = [name.partition(":")[2] for name in arrays if name.startswith("totals:")]
    figures = {n: ItemValues(totals=arrays[f"totals:{n}"], weights=arrays[f"weights:{n}"]) for n in names}
    return Outcome(seed=row.seed, ids=arrays["ids"], fingerprints=arrays["fingerprints"], figures=figures)
