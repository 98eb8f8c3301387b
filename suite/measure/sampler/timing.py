"""The paired sampler: which of several callables is faster, and by how much, on a machine that is never quite still.

Every round runs every side once, so that whatever disturbs the machine for longer than a round disturbs all sides
alike and cancels in the ratio of one round. The order is random and balanced: each side follows each other one equally
often (`suite.measure.sampler.orders`). All sides are treated the same: garbage collection
and tracing are off, and each turn repeats its call until it outlasts the scheduler's time slice. Rounds in which
somebody else had the core are dropped. Unpaired samples are never compared. Nothing here knows of pytest or of torch.

Shapes: ``R`` rounds, ``k`` sides. Times are seconds.
"""

from __future__ import annotations

import gc
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from suite.core import phases
from suite.core.errors import ImplausibleError, UsageError, unknown
from suite.core.machine.allocator import minor_faults
from suite.core.stats.intervals import median_rank
from suite.core.stats.sequential import DecisionBound
from suite.measure.sampler.counters import Counters, preempted, thread_counters
from suite.measure.sampler.orders import balanced_orders
from suite.measure.sampler.rounds import PrecisionTarget, RoundLog
from suite.measure.sampler.samples import Ratio, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_FOR_P99", "Ratio", "Sample", "latency", "sample", "undisturbed"]


class ClockError(ImplausibleError):
    """Two clocks disagree about how long something took."""


Call = Callable[[], object]
Keep = Callable[[str, object], None]
Clock = Callable[[], float]

TURN_SECONDS = 10e-3  # several time slices of the scheduler (3 to 4 ms), so that all turns hold about as many
TICKS_PER_TURN = 1000  # a turn of that many timer ticks is read to a tenth of a percent
ALIKE = 0.1  # calls that take the same time to that share are repeated equally often
TRIES = 3  # the least of so many turns is what a call takes when nothing disturbs it
BLOCKS = 16  # of the budget: Student's t of so few is hardly wider than that of all rounds
WARM = 4  # rounds in a block, from which on a call of each side before them costs little
LONG_TURN = 4  # times the wanted length: an interruption does not explain it, so it is not tried again
MOST_REPEATS = 10**6
CLOCKS_APART, LEAST_APART = 0.05, 0.02  # a share, and seconds: clocks that are slewed differ by far less
MOST_READINGS = 200_000  # of a timer that stands still: a 15 ms timer needs about that many to move
LEAST_SIDES = 2
LEAST_LATENCIES = 10
LEAST_FOR_P99 = 500
"""Below so many latencies the 99th percentile is one of the few largest, and says nothing."""


def sample(
    sides: Mapping[str, Call],
    *,
    baseline: str,
    seconds: float,
    seed: int,
    precision: float | None = None,
    tolerance: float = math.inf,
    confidence: float = 0.99,
    synchronize: Call | None = None,
    reset: Mapping[str, Call] | None = None,
    move: Call | None = None,
    null: str | None = None,
    null_tolerance: float = 0.02,
    goals: Sequence[DecisionBound] = (),
    host_bound: bool = True,
    keep: Keep | None = None,
    min_round_seconds: float = TURN_SECONDS,
    max_rounds: int = 2000,
    warmup: int = 3,
    clock: Clock = time.perf_counter,
    witness: Clock | None = None,
    counters: Counters | None = None,
) -> Sample:
    """Time ``sides`` against each other in interleaved rounds for about ``seconds``, warm-up aside.

    Ends early once the interval of median(baseline / side) is within +-``precision`` (relative) for every side, over
    six blocks at least; what the ratios say never ends it. The budget is overdrawn up to four times where it holds
    fewer rounds than an interval at ``confidence`` needs (if that is not enough either, the sample is suspect), and
    where an interval is wider than +-``tolerance``, as on a restless machine. With ``goals`` it is overdrawn instead,
    up to four times, while a ratio's interval holds one of its bounds; the looks at one, two and four budgets share the
    error of ``confidence`` (`suite.core.stats.sequential`). A turn lasts at least ``min_round_seconds``.

    The rounds are taken in blocks of a sixteenth of the budget, and an interval is over blocks as well as over rounds
    (`suite.core.stats.intervals.blocked_interval`): rounds of one block are correlated and do not count as
    independent. ``move`` runs before each block
    and is to bring what is timed to other places.

    ``synchronize`` waits for an accelerator, inside the clock. ``reset`` by side runs before each of its turns and
    outside the clock. ``null`` names a second copy of the baseline: where the two differ by more than
    ``null_tolerance`` the sample is suspect. ``host_bound`` says that the work is on this one thread: rounds in which
    it was preempted are dropped then, as far as ``counters`` tell (by default the system's, beside the system's clock).
    ``keep`` is given each turn's side and what its last call returned, outside the clock. ``witness`` is a second
    clock, which the first has to agree with. Raises `UsageError` for arguments that cannot be measured with,
    `ClockError` for clocks that disagree.
    """
    if counters is None and clock is time.perf_counter:
        counters = thread_counters()
    plan = _Sampling(
        sides=dict(sides), reset=reset or {}, seconds=seconds, max_rounds=max_rounds, clock=clock,
        synchronize=synchronize or _nothing, counters=counters if host_bound else None, witness=witness or clock,
        move=move, keep=keep or _forget,
        terms=PrecisionTarget(
            baseline=baseline, null=null, null_tolerance=null_tolerance, precision=precision, tolerance=tolerance,
            confidence=confidence, goals=tuple(goals),
        ),
    )  # fmt: skip
    plan.check()
    with phases.phase("imports"):
        median_rank(plan.terms.least, confidence)  # loads scipy now and not between two rounds
    with phases.phase("timing"):
        _warm_up([plan.prepared(side) for side in plan.sides], warmup, seconds, clock)
        with undisturbed():
            target = max(min_round_seconds, TICKS_PER_TURN * resolution(clock))
            return _run(plan, _calibrate(plan, target), random.Random(seed))  # noqa: S311  # mixes, guards no secret


