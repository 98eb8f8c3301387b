"""What a technique gains and saves against the baseline, each figure with the interval of its comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from suite.analysis.plan.interval_arithmetic import ValueInterval, estimate, minus, over, plus, scaled
from suite.core.composition import BASELINE
from suite.core.metrics import VS_CONTROL
from suite.core.records import Measurement, Metric

Figures = Mapping[str, Measurement]
PAIRED, NOT_PAIRED = "paired", "not paired"


def quality_gain(technique: str, here: Mapping[str, Figures], score: Metric) -> ValueInterval | None:
    """The gain over the baseline: paired on the same items, or through the control, whose own difference is paired."""
    if technique == BASELINE:
        return replace(estimate(0.0, exact=True), how=PAIRED)
    sign = 1.0 if score.better == "higher" else -1.0
    own = here[technique].get(score.name + VS_CONTROL)
    if own is not None and own.control == BASELINE:
        return replace(scaled(as_estimate(own), sign), how=PAIRED)
    between = here.get(own.control or "", {}).get(score.name + VS_CONTROL) if own is not None else None
    if own is not None and between is not None and between.control == BASELINE:
        both = plus(as_estimate(own), as_estimate(between))
        return replace(scaled(both, sign), how=f"{PAIRED} through {own.control}")
    value, base = here[technique].get(score.name), here[BASELINE].get(score.name)
    if value is None or base is None:
        return None
    return replace(scaled(minus(as_estimate(value), as_estimate(base)), sign), how=NOT_PAIRED)


def relative(gain: ValueInterval | None, base: Measurement | None) -> ValueInterval | None:
    """A gain as a share of the baseline's score, which is taken as known."""
    return scaled(gain, 1 / abs(base.value)) if gain is not None and base is not None and base.value else None


def saved(own: Measurement | None, base: Measurement | None) -> ValueInterval | None:
    """The share that a positive figure is smaller."""
    if own is None or base is None or min(own.value, base.value) <= 0:
        return None
    return scaled(_ratio(as_estimate(own), as_estimate(base)), -1.0, 1.0)


def faster(speedup: Measurement | None) -> ValueInterval | None:
    """The share of time that a paired speed-up saves: ``1 - 1 / speedup``, of its confidence; of a sound one only."""
    if speedup is None or speedup.suspect or min(speedup.value, speedup.low or speedup.value) <= 0:
        return None
    one = estimate(1.0, exact=True)
    return replace(scaled(over(one, as_estimate(speedup)), -1.0, 1.0), how=PAIRED)


def longer_training(own: Figures, base: Figures) -> ValueInterval | None:
    """The seconds that one training takes longer than the baseline's."""
    first, second = own.get("train_seconds"), base.get("train_seconds")
    if first is None or second is None:
        return None
    return estimate(0.0, exact=True) if _same(first, second) else minus(as_estimate(first), as_estimate(second))


def training_share(own: Figures, base: Figures) -> ValueInterval | None:
    """The share of the training time that is saved."""
    first, second = own.get("train_seconds"), base.get("train_seconds")
    if first is None or second is None:
        return None
    return estimate(0.0, exact=True) if _same(first, second) else saved(first, second)


def _same(own: Measurement, base: Measurement) -> bool:
    """Whether two timings are of the very same training: a technique of serving does not train again."""
    return (own.value, own.low, own.high) == (base.value, base.low, base.high)


def _ratio(own: ValueInterval, base: ValueInterval) -> ValueInterval:
    """The ratio; without its interval where one of them reaches down to 0 (two seeds far apart)."""
    if min(own.low, base.low) > 0:
        return over(own, base)
    return estimate(own.value / base.value)


def as_estimate(figure: Measurement) -> ValueInterval:
    """A figure with its interval; sizes and memory are counts, exact without one."""
    return estimate(figure.value, figure.low, figure.high, exact=figure.group in ("size", "memory"))
