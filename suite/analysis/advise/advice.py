"""Add resources, optimise the algorithm or fix the bottleneck: the next steps, ranked, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from suite.analysis.advise.curve import LearningCurve
from suite.analysis.advise.facts import POINT, SPEARMAN, fact
from suite.analysis.advise.limit import Limit, limit
from suite.analysis.advise.outlook import MOST_TIMES, Outlook, kind_of, outlook
from suite.analysis.advise.signs import last_gain, signs
from suite.core.errors import UsageError
from suite.curves.forecasting.kinds import Kind
from suite.curves.forecasting.tidy import LEAST

if TYPE_CHECKING:
    from suite.analysis.profile.bottleneck import Bottleneck

ADD, OPTIMISE, FIX = "add resources", "optimise the algorithm", "fix the bottleneck"
CLEAR = 2 / 3  # chance from which on a step is advised


@dataclass(frozen=True, kw_only=True)
class Option:
    """A next step. ``probability`` that it is right and the expected ``gain`` in quality with its 90 % interval.

    ``None`` where nothing tells. What the probability is of: `ADD`, that a doubling gains more than it is worth;
    `OPTIMISE`, that it does not; `FIX`, that the bottleneck is what the profile says.
    """

    step: str
    probability: float | None
    gain: float | None
    low: float | None
    high: float | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Advice:
    """The ``headline`` names the step, or says why nobody can tell; ``options`` are ranked, the likeliest first.

    ``notes`` list the assumptions about the curve, the excluded points, and reasons against more of the same.
    """

    source: str
    worth: float
    headline: str
    options: tuple[Option, ...]
    notes: tuple[str, ...]


def advise(curve: LearningCurve, *, worth: float | None = None, bottleneck: Bottleneck | None = None) -> Advice:
    """What to do after the last point of ``curve``; ``worth`` in points of an accuracy, else in the quality's unit.

    Raises `ExtrapolationError` for a curve that cannot be used and `UsageError` for a ``worth`` that is negative, or
    missing though there is a forecast to hold against it.
    """
    kind = kind_of(curve)
    if np.count_nonzero(curve.resource > 0) < LEAST:
        return _untold(curve)
    least = worth_of(curve, kind, worth)
    ahead, end = outlook(curve, least), limit(curve, kind)
    options = [_add(curve, kind, ahead), _optimise(ahead, end)]
    if bottleneck is not None:
        options.append(_fix(curve, least, bottleneck))
    ranked = sorted(
        options, key=lambda option: -1.0 if option.probability is None else option.probability, reverse=True
    )
    return Advice(
        source=curve.source, worth=least, headline=headline(ahead), options=tuple(ranked),
        notes=(*curve.notes, *signs(curve, kind)),
    )  # fmt: skip


def _untold(curve: LearningCurve) -> Advice:
    """Too few points for any forecast."""
    count = np.count_nonzero(curve.resource > 0)
    headline = f"I cannot tell: {count} different amounts; a forecast needs at least {LEAST}, better 12"
    return Advice(source=curve.source, worth=0.0, headline=headline, options=(), notes=curve.notes)


def worth_of(curve: LearningCurve, kind: Kind, worth: float | None) -> float:
    """The least gain in the quality's unit. Raises `UsageError`."""
    if worth is not None and not 0 <= worth < float("inf"):
        raise UsageError(f"--worth must be a finite number from 0 on, got {worth!r}")
    if kind.space == "accuracy":
        return POINT * (1.0 if worth is None else worth)
    if worth is None and outlook(curve, 0.0).abstained:
        return 0.0  # nothing is held against it
    if worth is None:
        raise UsageError(
            f"--worth is needed, as in --worth 0.01: the least gain a doubling must bring, in the unit of the values "
            f"({curve.quality.min():.4g} to {curve.quality.max():.4g}); {_hint(curve)}"
        )
    return worth


def _hint(curve: LearningCurve) -> str:
    """What makes points (hundredths) of a quality, whose default is 1."""
    largest = float(curve.quality.max())
    if 1 < largest <= 100:  # noqa: PLR2004  # percent
        return "an accuracy or error rate in percent is to be divided by 100 first"
    return "an accuracy or error rate in [0, 1] has a default: --kind accuracy, with --better lower for an error rate"


def headline(ahead: Outlook) -> str:
    """The advice in one line."""
    if ahead.chance is None:
        return f"I cannot tell: {ahead.abstained}"
    odds = f"a doubling gains over {ahead.worth:.3g} with probability {ahead.chance:.2f}"
    if ahead.chance >= CLEAR:
        return f"{ADD}: {odds}"
    if ahead.chance <= 1 - CLEAR:
        return f"{OPTIMISE}: {odds}"
    return f"I cannot tell: {odds}; another point or seed would help"


def _add(curve: LearningCurve, kind: Kind, ahead: Outlook) -> Option:
    evidence = [
        f"forecast at {ahead.resource:g}: gain {ahead.gain:+.3g}, 90 % from {ahead.low:+.3g} to {ahead.high:+.3g}"
    ]
    if ahead.abstained:
        evidence = [f"the forecast abstains: {ahead.abstained}"]
    return Option(step=ADD, evidence=(*evidence, *_experience(curve, kind)), **_gains(ahead, ahead.chance))


def _experience(curve: LearningCurve, kind: Kind) -> list[str]:
    gain = last_gain(curve, kind)
    if gain is None or kind.space != "accuracy":
        return [] if gain is None else [f"the last doubling brought {gain:+.3g}"]
    known = fact(gain)
    said = str(known) if known else f"on public curves the last gain ranks the next (Spearman {SPEARMAN})"
    return [f"the last doubling brought {gain / POINT:+.2g} points; {said}"]


def _optimise(ahead: Outlook, end: Limit) -> Option:
    """Its probability is that of the resource not being worth it; how much another algorithm gains, no curve tells."""
    evidence = [str(end)]
    if ahead.chance is not None:
        evidence.insert(0, f"a doubling gains {ahead.worth:.3g} or less with probability {1 - ahead.chance:.2f}")
    if end.room is not None and end.room < ahead.worth:
        evidence.append("so even unlimited resources gain less than one doubling is to be worth")
    chance = None if ahead.chance is None else 1 - ahead.chance
    return Option(step=OPTIMISE, probability=chance, gain=None, low=None, high=None, evidence=tuple(evidence))


def _fix(curve: LearningCurve, worth: float, found: Bottleneck) -> Option:
    """A faster step buys more of the resource in the same time: the gain is the forecast there, an upper bound."""
    most = found.most_speedup
    if most is None:
        unclear = f"{found.name}: unclear, no limit that can be named takes half of a step"
        return Option(step=FIX, probability=None, gain=None, low=None, high=None, evidence=(unclear,))
    share = 100 * max(found.shares.values())
    ahead = outlook(curve, worth, times=min(max(most, 1.01), MOST_TIMES))
    evidence = (
        f"{found.name} is {found.verdict}: {share:.0f} % of a step of {1e3 * found.step:.3g} ms",
        f"without it a step is at most {most:.3g} times as fast (Amdahl), so the same time buys at most that much more",
    )
    return Option(step=FIX, evidence=evidence, **_gains(ahead, found.certainty))


def _gains(ahead: Outlook, probability: float | None) -> dict[str, float | None]:
    """Of an option; nothing is expected where the forecast abstains."""
    told = ahead.abstained is None
    return {
        "probability": probability,
        "gain": ahead.gain if told else None,
        "low": ahead.low if told else None,
        "high": ahead.high if told else None,
    }
