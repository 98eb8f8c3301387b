"""Options of the paired sampler: what it compares, for how long, and what runs beside the calls that it times.

Times are seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from suite.core.errors import UsageError, unknown
from suite.measure.sampler.counters import Counters, thread_counters
from suite.measure.sampler.rounds import PrecisionTarget

Call = Callable[[], object]
Keep = Callable[[str, object], None]
Clock = Callable[[], float]

TURN_SECONDS = 10e-3  # several time slices of the scheduler (3 to 4 ms), so that all turns hold about as many
LEAST_ARMS = 2
PRECISION = 0.0025  # relative half width of the interval at which sampling may stop


def nothing() -> None:
    """Wait for nothing: the host's own calls are done when they return."""


def drop_output(_arm: str, _output: object) -> None:
    """Keep no output."""


@dataclass(frozen=True, kw_only=True)
class SamplerOptions(PrecisionTarget):
    """What a sample compares and when it ends: the precision that it must reach, within how much time.

    Attributes:
        baseline: The arm that all others are compared with.
        seconds: The time budget, without the warm-up.
        seed: Draws the order of the arms.
        precision: The sample ends early once the interval of median(baseline / arm) is within +-``precision``
            (relative) for every arm, over six blocks at least. The values of the ratios never end it.
        tolerance: While an interval is wider than +-``tolerance``, as on a noisy machine, the sample may take up to
            four budgets.
        confidence: Of each interval. A sample with fewer rounds than such an interval needs may take four budgets,
            too; if these are not enough either, it is suspect.
        null: A second copy of the baseline. The sample is suspect if the two differ by more than ``null_tolerance``.
        decisions: While an interval contains one of these bounds, the sample may take up to four budgets. ``tolerance``
            has no effect then. The looks after one, two and four budgets share the error of ``confidence``
            (`suite.core.stats.sequential`).
        host_bound: The work is on this one thread, so rounds in which it was preempted are dropped.
        min_round_seconds: The least length of a turn.
        max_rounds: The sample ends after this number of rounds.
        warmup: Calls of each arm before the first round.
    """

    seconds: float
    seed: int
    host_bound: bool = True
    min_round_seconds: float = TURN_SECONDS
    max_rounds: int = 2000
    warmup: int = 3

    def check(self, arms: Mapping[str, Call], reset: Mapping[str, Call]) -> None:
        """Raise `UsageError` if ``arms`` cannot be measured with these options."""
        if len(arms) < LEAST_ARMS:
            raise UsageError(f"a comparison needs at least two arms, got {', '.join(arms) or 'none'}")
        compared = (arm for decision in self.decisions for arm in (decision.numerator, decision.denominator))
        for arm in (*self.witnesses, *reset, *compared):
            if arm not in arms:
                raise unknown("arm", arm, arms)
        if self.max_rounds < self.least:
            raise UsageError(
                f"max_rounds={self.max_rounds} holds no {self.confidence:.4g} interval; allow at least {self.least}"
            )
        if not self.seconds > 0:
            raise UsageError(f"the budget must be positive, got seconds={self.seconds!r}")


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Calls beside the timed ones.

    Attributes:
        synchronize: Waits for an accelerator, inside the clock.
        reset: By arm, a call before each of its turns, outside the clock.
        move: A call before each block that moves the weights and inputs to other addresses.
        keep: Receives each turn's arm and the output of its last call, outside the clock.
    """

    synchronize: Call = nothing
    reset: Mapping[str, Call] = field(default_factory=dict)
    move: Call | None = None
    keep: Keep = drop_output


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """What times a turn and notices that another process had the core.

    Attributes:
        clock: The clock that times turns.
        witness: A second clock that the first must agree with; ``None`` for no check.
        counters: This thread's preemptions and processor time; ``None`` for the system's, beside the system's clock.
    """

    clock: Clock = time.perf_counter
    witness: Clock | None = None
    counters: Counters | None = None

    def preemptions(self) -> Counters | None:
        """The counters to read around each turn, if there are any."""
        if self.counters is None and self.clock is time.perf_counter:
            return thread_counters()
        return self.counters


NO_HOOKS = Hooks()
SYSTEM_CLOCK = Instruments()
