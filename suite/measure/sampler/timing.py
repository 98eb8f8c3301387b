"""The paired sampler: which of several callables is faster, and by how much, on a noisy machine.

Every round runs every arm once. A disturbance that lasts longer than a round slows all arms alike and cancels in the
round's ratio. The order is random and balanced: each arm follows each other arm equally often
(`suite.measure.sampler.orders`). All arms are treated the same: garbage collection and tracing are off, and each turn
repeats its call until it outlasts the scheduler's time slice. Rounds in which another process had the core are dropped.
Unpaired samples are never compared. This module depends on neither pytest nor torch.

Shapes: ``R`` rounds, ``k`` arms. Times are seconds.
"""

from __future__ import annotations

import gc
import math
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from suite.core import phases
from suite.core.errors import ImplausibleError
from suite.core.machine.allocator import minor_faults
from suite.core.stats.intervals import median_rank
from suite.measure.sampler.counters import Counters, preempted
from suite.measure.sampler.options import (
    NO_HOOKS,
    SYSTEM_CLOCK,
    Call,
    Clock,
    Hooks,
    Instruments,
    SamplerOptions,
    nothing,
)
from suite.measure.sampler.orders import balanced_orders
from suite.measure.sampler.rounds import RoundLog
from suite.measure.sampler.samples import Ratio, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_FOR_P99", "Ratio", "Sample", "latency", "sample", "undisturbed"]


class ClockError(ImplausibleError):
    """Two clocks disagree about how long something took."""


TICKS_PER_TURN = 1000  # a turn of this many timer ticks has an error of a tenth of a percent
ALIKE = 0.1  # calls whose times differ by at most this share are repeated equally often
TRIES = 3  # the minimum of this many turns is the undisturbed time of a call
BLOCKS = 16  # in the budget: with this many, Student's t is hardly wider than over all rounds
WARM = 4  # rounds of a block for which one more call of each arm costs little
LONG_TURN = 4  # times the wanted length: no interruption explains such a turn, so it is not repeated
MOST_REPEATS = 10**6
CLOCKS_APART, LEAST_APART = 0.05, 0.02  # relative, and in seconds: slewed clocks differ by far less
MOST_READINGS = 200_000  # of a timer that does not advance: a 15 ms timer needs about this many
LEAST_LATENCIES = 10
LEAST_FOR_P99 = 500
"""With fewer latencies the 99th percentile is one of the few largest and means nothing."""


def sample(
    arms: Mapping[str, Call],
    options: SamplerOptions,
    *,
    hooks: Hooks = NO_HOOKS,
    instruments: Instruments = SYSTEM_CLOCK,
) -> Sample:
    """Time ``arms`` against each other in interleaved rounds for about ``options.seconds``, after a warm-up.

    The rounds are taken in blocks of a sixteenth of the budget, and an interval is over blocks as well as over rounds
    (`suite.core.stats.intervals.blocked_interval`): rounds of one block are correlated and do not count as
    independent. Raises `UsageError` for arguments that cannot be measured with, `ClockError` if two clocks disagree.
    """
    plan = _Sampling(
        arms=dict(arms), options=options, hooks=hooks, clock=instruments.clock,
        witness=instruments.witness or instruments.clock,
        counters=instruments.preemptions() if options.host_bound else None,
    )  # fmt: skip
    options.check(plan.arms, hooks.reset)
    with phases.phase("imports"):
        median_rank(options.least, options.confidence)  # loads scipy now and not between two rounds
    with phases.phase("timing"):
        _warm_up([plan.prepared(arm) for arm in plan.arms], options.warmup, options.seconds, plan.clock)
        with undisturbed():
            turn_seconds = max(options.min_round_seconds, TICKS_PER_TURN * resolution(plan.clock))
            repeats = _calibrate(plan, turn_seconds)
            return _run(plan, repeats, random.Random(options.seed))  # noqa: S311  # mixes, guards no secret


def latency(
    call: Call,
    *,
    count: int = 1000,
    seconds: float = 1.0,
    synchronize: Call | None = None,
    warmup: int = 3,
    clock: Clock = perf_counter,
) -> NDArray[np.float64]:
    """Seconds of each of up to ``count`` calls, timed one by one for about ``seconds``; at least ten calls, or all.

    The garbage collector and tracers are off, as in `sample`.
    """
    synchronize = synchronize or nothing
    times: list[float] = []
    with phases.phase("timing"):
        _warm_up([call], warmup, seconds, clock)
        with undisturbed():
            end = clock() + seconds
            while len(times) < min(count, LEAST_LATENCIES) or (len(times) < count and clock() < end):
                times.append(_turn(call, 1, synchronize, clock)[0])
    taken = np.array(times)
    return taken[taken >= 0]  # a timer that went backwards gives no time


@contextmanager
def undisturbed() -> Iterator[None]:
    """Collect garbage, then switch the collector, tracers and profilers off; all are switched back on at the end."""
    collecting, tracer, profiler = gc.isenabled(), sys.gettrace(), sys.getprofile()
    gc.collect()
    gc.disable()
    sys.settrace(None)
    sys.setprofile(None)
    try:
        yield
    finally:
        _profile_again(profiler)
        sys.settrace(tracer)
        if collecting:
            gc.enable()