def latency(
    call: Call,
    *,
    count: int = 1000,
    seconds: float = 1.0,
    synchronize: Call | None = None,
    warmup: int = 3,
    clock: Clock = time.perf_counter,
) -> NDArray[np.float64]:
    """Seconds of each of up to ``count`` calls, timed one by one for about ``seconds``; at least ten, or all.

    The garbage collector and tracers are kept away as in `sample`.
    """
    synchronize = synchronize or _nothing
    times: list[float] = []
    with phases.phase("timing"):
        _warm_up([call], warmup, seconds, clock)
        with undisturbed():
            end = clock() + seconds
            while len(times) < min(count, LEAST_LATENCIES) or (len(times) < count and clock() < end):
                times.append(_turn(call, 1, synchronize, clock)[0])
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
class _Sampling:
    """What to time and when to stop."""

    sides: Mapping[str, Call]
    reset: Mapping[str, Call]
    seconds: float
    max_rounds: int
    clock: Clock
    synchronize: Call
    counters: Counters | None
    witness: Clock
    move: Call | None
    keep: Keep
    terms: PrecisionTarget

    def check(self) -> None:
        """Raise `UsageError` for what cannot be measured with."""
        if len(self.sides) < LEAST_SIDES:
            raise UsageError(f"a comparison needs at least two sides, got {', '.join(self.sides) or 'none'}")
        goals = (side for goal in self.terms.goals for side in (goal.numerator, goal.denominator))
        for side in (*self.terms.witnesses, *self.reset, *goals):
            if side not in self.sides:
                raise unknown("side", side, self.sides)
        if self.max_rounds < self.terms.least:
            raise UsageError(
                f"max_rounds={self.max_rounds} holds no {self.terms.confidence:.4g} interval; allow at least "
                f"{self.terms.least}"
            )
        if not self.seconds > 0:
            raise UsageError(f"the budget must be positive, got seconds={self.seconds!r}")

    def prepared(self, side: str) -> Call:
        """One call of ``side`` with its reset before it."""

        def call() -> None:
            self.reset.get(side, _nothing)()
            self.sides[side]()

        return call

    def moved(self, rounds: int) -> None:
        """Bring everything elsewhere, and each side's caches to what they are in the middle of a block.

        Where a block holds few ``rounds`` their calls are long: what a cold cache costs them is little, and one more
        call of each side would cost much.
        """
        if self.move is None:
            return
        self.move()
        if rounds >= WARM:
            for side in self.sides:
                self.prepared(side)()
            self.synchronize()

    def turn(self, side: str, repeats: int) -> float:
        self.reset.get(side, _nothing)()
        return _turn(self.sides[side], repeats, self.synchronize, self.clock)[0]

    def watched_turn(self, side: str, repeats: int) -> tuple[float, int, bool]:
        """Seconds of a turn, page faults during it, and whether somebody else had the core."""
        self.reset.get(side, _nothing)()
        faults, before = minor_faults(), self.counters and self.counters()
        wall, output = _turn(self.sides[side], repeats, self.synchronize, self.clock)
        after, faults = self.counters and self.counters(), minor_faults() - faults
        self.keep(side, output)
        return wall, faults, bool(before and after and preempted(before, after, wall))


