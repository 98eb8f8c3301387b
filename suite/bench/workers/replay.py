"""Hands the paired sampler's rounds to pytest-benchmark, which then reports and stores them as its own.

pytest-benchmark times one callable; our rounds interleave several. So the durations are measured by our sampler and
replayed: the benchmark's timer is a clock that advances by one recorded duration between two readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from suite.core.records import Cell


class ReplayClock:
    """A timer whose odd and even readings are one recorded duration apart."""

    __name__ = "suite.bench.workers.replay"

    def __init__(self) -> None:
        self.load(())

    def load(self, durations: Iterable[float]) -> None:
        """Replay ``durations`` [R] in seconds from now on."""
        self._durations = iter(tuple(durations))
        self._now, self._running = 0.0, False

    def __call__(self) -> float:
        if self._running:
            self._now += next(self._durations, 0.0)
        self._running = not self._running
        return self._now


CLOCK = ReplayClock()


def replay(benchmark: Any, cell: Cell, samples: Mapping[str, Any]) -> None:
    """Give ``benchmark`` the technique's inference rounds; the paired figures travel as extra information.

    Without samples (the group failed, or is taken from an earlier run) there is nothing to report.
    """
    if "inference" not in samples:
        benchmark._mode = "nothing to replay"  # noqa: SLF001  # or it warns that it was not used
        return
    main = samples["inference"]
    seconds = main.seconds["technique"]
    benchmark.group = f"{cell.workload} on {cell.device}"
    benchmark.extra_info.update(
        workload=cell.workload,
        technique=cell.technique,
        device=cell.device,
        speedup=main.ratio("baseline", "technique").value,
        rounds_interleaved_with="baseline",
    )
    CLOCK.load(seconds)
    benchmark.pedantic(_nothing, rounds=len(seconds), iterations=1)


def _nothing() -> None:
    """What is timed: the clock alone knows how long it took."""
