"""What counters of energy say between two moments, with a state that says whether the reading is valid.

A counter is updated in periods: a millisecond of RAPL, up to 100 of NVML. A window holds at least 20 of its periods, so
that what the ends miss is below a twentieth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from suite.core.machine.energy import EnergyCounter

EnergyState = Literal["valid", "invalid"]
LEAST_PERIODS = 20


@dataclass(frozen=True, kw_only=True)
class EnergyReading:
    """``joules`` of ``calls`` over ``seconds`` and ``periods`` of the counter; ``reason`` says why it is ``invalid``.

    Of several counters the one with the fewest periods counts.
    """

    state: EnergyState
    joules: float
    calls: int
    periods: int
    seconds: float
    reason: str = ""


class EnergyWindow:
    """What counters have counted since a moment, from readings that are closer than one turn around of any of them."""

    def __init__(self, counters: Sequence[EnergyCounter]) -> None:
        self._counters = counters
        self._last = [counter.read() for counter in counters]
        self.restart()

    def restart(self) -> None:
        """Count from the last reading on."""
        self.joules, self.fault = 0.0, ""
        self._moves, self._wraps = [0] * len(self._counters), [0] * len(self._counters)

    def skip(self) -> None:
        """Leave out what was counted since the last reading."""
        self._last = [counter.read() for counter in self._counters]

    @property
    def periods(self) -> int:
        """How often each counter has moved, at least: it may have done so twice between two readings."""
        return min(self._moves)

    def update(self) -> bool:
        """Read all counters; whether one has moved since the last time."""
        moved = False
        for index, counter in enumerate(self._counters):
            now = counter.read()
            step, self._last[index] = now - self._last[index], now
            if step:
                moved = True
                self._moves[index] += 1
                self.joules += step if step > 0 else self._across_zero(index, step)
        return moved

    def _across_zero(self, index: int, step: float) -> float:
        """The joules of a step below zero: the counter started again."""
        name, most = self._counters[index].name, self._counters[index].wraps_at
        self._wraps[index] += 1
        if most is None:
            self.fault = f"{name} went back by {-step:.3g} J, and does not say where it starts again"
            return 0.0
        if self._wraps[index] > 1:
            self.fault = f"{name} started again twice, so a third time may be missed"
        return step + most

    def reading(self, calls: int, seconds: float, reason: str = "") -> EnergyReading:
        """What was counted so far; ``reason``, or a counter's fault, makes it invalid."""
        why = reason or self.fault
        return EnergyReading(
            state="invalid" if why else "valid", joules=self.joules, calls=calls, periods=self.periods,
            seconds=seconds, reason=why,
        )  # fmt: skip


def together(readings: Sequence[EnergyReading | None]) -> EnergyReading | None:
    """Consecutive readings as one, invalid where one of them is; ``None`` where one is absent, or all are."""
    known = [one for one in readings if one is not None]
    if not known or len(known) < len(readings):
        return None
    reason = next((one.reason for one in known if one.reason), "")
    return EnergyReading(
        state="invalid" if reason else "valid", joules=sum(one.joules for one in known),
        calls=sum(one.calls for one in known), periods=sum(one.periods for one in known),
        seconds=sum(one.seconds for one in known), reason=reason,
    )  # fmt: skip
