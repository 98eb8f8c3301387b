"""Figures as another run of the same size could have found them, drawn from what a run's folder holds.

- A ratio of times from one process: blocks of rounds are drawn with replacement, and the suite's own estimator is
  applied to the draw. With few blocks the rounds themselves are drawn (block bootstrap: Kuensch, The jackknife and the
  bootstrap for general stationary observations, Annals of Statistics 17 (1989)).
- A score: seeds are drawn with replacement, the same ones for all cells of a workload. Where its interval is the one
  over items, which no folder holds one by one, it is moved by a normal draw of that interval's width. The mean of n
  seeds drawn from n varies by sqrt((n - 1) / n) of what further runs would, 0.89 with five: fewer verdicts change.
- A figure over fresh processes, of which a folder holds only mean and interval: a draw from the normal distribution
  that these describe.
- Counts, and figures without an interval, stay: nothing is known of their spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from suite.claims.quantities import Quantity, quantile
from suite.core.metrics import is_paired
from suite.core.records import Measurement
from suite.core.stats.intervals import LEAST_BLOCKS, blocked_interval, mean_interval, min_rounds
from suite.measure.arms import BASE, NULL, TECHNIQUE
from suite.measure.sampler.samples import ratios_of

Columns = Mapping[str, NDArray[np.float64]]
Read = Callable[[Measurement], Columns | None]
"""The raw columns of a measurement's sample, or ``None`` where its folder holds none."""
WIDER = 1 + 1e-6
SECONDS = "seconds_"


@dataclass(frozen=True, kw_only=True)
class Redraw:
    """One draw. Cells of a workload that were trained with the same seeds get the same ones of them."""

    rng: np.random.Generator
    _places: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def of(self, one: Measurement, read: Read) -> Measurement:
        """One measurement as this draw has it."""
        if one.low is None or one.high is None or not math.isfinite(one.value):
            return one
        if len(one.by_seed) > 1:
            return self._over_seeds(one, self._drawn(one.cell.workload, len(one.by_seed)))
        if one.processes > 1:
            return self._over_processes(one)
        columns = read(one) if is_paired(one.metric) else None
        return self._moved(one) if columns is None else self._over_rounds(one, columns)

    def quantity(self, one: Quantity) -> Quantity:
        """A computed figure with an interval, as this draw has it."""
        if one.exact or one.low is None or one.high is None:
            return one
        if len(one.by_seed) > 1:
            values = [one.by_seed[place] for place in self._drawn("", len(one.by_seed))]
            low, high = mean_interval(values, one.confidence)
            return replace(one, value=fmean(values), low=low, high=high, by_seed=tuple(values))
        shift = self._shift(one.low, one.high, one.confidence, one.freedom)
        return replace(one, value=one.value + shift, low=one.low + shift, high=one.high + shift)

    def _drawn(self, workload: str, count: int) -> list[int]:
        key = workload, count
        if key not in self._places:
            self._places[key] = [int(place) for place in self.rng.integers(count, size=count)]
        return self._places[key]

    def _over_seeds(self, one: Measurement, places: list[int]) -> Measurement:
        assert one.low is not None and one.high is not None  # noqa: PT018, S101  # `of` lets no other pass
        level = one.confidence or 0.95
        low, high = mean_interval(one.by_seed, level)
        if one.high - one.low > WIDER * (high - low):
            return self._moved(one)
        values = [one.by_seed[place] for place in places]
        low, high = mean_interval(values, level)
        return replace(one, value=fmean(values), low=low, high=high, by_seed=tuple(values))

    def _moved(self, one: Measurement) -> Measurement:
        """Value and interval moved together; by as much for each seed, since items are common to them."""
        assert one.low is not None and one.high is not None  # noqa: PT018, S101  # `of` lets no other pass
        shift = self._shift(one.low, one.high, one.confidence or 0.95, None)
        by_seed = tuple(value + shift for value in one.by_seed)
        return replace(one, value=one.value + shift, low=one.low + shift, high=one.high + shift, by_seed=by_seed)

    def _shift(self, low: float, high: float, level: float, freedom: int | None) -> float:
        return float(self.rng.normal(0.0, (high - low) / 2 / quantile(level, freedom)))

    def _over_processes(self, one: Measurement) -> Measurement:
        """As many values of processes as there were, drawn; their mean and Student's interval."""
        assert one.low is not None and one.high is not None  # noqa: PT018, S101  # `of` lets no other pass
        count, level = one.processes, one.confidence or 0.95
        spread = (one.high - one.low) / 2 / quantile(level, count - 1) * math.sqrt(count)
        values = [float(value) for value in self.rng.normal(one.value, spread, size=count)]
        low, high = mean_interval(values, level)
        return replace(one, value=fmean(values), low=low, high=high)

    def _over_rounds(self, one: Measurement, columns: Columns) -> Measurement:
        """The median ratio of the rounds that were drawn and its interval, in the unit of the stored value."""
        ratios = _ratios(one, columns)
        level = one.confidence or 0.95
        if len(ratios) < min_rounds(level):
            return self._moved(one)
        drawn, blocks = self._rounds(columns.get("block"), len(ratios))
        unit = one.value / float(np.median(ratios))  # an example of a larger batch takes a part of its step
        taken = unit * ratios[drawn]
        low, high = blocked_interval(taken, blocks, level)
        return replace(one, value=float(np.median(taken)), low=low, high=high)

    def _rounds(self, block: NDArray[np.float64] | None, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which rounds are drawn, and the block of each: one that was drawn twice is two."""
        names = np.unique(block) if block is not None and len(block) == count else np.empty(0)
        if len(names) < LEAST_BLOCKS:
            drawn = self.rng.integers(count, size=count)
            return drawn, np.zeros(count, np.int64)
        own = [np.flatnonzero(block == name) for name in self.rng.choice(names, size=len(names))]
        return np.concatenate(own), np.repeat(np.arange(len(own)), [len(rounds) for rounds in own])


def _ratios(one: Measurement, columns: Columns) -> NDArray[np.float64]:
    seconds = {name.removeprefix(SECONDS): values for name, values in columns.items() if name.startswith(SECONDS)}
    against = one.control if one.control in seconds else BASE
    copies = (BASE, NULL) if NULL in seconds else ()
    return ratios_of(seconds, str(against), TECHNIQUE, copies)
