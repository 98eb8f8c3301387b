"""Return on investment: what each technique gains and saves against the baseline, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from suite.analysis.plan.cells import Cells, Place
from suite.analysis.plan.gains import (
    Figures,
    as_estimate,
    faster,
    longer_training,
    quality_gain,
    relative,
    saved,
    training_share,
)
from suite.analysis.plan.interval_arithmetic import ValueInterval, estimate, minus, scaled
from suite.analysis.plan.payback import Payback, payback
from suite.analysis.plan.source import cells as read
from suite.core.composition import BASELINE
from suite.core.errors import ResultsError
from suite.core.metrics import ENERGY
from suite.core.prices import JOULES_PER_KWH, Prices
from suite.core.records import Measurement, Metric

if TYPE_CHECKING:
    from suite.analysis.plan.source import Source

MILLION = 1e6
PAIRED_TIMES = ("speedup", "train_step_speedup")


@dataclass(frozen=True, kw_only=True)
class Return:
    """What one technique returns against the baseline of its place; `None` is not known.

    ``quality`` is the gain in the score's unit, positive where it is better, ``quality_share`` the same over the
    baseline's score. ``..._saved`` are shares of the baseline's (0.2: 20 % less; negative: more). ``training_seconds``
    are what one training takes longer. ``energy`` are kWh saved per million inferences, ``money`` likewise.
    ``suspects`` says which of its figures cannot be trusted.
    """

    place: Place
    technique: str
    score: Metric | None = None
    quality: ValueInterval | None = None
    quality_share: ValueInterval | None = None
    bytes_saved: ValueInterval | None = None
    memory_saved: ValueInterval | None = None
    macs_saved: ValueInterval | None = None
    inference_saved: ValueInterval | None = None
    training_step_saved: ValueInterval | None = None
    training_saved: ValueInterval | None = None
    training_seconds: ValueInterval | None = None
    energy: ValueInterval | None = None
    money: ValueInterval | None = None
    pays_back: Payback | None = None
    suspects: tuple[str, ...] = field(default=())


def returns(cells: Source, prices: Prices | None = None, *, score: str | None = None) -> tuple[Return, ...]:
    """The return of every technique at each place of ``cells`` (as for `best_under`), in order of name.

    Raises `ResultsError` if a place has no baseline to compare with, and if there are only baselines.
    """
    found = read(cells, score=score)
    every = tuple(one for place in found.places() for one in _at(found, place, prices or Prices()))
    if not every:
        raise ResultsError("only the baseline was measured; run `suite bench` with a technique to compare it with")
    return every


def _at(found: Cells, place: Place, prices: Prices) -> list[Return]:
    here = found.at(place)
    if BASELINE not in here:
        raise ResultsError(
            f"{place[0]} on {place[1]} has no {BASELINE}, which returns are measured against; "
            f"run `suite bench --workload {place[0]}`"
        )
    name = found.scores.get(place[0])
    score = None if name is None else found.known().get(name)
    return [_return(place, technique, here, score, prices) for technique in here if technique != BASELINE]


def _return(place: Place, technique: str, here: Mapping[str, Figures], score: Metric | None, prices: Prices) -> Return:
    own, base = here[technique], here[BASELINE]
    quality = None if score is None else quality_gain(technique, here, score)
    physical = Return(
        place=place,
        technique=technique,
        score=score,
        quality=quality,
        quality_share=None if score is None else relative(quality, base.get(score.name)),
        training_seconds=longer_training(own, base),
        training_saved=training_share(own, base),
        suspects=tuple(f"{name}: {own[name].suspect}" for name in PAIRED_TIMES if name in own and own[name].suspect),
        bytes_saved=saved(own.get("artefact_bytes"), base.get("artefact_bytes")),
        memory_saved=saved(own.get("peak_memory_inference"), base.get("peak_memory_inference")),
        macs_saved=saved(own.get("macs"), base.get("macs")),
        inference_saved=faster(own.get("speedup")),
        training_step_saved=faster(own.get("train_step_speedup")),
    )
    return _priced(physical, own, base, prices)


# -- what it is worth -------------------------------------------------------------------------------------------------


def _priced(physical: Return, own: Figures, base: Figures, prices: Prices) -> Return:
    seconds = _seconds_saved(physical.inference_saved, base.get("throughput"))
    money = None if seconds is None or prices.second is None else scaled(seconds, prices.second)
    priced = replace(physical, energy=_energy(own, base, seconds, prices.watts), money=money)
    return replace(priced, pays_back=_pays_back(priced, own, base, prices))


def _seconds_saved(saved: ValueInterval | None, throughput: Measurement | None) -> ValueInterval | None:
    """Seconds per million inferences: the baseline's, from its throughput, times the paired share that is saved."""
    if saved is None or throughput is None or throughput.value <= 0:
        return None
    return scaled(saved, MILLION / throughput.value)


def _energy(own: Figures, base: Figures, seconds: ValueInterval | None, watts: float | None) -> ValueInterval | None:
    """Kilowatt hours saved per million inferences: measured in both cells, or seconds times the given power."""
    first, second = own.get(ENERGY), base.get(ENERGY)
    if first is not None and second is not None and not (first.suspect or second.suspect):
        return replace(scaled(minus(as_estimate(second), as_estimate(first)), MILLION / JOULES_PER_KWH), how="measured")
    if seconds is None or watts is None:
        return None
    return replace(scaled(seconds, watts / JOULES_PER_KWH), how=f"computed from {watts:g} W")


def _pays_back(priced: Return, own: Figures, base: Figures, prices: Prices) -> Payback | None:
    if priced.money is None or prices.items_per_day is None or prices.second is None:
        return None
    sizes = own.get("artefact_bytes"), base.get("artefact_bytes")
    stored = 0.0 if sizes[0] is None or sizes[1] is None else (sizes[1].value - sizes[0].value) * prices.byte_day
    daily = scaled(priced.money, prices.items_per_day / MILLION, stored)
    training = priced.training_seconds or estimate(0.0, exact=True)
    return payback(scaled(training, prices.second, prices.adoption or 0.0), daily)