def _profile_again(profiler: Any) -> None:
    """Switch a profiler back on; that of cProfile is no function, so that `sys.setprofile` would set what fails."""
    if callable(getattr(profiler, "enable", None)):
        profiler.enable()
    else:
        sys.setprofile(profiler)


def resolution(clock: Clock) -> float:
    """The smallest step of ``clock`` in a few changes; 0 if it does not advance while nothing runs."""
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
    """One sample: its arms, its options and what it reads around each turn."""

    arms: Mapping[str, Call]
    options: SamplerOptions
    hooks: Hooks
    clock: Clock
    witness: Clock
    counters: Counters | None

    def prepared(self, arm: str) -> Call:
        """One call of ``arm`` with its reset before it."""

        def call() -> None:
            self.hooks.reset.get(arm, nothing)()
            self.arms[arm]()

        return call

    def moved(self, rounds: int) -> None:
        """Move everything to other addresses, then warm each arm's caches to their state in the middle of a block.

        A block of few ``rounds`` has long calls: a cold cache costs them little, and one more call of each arm would
        cost much. Such a block gets no warm-up.
        """
        if self.hooks.move is None:
            return
        self.hooks.move()
        if rounds >= WARM:
            for arm in self.arms:
                self.prepared(arm)()
            self.hooks.synchronize()

    def turn(self, arm: str, repeats: int) -> float:
        self.hooks.reset.get(arm, nothing)()
        return _turn(self.arms[arm], repeats, self.hooks.synchronize, self.clock)[0]

    def watched_turn(self, arm: str, repeats: int) -> tuple[float, int, bool]:
        """Seconds of a turn, page faults during it, and whether another process had the core."""
        self.hooks.reset.get(arm, nothing)()
        faults, before = minor_faults(), self.counters and self.counters()
        wall, output = _turn(self.arms[arm], repeats, self.hooks.synchronize, self.clock)
        after, faults = self.counters and self.counters(), minor_faults() - faults
        self.hooks.keep(arm, output)
        return wall, faults, bool(before and after and preempted(before, after, wall))


def _run(plan: _Sampling, repeats: Mapping[str, int], rng: random.Random) -> Sample:
    names = list(plan.arms)
    log = RoundLog(target=plan.options, repeats=repeats)
    started, witnessed = plan.clock(), plan.witness()
    block = _RoundBlock(seconds=plan.options.seconds / BLOCKS)
    orders = balanced_orders(len(names), rng)
    while not log.spent(plan.options.seconds, plan.options.max_rounds):
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
    """The current block of rounds, at least ``seconds`` long; the last block had ``rounds``."""

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


def _check_clocks(clocked: float, witnessed: float) -> None:
    if abs(clocked - witnessed) > max(CLOCKS_APART * witnessed, LEAST_APART):
        raise ClockError(
            f"the clock says {clocked:.3g} s, a second clock says {witnessed:.3g} s; the first has been replaced"
        )


def _calibrate(plan: _Sampling, target: float) -> dict[str, int]:
    """Calls of each arm in a turn of at least ``target`` seconds; arms with calls of the same cost get the same number.

    Otherwise two copies of one network could get turns of different length, and one copy more interruptions.
    """
    costs = {arm: _cost(plan, arm, target) for arm in plan.arms}
    base = costs[plan.options.baseline]
    equalized = {arm: base if abs(cost - base) <= ALIKE * base else cost for arm, cost in costs.items()}
    return {arm: _repeats(target, cost) for arm, cost in equalized.items()}


def _repeats(target: float, cost: float) -> int:
    """Calls of ``cost`` seconds in ``target`` seconds; with a tolerance, so that 10 ms are ten calls of 1 ms."""
    return max(1, min(MOST_REPEATS, math.ceil(target / cost * (1 - 1e-9)))) if cost > 0 else MOST_REPEATS


def _cost(plan: _Sampling, arm: str, target: float) -> float:
    """Seconds of a call of ``arm``: the minimum of several turns of about ``target`` seconds."""
    repeats, taken = _long_enough(plan, arm, target)
    again = TRIES if taken < LONG_TURN * target else 0
    return min([taken, *(plan.turn(arm, repeats) for _ in range(again))]) / repeats


def _long_enough(plan: _Sampling, arm: str, target: float) -> tuple[int, float]:
    """A number of calls that takes ``target`` seconds or more, and the seconds that it took."""
    repeats = 1
    while True:
        taken = plan.turn(arm, repeats)
        if taken >= target or repeats >= MOST_REPEATS:
            return repeats, taken
        growth = 1.2 * target / taken if taken > 0 else math.inf
        repeats = min(MOST_REPEATS, max(repeats + 1, math.ceil(repeats * min(growth, 10))))


def _warm_up(calls: list[Call], rounds: int, seconds: float, clock: Clock) -> None:
    """Run every call ``rounds`` times; end early once the warm-up has taken ``seconds``, the timing's budget."""
    began = clock()
    for _ in range(rounds):
        for call in calls:
            call()
        if clock() - began > seconds:
            break


def _turn(call: Call, repeats: int, synchronize: Call, clock: Clock) -> tuple[float, object]:
    """Seconds of ``repeats`` calls, with all their work on the accelerator, and the output of the last one."""
    output = None
    synchronize()
    start = clock()
    for _ in repeat(None, repeats):
        output = call()
    synchronize()
    return clock() - start, output
