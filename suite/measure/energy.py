"""Energy of a call by the device's own counters, with a state that says whether the reading is valid.

A counter is updated in periods: a millisecond of RAPL, up to 100 of NVML. The window begins and ends where a counter
has just moved, and holds at least 20 of its periods, so that what the ends miss is below a twentieth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

from suite.core.machine.energy import EnergyCounter
from suite.core.phases import phase
from suite.measure.sampler.timing import undisturbed

EnergyState = Literal["valid", "invalid"]
LEAST_PERIODS = 20
LEAST_SECONDS = 0.5  # of a window, however fast the counter is
TURN = 0.02  # seconds of calls between two readings, which take up to a millisecond themselves
PATIENCE = 1.0  # seconds in which a counter that works has moved


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


def energy(
    call: Callable[[], object],
    counters: Sequence[EnergyCounter],
    *,
    seconds: float,
    synchronize: Callable[[], None],
    clock: Callable[[], float] = perf_counter,
) -> EnergyReading:
    """The energy of repeated calls, which are warm, read within about ``seconds`` at most.

    ``synchronize`` waits for the device. The garbage collector and tracers are off, as while calls are timed.
    """
    with phase("timing"), undisturbed():
        repeats = _repeats(call, synchronize, clock)

        def turn() -> int:
            for _ in range(repeats):
                call()
            synchronize()
            return repeats

        window = _Window(counters)
        try:
            return _read(window, turn, seconds, clock)
        except (OSError, ValueError) as error:
            return window.reading(0, 0.0, f"the counter cannot be read any more: {error}")


def _repeats(call: Callable[[], object], synchronize: Callable[[], None], clock: Callable[[], float]) -> int:
    """How many calls take about `TURN`."""
    synchronize()
    began = clock()
    call()
    synchronize()
    return max(1, math.ceil(TURN / max(clock() - began, TURN / 10_000)))


def _read(window: _Window, turn: Callable[[], int], seconds: float, clock: Callable[[], float]) -> EnergyReading:
    began = clock()
    while not window.update():  # until it moves: there the window begins
        if clock() - began >= PATIENCE:
            return window.reading(0, clock() - began, f"the counter did not move in {PATIENCE:g} s")
        turn()
    window.restart()
    began, calls = clock(), 0
    while not window.fault:
        calls += turn()
        moved, elapsed = window.update(), clock() - began
        enough = elapsed >= LEAST_SECONDS and window.periods >= LEAST_PERIODS
        if enough and (moved or elapsed >= seconds):
            return window.reading(calls, elapsed)
        if elapsed >= seconds:
            few = f"{window.periods} periods of the counter in {elapsed:.1f} s, {LEAST_PERIODS} are needed"
            return window.reading(calls, elapsed, few)
    return window.reading(calls, clock() - began)


class _Window:
    """What counters have counted since a moment, from readings that are closer than one turn around of any of them."""

    def __init__(self, counters: Sequence[EnergyCounter]) -> None:
        self._counters = counters
        self._last = [counter.read() for counter in counters]
        self.restart()

    def restart(self) -> None:
        """Count from the last reading on."""
        self.joules, self.fault = 0.0, ""
        self._moves, self._wraps = [0] * len(self._counters), [0] * len(self._counters)

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
        why = reason or self.fault
        return EnergyReading(
            state="invalid" if why else "valid", joules=self.joules, calls=calls, periods=self.periods,
            seconds=seconds, reason=why,
        )  # fmt: skip
