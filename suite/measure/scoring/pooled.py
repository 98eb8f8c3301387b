"""A score over seeds: its value, interval and worst seed, and its difference to the control item by item.

An item counts once, for any number of seeds that tested it. With a fixed test set, five seeds test the same items five
times; with disjoint folds they test different items. So intervals are over *items*. Proportions have closed forms
(Wilson; Agresti and Min for pairs), with an item's mean over its seeds as its success. Other scores resample items with
all their results (cluster bootstrap: Davison and Hinkley, Bootstrap Methods, section 3.8). For differences, the wider
of that and Student's t over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from suite.core.metrics import VS_CONTROL, WORST_SEED, measured
from suite.core.records import Cell, Measurement
from suite.core.stats.intervals import mean_interval, paired_difference, wilson
from suite.measure.scoring.items import Array, ItemValues, Outcome, aligned, by_item
from suite.registry.score import Score

CONFIDENCE = 0.95
RESAMPLES, AGGREGATE_RESAMPLES = 1000, 200
RATE_MARGIN = 0.005  # of a share of right items: one item in a few hundred must not matter
LEAST_SEEDS = 2

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class PooledOutcomes:
    """A cell's outcomes and its control's, seed by seed."""

    cell: Cell
    outcomes: Sequence[Outcome]
    control: Sequence[Outcome]
    control_name: str

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(one.seed for one in self.outcomes)

    @property
    def items(self) -> int:
        """How many distinct items were tested."""
        return len(np.unique(np.concatenate([one.ids for one in self.outcomes])))

    def places(self) -> list[Array]:
        """For each seed, the control's place of each item."""
        names = (self.cell.technique, self.control_name)
        return [aligned(ours, theirs, names) for ours, theirs in zip(self.outcomes, self.control, strict=True)]


def score_measurements(score: Score, found: PooledOutcomes) -> list[Measurement]:
    """Value, difference to the control and worst seed of one score."""
    values = [_value(score, one) for one in found.outcomes]
    theirs = [_value(score, one) for one in found.control]
    differences = [ours - other for ours, other in zip(values, theirs, strict=True)]
    common: dict[str, Any] = {"seeds": found.seeds, "control": found.control_name, "n": found.items}
    rate = _is_rate(score, found.outcomes)
    redrawn = [] if score.aggregate is None else list(_redrawn(score, found.outcomes))  # both intervals rest on it
    value = _measured(
        found.cell, score.name, values, _interval(score, found, redrawn), _margin(score, RATE_MARGIN, rate=rate)
    )
    difference = _measured(
        found.cell, score.name + VS_CONTROL, differences, _difference(score, found, differences, redrawn),
        _margin(score, RATE_MARGIN, rate=rate),
    )  # fmt: skip
    worst = measured(
        found.cell, score.name + WORST_SEED, min(values) if score.better == "higher" else max(values),
        noise=_deviation(values), by_seed=tuple(values), margin=_margin(score, RATE_MARGIN, rate=rate),
    )  # fmt: skip
    value = replace(value, share=rate and score.unit == "1")
    return [replace(one, **common) for one in (value, difference, worst)]


def _measured(cell: Cell, name: str, values: Sequence[float], interval: Interval, margin: float | None) -> Measurement:
    return measured(
        cell, name, float(np.mean(values)), low=interval[0], high=interval[1], confidence=CONFIDENCE,
        noise=_deviation(values), by_seed=tuple(values), margin=margin,
    )  # fmt: skip


def _is_rate(score: Score, outcomes: Sequence[Outcome]) -> bool:
    return score.aggregate is None and all(one.figures[score.name].is_binary for one in outcomes)


def _margin(score: Score, usual: float, *, rate: bool) -> float | None:
    return score.margin if score.margin is not None else usual if rate or _is_share(score) else None


def _is_share(score: Score) -> bool:
    """Aggregates between 0 and 1, such as precision and recall."""
    return score.aggregate is not None and score.unit == "1" and score.better == "higher"


def _value(score: Score, one: Outcome) -> float:
    return one.figures[score.name].value if score.aggregate is None else score.aggregate(one.outputs, one.targets)


