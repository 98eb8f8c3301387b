"""How much of a speed-up is the engine's, and how much the precision's.

A speed-up of an engine in 8 bits against eager torch in float32 mixes two things. The engine gain is that of the same
engine in float32 against eager float32; the precision gain that of the engine against itself in float32. Their product
is the speed-up. Beside them stands the engine against the fastest eager cell of the same precision, if a run has one.

The cells were timed one after the other, each in turns with the baseline. So the interval of a ratio of two of them
takes their errors as independent ones: their logarithms add in squares. The baseline's own speed-up is 1 by definition.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from suite.core.composition import BASELINE
from suite.report.frames import PLAIN

EAGER = "eager"


@dataclass(frozen=True)
class Gain:
    """A ratio of times with its interval; without ends if one of its parts has none. More than 1 is faster."""

    value: float
    low: float | None = None
    high: float | None = None

    def over(self, other: Gain) -> Gain:
        """This one divided by ``other``, errors independent."""
        value = self.value / other.value
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return Gain(value)
        down = math.hypot(math.log(self.value / self.low), math.log(other.high / other.value))
        up = math.hypot(math.log(self.high / self.value), math.log(other.value / other.low))
        return Gain(value, value * math.exp(-down), value * math.exp(up))


ONE = Gain(1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class EngineSpeed:
    """A cell's speed-up at one batch.

    ``place`` is what cells must share to be compared. ``rest`` is the composition without what runs it, ``precision``
    that of most of its multiply-accumulates, and ``ran`` all of them with their shares.
    """

    place: tuple[str, ...]
    technique: str
    rest: str
    engine: str
    precision: str
    ran: str
    speedup: Gain
    batch: int | None = None
    suspect: bool = False


@dataclass(frozen=True, kw_only=True)
class EngineGain:
    """A cell that another engine than eager torch runs, with the parts of its speed-up; ``None`` was not measured.

    ``suspect`` says that something disturbed one of the timings that the parts are made of.
    """

    cell: EngineSpeed
    engine_gain: Gain | None
    precision_gain: Gain | None
    equal_precision_gain: Gain | None
    equal_precision_partner: str | None
    suspect: bool


def engine_gains(speeds: Iterable[EngineSpeed]) -> list[EngineGain]:
    """The parts of the speed-up of each cell that an engine runs, in their order."""
    places: dict[tuple[str, ...], list[EngineSpeed]] = {}
    for one in speeds:
        places.setdefault(one.place, []).append(one)
    return [_parts(one, here) for here in places.values() for one in here if one.engine != EAGER]


def _parts(cell: EngineSpeed, here: Sequence[EngineSpeed]) -> EngineGain:
    own = next((one for one in here if (one.engine, one.rest, one.precision) == (cell.engine, cell.rest, PLAIN)), None)
    plain = cell if cell.precision == PLAIN else own
    eager = next((one for one in here if one.engine == EAGER and one.technique == cell.rest), None)
    start = ONE if cell.rest == BASELINE else eager and eager.speedup
    partner = None if cell.precision == PLAIN else _eager_partner(cell, here)
    used = [one for one in (cell, plain, eager, partner) if one is not None]
    return EngineGain(
        cell=cell,
        engine_gain=plain.speedup.over(start) if plain and start else None,
        precision_gain=cell.speedup.over(plain.speedup) if plain and plain is not cell else None,
        equal_precision_gain=cell.speedup.over(partner.speedup) if partner else None,
        equal_precision_partner=partner.technique if partner else None,
        suspect=any(one.suspect for one in used),
    )


def _eager_partner(cell: EngineSpeed, here: Sequence[EngineSpeed]) -> EngineSpeed | None:
    """The fastest eager cell of the same precision that is one technique alone; of the plain network only."""
    if cell.rest != BASELINE:
        return None
    eager = (one for one in here if one.engine == EAGER and "+" not in one.technique)
    return max(
        (one for one in eager if one.precision == cell.precision), key=lambda one: one.speedup.value, default=None
    )


def columns(gains: Sequence[EngineGain], places: Sequence[str]) -> Mapping[str, list[object]]:
    """The columns of a table of gains, in order; ``places`` are the names of what `EngineSpeed.place` holds."""
    cells = [one.cell for one in gains]
    table: dict[str, list[object]] = {name: [one.place[k] for one in cells] for k, name in enumerate(places)}
    for name in ("technique", "engine", "precision", "ran", "batch"):
        table[name] = [getattr(one, name) for one in cells]
    table |= _ends("speedup", [one.speedup for one in cells])
    for name in ("engine_gain", "precision_gain", "equal_precision_gain"):
        table |= _ends(name, [getattr(one, name) for one in gains])
    table["equal_precision_partner"] = [one.equal_precision_partner for one in gains]
    return table | {"suspect": [one.suspect for one in gains]}


def _ends(name: str, found: Sequence[Gain | None]) -> dict[str, list[object]]:
    return {
        name: [one and one.value for one in found],
        f"{name}_low": [one and one.low for one in found],
        f"{name}_high": [one and one.high for one in found],
    }
