"""The paired sampler: which of several callables is faster, and by how much, on a machine that is never quite still.

Every round runs every side once, in random order, so that whatever disturbs the machine for longer than a round
disturbs all sides alike and cancels in the ratio of one round. All sides are treated the same: garbage collection
and tracing are off, and each turn repeats its call until it is long enough for the timer. Unpaired samples are never
compared. Nothing here knows of pytest or of torch.

Shapes: ``R`` rounds, ``k`` sides. Times are seconds.
"""

from __future__ import annotations

import gc
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from suite import phases
from suite.errors import SuiteError, UsageError, unknown
from suite.intervals import median_interval, median_rank, min_rounds

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from numpy.typing import NDArray

Call = Callable[[], object]
Clock = Callable[[], float]

PATIENCE = 4  # how many times the budget may be used to reach the least number of rounds
TICKS_PER_TURN = 1000  # a turn of that many timer ticks is read to a tenth of a percent
FAULT_SECONDS = 2e-6  # what a minor page fault costs, about
MOST_FAULT_SHARE = 0.01  # of a call spent in page faults; in a quiet process it is next to nothing
MOST_REPEATS = 10**6
MOST_READINGS = 200_000  # of a timer that stands still: a 15 ms timer needs about that many to move
LEAST_SIDES = 2
LEAST_LATENCIES = 10


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Median of the ``n`` round-wise ratios; ``low``/``high`` are ``None`` where ``n`` holds no interval."""

    value: float
    low: float | None
    high: float | None
    n: int
    confidence: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What `sample` measured.

    ``seconds`` [R] per call, ``repeats`` calls a turn, ``faults`` minor page faults a call (empty where they cannot be
    counted), by side; ``order`` [R, k] holds the sides' positions in ``seconds`` in the order of their turns.
    ``suspect`` says why the times cannot be trusted.
    """

    seconds: Mapping[str, NDArray[np.float64]]
    repeats: Mapping[str, int]
    faults: Mapping[str, float]
    order: NDArray[np.int64]
    rounds: int
    elapsed: float
    suspect: str | None = None

    def ratio(self, numerator: str, denominator: str, confidence: float = 0.99) -> Ratio:
        """``numerator``'s over ``denominator``'s time, round by round: a speed-up if the numerator is the baseline."""
        ratios = self._of(numerator) / self._of(denominator)
        if self.rounds == 0:
            raise SuiteError(f"no round of {numerator!r} and {denominator!r} could be timed: {self.suspect}")
        enough = self.rounds >= min_rounds(confidence)
        low, high = median_interval(ratios, confidence) if enough else (None, None)
        return Ratio(value=float(np.median(ratios)), low=low, high=high, n=self.rounds, confidence=confidence)

    def columns(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """The raw figures for storage: ``seconds_<side>`` [R], and ``order`` [R * k], turn after turn."""
        return {**{f"seconds_{side}": values for side, values in self.seconds.items()}, "order": self.order.ravel()}

    def _of(self, side: str) -> NDArray[np.float64]:
        if side not in self.seconds:
            raise unknown("side", side, self.seconds)
        return self.seconds[side]


def sample(
    sides: Mapping[str, Call],
    *,
    baseline: str,
    seconds: float,
    seed: int,
    precision: float | None = None,
    confidence: float = 0.99,
    synchronize: Callable[[], None] | None = None,
    min_round_seconds: float = 2e-3,
    max_rounds: int = 2000,
    warmup: int = 3,
    clock: Clock = time.perf_counter,
) -> Sample:
    """Time ``sides`` against each other in interleaved rounds for about ``seconds``, warm-up aside.

    Ends early once the interval of median(baseline / side) is within +-``precision`` (relative) for every side; what
    the ratios say never ends it. A budget that holds fewer rounds than an interval at ``confidence`` needs is
    overdrawn up to four times; if that is not enough either, the sample is suspect. ``synchronize`` waits for an
    accelerator, inside the clock. Raises `UsageError` for arguments that cannot be measured with.
    """
    plan = _Plan(
        sides=dict(sides), baseline=baseline, seconds=seconds, precision=precision, confidence=confidence,
        max_rounds=max_rounds, clock=clock, synchronize=synchronize or _nothing,
    )  # fmt: skip
    plan.check()
    with phases.phase("imports"):
        median_rank(plan.least, confidence)  # loads scipy now and not between two rounds
    with phases.phase("timing"):
        _warm_up(list(plan.sides.values()), warmup, seconds, clock)
        with undisturbed():
            target = max(min_round_seconds, TICKS_PER_TURN * resolution(clock))
            repeats = {side: _calibrate(plan, side, target) for side in plan.sides}
            return _run(plan, repeats, random.Random(seed))  # noqa: S311  # mixes the order, guards no secret


def latency(
    call: Call,
    *,
    count: int = 1000,
    seconds: float = 1.0,
    synchronize: Callable[[], None] | None = None,
    warmup: int = 3,
    clock: Clock = time.perf_counter,
) -> NDArray[np.float64]:
    """Seconds of each of up to ``count`` calls, timed one by one for about ``seconds``; at least ten.

    The garbage collector and tracers are kept away as in `sample`.
    """
    synchronize = synchronize or _nothing
    times: list[float] = []
    with phases.phase("timing"):
        _warm_up([call], warmup, seconds, clock)
        with undisturbed():
            end = clock() + seconds
            while len(times) < LEAST_LATENCIES or (len(times) < count and clock() < end):
                times.append(_turn(call, 1, synchronize, clock))
    taken = np.array(times)
    return taken[taken >= 0]  # a timer that went backwards says nothing about the call


@contextmanager
def undisturbed() -> Iterator[None]:
    """Collect garbage, then keep the collector, tracers and profilers away from the body; all come back after it."""
    collecting, tracer, profiler = gc.isenabled(), sys.gettrace(), sys.getprofile()
    gc.collect()
    gc.disable()
    sys.settrace(None)
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.setprofile(profiler)
        sys.settrace(tracer)
        if collecting:
            gc.enable()


def resolution(clock: Clock) -> float:
    """The smallest step of ``clock`` seen in a few changes; 0 if it stands still while nothing runs."""
    steps: list[float] = []
    last = clock()
    for _ in range(MOST_READINGS):
        now = clock()
        if now > last:
            steps.append(now - last)
        last = now
        if len(steps) == 10:  # noqa: PLR2004  # enough to skip an interruption
            break
    return min(steps, default=0.0)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What to time and when to stop."""

    sides: Mapping[str, Call]
    baseline: str
    seconds: float
    precision: float | None
    confidence: float
    max_rounds: int
    clock: Clock
    synchronize: Callable[[], None]

    @property
    def least(self) -> int:
        """The least number of rounds that holds an interval."""
        return min_rounds(self.confidence)

    def check(self) -> None:
        """Raise `UsageError` for what cannot be measured with."""
        if len(self.sides) < LEAST_SIDES:
            raise UsageError(f"a comparison needs at least two sides, got {', '.join(self.sides) or 'none'}")
        if self.baseline not in self.sides:
            raise unknown("side", self.baseline, self.sides)
        if self.max_rounds < self.least:
            raise UsageError(
                f"max_rounds={self.max_rounds} holds no {self.confidence:.4g} interval; allow at least {self.least}"
            )
        if not self.seconds > 0:
            raise UsageError(f"the budget must be positive, got seconds={self.seconds!r}")

    def turn(self, side: str, repeats: int) -> float:
        return _turn(self.sides[side], repeats, self.synchronize, self.clock)


@dataclass(kw_only=True)
class _Log:
    """What the rounds brought so far. A round that the timer spoiled counts as tried and is kept nowhere."""

    seconds: dict[str, list[float]]
    faults: dict[str, int]
    order: list[list[int]] = field(default_factory=list)
    tried: int = 0
    elapsed: float = 0.0
    backwards: bool = False
    stood_still: bool = False

    def add(self, order: list[int], turns: Mapping[str, float], faults: Mapping[str, int]) -> None:
        self.tried += 1
        self.backwards |= min(turns.values()) < 0
        self.stood_still |= 0.0 in turns.values()
        if min(turns.values()) > 0:
            self.order.append(order)
            for side in turns:
                self.seconds[side].append(turns[side])
                self.faults[side] += faults[side]


def _run(plan: _Plan, repeats: Mapping[str, int], rng: random.Random) -> Sample:
    names = list(plan.sides)
    log = _Log(seconds={side: [] for side in names}, faults=dict.fromkeys(names, 0))
    started = plan.clock()
    look = plan.least
    while not _spent(plan, log):
        order = rng.sample(range(len(names)), len(names))
        turns, faults = {}, {}
        for side in (names[index] for index in order):
            before = minor_faults()
            turns[side] = plan.turn(side, repeats[side]) / repeats[side]
            faults[side] = minor_faults() - before
        log.add(order, turns, faults)
        log.elapsed = plan.clock() - started
        if plan.precision is not None and len(log.order) >= look:
            if _precise(plan, log, plan.precision):
                break
            look = math.ceil(1.1 * look)  # looking is work too, and would disturb every round
    return _finish(plan, log, repeats)


def _spent(plan: _Plan, log: _Log) -> bool:
    """Whether one more round would overdraw the budget: the given one, or the patient one below the least rounds."""
    if log.tried == 0:
        return False
    budget = plan.seconds * (1 if len(log.order) >= plan.least else PATIENCE)
    return log.tried >= plan.max_rounds or log.elapsed * (1 + 1 / log.tried) > budget


def _precise(plan: _Plan, log: _Log, precision: float) -> bool:
    baseline = np.array(log.seconds[plan.baseline])
    for side in plan.sides.keys() - {plan.baseline}:
        ratios = baseline / np.array(log.seconds[side])
        low, high = median_interval(ratios, plan.confidence)
        if high - low > 2 * precision * float(np.median(ratios)):
            return False
    return True


def _finish(plan: _Plan, log: _Log, repeats: Mapping[str, int]) -> Sample:
    rounds = len(log.order)
    calls = {side: max(1, rounds) * repeats[side] for side in plan.sides}
    faults = {side: log.faults[side] / calls[side] for side in plan.sides} if sys.platform != "win32" else {}
    return Sample(
        seconds={side: np.array(times) for side, times in log.seconds.items()},
        repeats=dict(repeats),
        faults=faults,
        order=np.array(log.order, dtype=np.int64).reshape(rounds, len(plan.sides)),
        rounds=rounds,
        elapsed=log.elapsed,
        suspect="; ".join(_doubts(plan, log, faults)) or None,
    )


def _doubts(plan: _Plan, log: _Log, faults: Mapping[str, float]) -> Iterator[str]:
    if log.backwards:
        yield "the timer went backwards"
    if log.stood_still:
        yield "the timer stood still during a turn"
    if len(log.order) < plan.least:
        yield f"only {len(log.order)} rounds fitted into {log.elapsed:.3g} s; an interval needs {plan.least}"
    felt = [
        count
        for side, count in faults.items()
        if log.seconds[side] and count * FAULT_SECONDS > MOST_FAULT_SHARE * float(np.median(log.seconds[side]))
    ]
    if felt:
        yield f"{max(felt):.0f} minor page faults a call: start it in a quiet process"


def _calibrate(plan: _Plan, side: str, target: float) -> int:
    """How often ``side`` is called in a turn of at least ``target`` seconds."""
    repeats = 1
    while repeats < MOST_REPEATS:
        taken = plan.turn(side, repeats)
        if taken >= target:
            break
        growth = (
            1.2 * target / taken if taken > 0 else math.inf
        )  # a little more, so that a fast turn is long enough too
        repeats = min(MOST_REPEATS, max(repeats + 1, math.ceil(repeats * min(growth, 10))))
    return repeats


def _warm_up(calls: list[Call], rounds: int, seconds: float, clock: Clock) -> None:
    """Run every call ``rounds`` times; slow ones fewer times, once the budget for timing itself has gone by."""
    began = clock()
    for _ in range(rounds):
        for call in calls:
            call()
        if clock() - began > seconds:
            break


def _turn(call: Call, repeats: int, synchronize: Callable[[], None], clock: Clock) -> float:
    """Seconds that ``repeats`` calls take, with all their work on the accelerator."""
    synchronize()
    start = clock()
    for _ in repeat(None, repeats):
        call()
    synchronize()
    return clock() - start


def minor_faults() -> int:
    """Minor page faults of this process so far; 0 where the platform does not count them."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt if sys.platform != "win32" else 0


def _nothing() -> None:
    """Wait for nothing: the host's own calls are done when they return."""