def _interval(score: Score, found: PooledOutcomes, redrawn: Sequence[float]) -> Interval:
    """``redrawn`` are an aggregate's values over items drawn anew."""
    if score.aggregate is not None:
        return _quantiles(redrawn)
    totals, weights, looks = by_item(found.outcomes, score.name)
    if _is_rate(score, found.outcomes):
        return wilson(float((totals / looks).sum()), len(totals), CONFIDENCE)
    return _quantiles([_mean(draw, totals, weights) for draw in _draws(len(totals), RESAMPLES)])


def _difference(
    score: Score, found: PooledOutcomes, differences: Sequence[float], redrawn: Sequence[float]
) -> Interval:
    """The wider of the interval over items and the one over seeds."""
    over_items = _item_difference(score, found, found.places(), redrawn)
    if len(differences) < LEAST_SEEDS:
        return over_items
    return max(over_items, mean_interval(differences, CONFIDENCE), key=lambda pair: pair[1] - pair[0])


def _item_difference(
    score: Score, found: PooledOutcomes, places: Sequence[Array], redrawn: Sequence[float]
) -> Interval:
    if score.aggregate is not None:
        draws = zip(redrawn, _redrawn(score, found.control), strict=True)
        return _quantiles([ours - theirs for ours, theirs in draws])
    others = [_reordered(one, score.name, place) for one, place in zip(found.control, places, strict=True)]
    totals, weights, looks = by_item(found.outcomes, score.name)
    other_totals, other_weights, _ = by_item(_as_outcomes(found.outcomes, score.name, others), score.name)
    if _is_rate(score, found.outcomes) and _is_rate(score, found.control):
        gain = (totals - other_totals) / looks
        return paired_difference(float(gain[gain > 0].sum()), float(-gain[gain < 0].sum()), len(gain), CONFIDENCE)
    draws_of_items = _draws(len(totals), RESAMPLES)
    return _quantiles(
        [_mean(draw, totals, weights) - _mean(draw, other_totals, other_weights) for draw in draws_of_items]
    )


def _mean(draw: Array, totals: Array, weights: Array) -> float:
    """The weighted mean of the items drawn; not a number where all that were drawn weigh nothing."""
    weight = float(draw @ weights)
    return float(draw @ totals) / weight if weight else math.nan


def _reordered(one: Outcome, name: str, place: Array) -> ItemValues:
    return one.figures[name].take(place)


def _as_outcomes(ours: Sequence[Outcome], name: str, figures: Sequence[ItemValues]) -> list[Outcome]:
    """The control's figures under the cell's own ids."""
    return [
        Outcome(seed=one.seed, ids=one.ids, fingerprints=one.fingerprints, figures={name: found})
        for one, found in zip(ours, figures, strict=True)
    ]


def _draws(items: int, count: int) -> Iterator[Array]:
    """How often each of ``items`` is drawn [n], ``count`` times; always the same draws, so that pairs stay pairs."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield np.bincount(rng.integers(items, size=items), minlength=items).astype(np.float64)


def _redrawn(score: Score, outcomes: Sequence[Outcome]) -> Iterator[float]:
    """The aggregate, mean over seeds, of items drawn with replacement; each seed has those of its items that fell."""
    from suite.training.trees import take

    assert score.aggregate is not None  # noqa: S101  # asked for aggregates only
    everyone, index = np.unique(np.concatenate([one.ids for one in outcomes]), return_inverse=True)
    bounds = np.cumsum([len(one) for one in outcomes])[:-1]
    parts = [*zip(outcomes, np.split(index, bounds), strict=True)]
    for draw in _draws(len(everyone), AGGREGATE_RESAMPLES):
        values = []
        for one, items in parts:
            chosen = np.repeat(np.arange(len(one)), draw[items].astype(np.int64))
            if len(chosen):
                values.append(score.aggregate(take(one.outputs, chosen), take(one.targets, chosen)))
        yield float(np.mean(values)) if values else math.nan


def _quantiles(values: Sequence[float]) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])  # a draw without any weight says nothing
    return float(low), float(high)


def _deviation(values: Sequence[float]) -> float | None:
    if len(values) < LEAST_SEEDS:
        return None
    deviation = float(np.std(values, ddof=1))
    return deviation if math.isfinite(deviation) else None
