"""Energy of a call by the device's own counters, with a state that says whether the reading is valid.

The window (`suite.core.machine.energy_window`) begins and ends where a counter has just moved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import perf_counter

from suite.core.machine.energy import EnergyCounter
from suite.core.machine.energy_window import LEAST_PERIODS, EnergyReading, EnergyWindow
from suite.core.phases import phase
from suite.measure.sampler.timing import undisturbed

LEAST_SECONDS = 0.5  # of a window, however fast the counter is
TURN = 0.02  # seconds of calls between two readings, which take up to a millisecond themselves
PATIENCE = 1.0  # seconds in which a counter that works has moved


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

        window = EnergyWindow(counters)
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


def _read(window: EnergyWindow, turn: Callable[[], int], seconds: float, clock: Callable[[], float]) -> EnergyReading:
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