def _run(plan: _Sampling, repeats: Mapping[str, int], rng: random.Random) -> Sample:
    names = list(plan.sides)
    log = RoundLog(terms=plan.terms, repeats=repeats)
    started, witnessed = plan.clock(), plan.witness()
    block = _RoundBlock(seconds=plan.seconds / BLOCKS)
    orders = balanced_orders(len(names), rng)
    while not log.spent(plan.seconds, plan.max_rounds):
        if block.ends(log):
            plan.moved(block.rounds)
        order = next(orders)
        turns = {names[index]: plan.watched_turn(names[index], repeats[names[index]]) for index in order}
        log.add(order, turns, elapsed=plan.clock() - started, block=block.number)
        if log.precise():
            break
    _check_clocks(plan.clock() - started, plan.witness() - witnessed)
    return log.sample()


@dataclass(kw_only=True)
class _RoundBlock:
    """The block that rounds are taken in now, at least so many ``seconds`` long; ``rounds`` were in the last one."""

    seconds: float
    number: int = 0
    began: float = 0.0
    tried: int = 0
    rounds: int = 0

    def ends(self, log: RoundLog) -> bool:
        """Whether the next round is the first of the next block."""
        if log.tried == self.tried or log.elapsed - self.began < self.seconds:
            return False
        self.rounds = log.tried - self.tried
        self.number, self.began, self.tried = self.number + 1, log.elapsed, log.tried
        return True


def _check_clocks(told: float, witnessed: float) -> None:
    if abs(told - witnessed) > max(CLOCKS_APART * witnessed, LEAST_APART):
        raise ClockError(f"the clock says {told:.3g} s where another says {witnessed:.3g} s; something has replaced it")


def _calibrate(plan: _Sampling, target: float) -> dict[str, int]:
    """How often each side is called in a turn of at least ``target`` seconds: equally often where calls cost the same.

    Otherwise two copies of one network might get turns of different length, and one more interruptions than the other.
    """
    costs = {side: _cost(plan, side, target) for side in plan.sides}
    base = costs[plan.terms.baseline]
    alike = {side: base if abs(cost - base) <= ALIKE * base else cost for side, cost in costs.items()}
    return {side: _repeats(target, cost) for side, cost in alike.items()}


def _repeats(target: float, cost: float) -> int:
    """Calls of ``cost`` seconds in ``target`` seconds. A hair less will do: 10 ms are ten calls of 1 ms, not eleven."""
    return max(1, min(MOST_REPEATS, math.ceil(target / cost * (1 - 1e-9)))) if cost > 0 else MOST_REPEATS


def _cost(plan: _Sampling, side: str, target: float) -> float:
    """Seconds that a call of ``side`` takes: the least of several turns of about ``target`` seconds."""
    repeats, taken = _long_enough(plan, side, target)
    again = TRIES if taken < LONG_TURN * target else 0
    return min([taken, *(plan.turn(side, repeats) for _ in range(again))]) / repeats


def _long_enough(plan: _Sampling, side: str, target: float) -> tuple[int, float]:
    """A number of calls that takes ``target`` seconds or more, and what it took."""
    repeats = 1
    while True:
        taken = plan.turn(side, repeats)
        if taken >= target or repeats >= MOST_REPEATS:
            return repeats, taken
        growth = 1.2 * target / taken if taken > 0 else math.inf
        repeats = min(MOST_REPEATS, max(repeats + 1, math.ceil(repeats * min(growth, 10))))


def _warm_up(calls: list[Call], rounds: int, seconds: float, clock: Clock) -> None:
    """Run every call ``rounds`` times; slow ones fewer times, once the budget for timing itself has gone by."""
    began = clock()
    for _ in range(rounds):
        for call in calls:
            call()
        if clock() - began > seconds:
            break


def _turn(call: Call, repeats: int, synchronize: Call, clock: Clock) -> tuple[float, object]:
    """Seconds that ``repeats`` calls take, with all their work on the accelerator, and what the last one returned."""
    output = None
    synchronize()
    start = clock()
    for _ in repeat(None, repeats):
        output = call()
    synchronize()
    return clock() - start, output


def _nothing() -> None:
    """Wait for nothing: the host's own calls are done when they return."""


def _forget(_side: str, _output: object) -> None:
    """Keep no output."""
