"""The energy of a training by the device's own counters, over the same epochs as its seconds.

Counters are read between steps and at the end of each epoch; what runs between epochs (validation) is left out. Where
such a part of the training begins or ends, up to one period of the counter is counted too much or too little, so that
each part needs 20 periods (`suite.core.machine.energy_window`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from suite.core.machine.energy import EnergyCounter, counters_of
from suite.core.machine.energy_window import LEAST_PERIODS, EnergyReading, EnergyWindow
from suite.training.launch import Launch

LEAST_PAUSE = 0.005  # seconds between two readings
SHARE = 0.01  # of the time that readings may take


class NoMeter:
    """In the place of a `TrainingMeter` where no counter is read."""

    def go_on(self) -> None:
        """An epoch begins."""

    def look(self) -> None:
        """A step has ended: read the counters unless they were read just now."""

    def pause(self) -> None:
        """What follows is no training, until `go_on`."""

    def reading(self, epochs: int) -> EnergyReading | None:  # noqa: ARG002  # others count them
        """The energy of all ``epochs`` so far, at the end of one; ``None`` without a counter."""
        return None


class TrainingMeter(NoMeter):
    """Reads ``counters`` while a network trains."""

    def __init__(self, counters: Sequence[EnergyCounter], clock: Callable[[], float] = perf_counter) -> None:
        self._counters, self._clock = counters, clock
        self._window: EnergyWindow | None = None
        self._problem = ""
        self._parts, self._is_running = 0, False
        self._seconds = self._began = self._due = 0.0

    def go_on(self) -> None:
        if self._is_running:
            return
        self._is_running, self._parts, self._began = True, self._parts + 1, self._clock()
        with self._reading():
            if self._window is None:
                self._window = EnergyWindow(self._counters)
            else:
                self._window.skip()

    def look(self) -> None:
        if self._clock() >= self._due:
            self._update()

    def pause(self) -> None:
        if self._is_running:
            self._update()
            self._seconds, self._is_running = self._elapsed(), False

    def reading(self, epochs: int) -> EnergyReading:
        self._update()
        seconds = self._elapsed()
        if self._window is None:  # the first reading has failed
            return EnergyReading(
                state="invalid", joules=0.0, calls=epochs, periods=0, seconds=seconds, reason=self._problem
            )
        return self._window.reading(epochs, seconds, self._problem or self._few(self._window.periods))

    def _elapsed(self) -> float:
        return self._seconds + (self._clock() - self._began if self._is_running else 0.0)

    def _update(self) -> None:
        """Read the counters; the next time is so far away that readings take a hundredth of the time."""
        if self._window is None or not self._is_running or self._problem:
            return
        began = self._clock()
        with self._reading():
            self._window.update()
        now = self._clock()
        self._due = now + max(LEAST_PAUSE, (now - began) / SHARE)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """A counter that does not answer makes the reading invalid, and ends no training."""
        try:
            yield
        except (OSError, ValueError) as error:
            self._problem = f"the counter cannot be read any more: {error}"

    def _few(self, periods: int) -> str:
        """Why the ends of the training's parts are too much of the reading; empty where they are not."""
        needed = self._parts * LEAST_PERIODS
        if periods >= needed:
            return ""
        parts = "one part" if self._parts == 1 else f"{self._parts} parts (scores are looked at between them)"
        return f"{periods} periods of the counter in a training of {parts}, {needed} are needed"


def meter_of(device: str, launch: Launch) -> NoMeter:
    """What reads the energy of a training; nothing does without a counter, and of a training of several ranks."""
    found = counters_of(device) if launch.ranks == 1 else None
    return TrainingMeter(found.counters) if found is not None and found.counters else NoMeter()
