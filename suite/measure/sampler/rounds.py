"""The rounds of a sample: which are kept, when there are enough, and the reasons to doubt them.

Disturbances of the technique's turns alone are the technique's own: its page faults, its waiting threads. A sample is
suspect only if the baseline, or the second copy of it, was disturbed as well.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from suite.core.stats.intervals import LEAST_BLOCKS, blocked_interval, min_rounds
from suite.core.stats.sequential import SHARES, DecisionBound, confidence_at, strictest
from suite.measure.sampler.samples import Ratio, Sample, ratios_of

PATIENCE = SHARES[-1] / SHARES[0]  # budgets at most, to reach the least number of rounds or a decision
FAULT_SECONDS = 2e-6  # cost of a minor page fault, about
MOST_FAULT_SHARE = 0.01  # of a call spent in page faults; in a quiet process it is next to nothing
MOST_DROPPED = 0.5  # of the rounds
SHARED = 0.25  # of the worst arm's rate of preempted turns: above it the machine is the cause

Turn = tuple[float, int, bool]  # seconds, page faults, preempted


@dataclass(frozen=True, kw_only=True)
class PrecisionTarget:
    """The arms that count and the precision that a sample must reach; ``null`` is a second copy of the ``baseline``.

    An interval within +-``precision`` over enough blocks ends a sample early. An interval beyond +-``tolerance`` lets
    the sample exceed its budget. With ``decisions`` it exceeds its budget until all are decided or the last look is
    over; the tolerance has no effect then.
    """

    baseline: str
    null: str | None = None
    null_tolerance: float = 0.02
    precision: float | None = None
    confidence: float = 0.99
    tolerance: float = math.inf
    decisions: tuple[DecisionBound, ...] = ()

    @property
    def least(self) -> int:
        """The least number of rounds that gives an interval, at any look."""
        return min_rounds(strictest(self.confidence) if self.decisions else self.confidence)

    def confidence_at(self, look: int) -> float:
        """The confidence of the interval at a look; without decisions all looks have the same."""
        return confidence_at(look, self.confidence) if self.decisions else self.confidence

    @property
    def witnesses(self) -> tuple[str, ...]:
        """The arms that run no technique: the machine causes their disturbances."""
        return (self.baseline,) if self.null is None else (self.baseline, self.null)


@dataclass(kw_only=True)
class RoundLog:
    """The rounds so far. A round that the timer spoiled counts as tried and is not kept."""

    target: PrecisionTarget
    repeats: Mapping[str, int]
    seconds: dict[str, list[float]] = field(init=False)
    faults: dict[str, int] = field(init=False)
    hits: dict[str, int] = field(init=False)
    order: list[list[int]] = field(default_factory=list)
    clean: list[bool] = field(default_factory=list)
    block: list[int] = field(default_factory=list)
    tried: int = 0
    elapsed: float = 0.0
    backwards: bool = False
    stood_still: bool = False
    next_check: int = 0
    within: float = math.inf
    look: int = 0

    def __post_init__(self) -> None:
        self.seconds = {arm: [] for arm in self.repeats}
        self.faults, self.hits = dict.fromkeys(self.repeats, 0), dict.fromkeys(self.repeats, 0)
        self.next_check = self.target.least

    def add(self, order: list[int], turns: Mapping[str, Turn], *, elapsed: float, block: int = 0) -> None:
        self.tried += 1
        self.elapsed = elapsed
        shortest = min(wall for wall, _, _ in turns.values())
        self.backwards |= shortest < 0
        self.stood_still |= any(wall == 0 for wall, _, _ in turns.values())
        if shortest > 0:
            self.order.append(order)
            self.block.append(block)
            self.clean.append(not any(hit for _, _, hit in turns.values()))
            for arm, turn in turns.items():
                self._add_turn(arm, turn)

    def _add_turn(self, arm: str, turn: Turn) -> None:
        wall, faults, hit = turn
        self.seconds[arm].append(wall / self.repeats[arm])
        self.faults[arm] += faults
        self.hits[arm] += hit

    def spent(self, seconds: float, max_rounds: int) -> bool:
        """Whether one more round would exceed the budget of ``seconds``.

        The budget is larger in three cases: below the least number of rounds, while a bound is undecided, and while
        the interval is wider than the tolerance. If another process keeps the core, waiting for clean rounds ends too.
        """
        if self.tried == 0:
            return False
        needed = self.elapsed * (1 + 1 / self.tried)
        if self.tried >= max_rounds or needed > PATIENCE * seconds:
            return True
        if sum(self.clean) < self.target.least:
            return needed > seconds and len(self.order) >= PATIENCE * self.target.least
        if self.target.decisions:
            return needed > seconds * SHARES[self.look] / SHARES[0] and self._look()
        return needed > seconds and not self._vague()

    def precise(self) -> bool:
        """Whether the interval of every arm is narrow enough; computed for a few rounds only, since it disturbs them.

        It checks the width of the intervals and not their position, so it biases nothing. A precise sample that
        decides nothing continues until the next look.
        """
        if sum(self.clean) < self.next_check or (self.target.precision is None and self.target.tolerance == math.inf):
            return False
        self.next_check = math.ceil(1.1 * self.next_check)
        self.within = self._half_width()
        several = len(set(self._blocks())) >= LEAST_BLOCKS  # rounds at the same addresses agree, whatever their bias
        narrow = several and self.target.precision is not None and self.within <= self.target.precision
        return narrow and self.look == 0 and self._look()

    def _look(self) -> bool:
        """Whether all bounds are decided or this was the last look; if not, the next look is due later."""
        if self.look + 1 == len(SHARES) or all(self._is_decided(decision) for decision in self.target.decisions):
            return True
        self.look += 1
        return False

    def _is_decided(self, decision: DecisionBound) -> bool:
        ratios = ratios_of(self._clean_seconds(), decision.numerator, decision.denominator, self.target.witnesses)
        return decision.decided(*blocked_interval(ratios, self._blocks(), self.target.confidence_at(self.look)))

    def _blocks(self) -> np.ndarray:
        """The block of each clean round."""
        return np.array([number for number, clean in zip(self.block, self.clean, strict=True) if clean])

    def _vague(self) -> bool:
        """Whether the interval is wider than the tolerance, so that a longer sample helps."""
        return self.within > self.target.tolerance

    def _half_width(self) -> float:
        """The half width of the widest interval, relative to its ratio."""
        seconds, base = self._clean_seconds(), self.target.baseline
        others = self.repeats.keys() - {base}
        return max(self._share(ratios_of(seconds, base, arm, self.target.witnesses)) for arm in others)

    def _clean_seconds(self) -> dict[str, np.ndarray]:
        """Seconds of the rounds without preemption, by arm."""
        clean = np.array(self.clean)
        return {arm: np.array(times)[clean] for arm, times in self.seconds.items()}

    def _share(self, ratios: np.ndarray) -> float:
        low, high = blocked_interval(ratios, self._blocks(), self.target.confidence)
        return (high - low) / 2 / float(np.median(ratios))

    def sample(self) -> Sample:
        """The rounds that are kept, with all reasons to doubt them."""
        kept = self._kept()
        calls = {arm: max(1, len(self.order)) * count for arm, count in self.repeats.items()}
        taken = Sample(
            seconds={arm: np.array(times)[kept] for arm, times in self.seconds.items()},
            repeats=dict(self.repeats),
            faults={arm: self.faults[arm] / calls[arm] for arm in calls} if sys.platform != "win32" else {},
            order=np.array(self.order, dtype=np.int64).reshape(len(self.order), len(self.repeats))[kept],
            block=np.array(self.block, dtype=np.int64)[kept],
            rounds=int(kept.sum()),
            elapsed=self.elapsed,
            dropped=len(self.order) - int(kept.sum()),
            confidence=self.target.confidence_at(self.look),
            copies=self.target.witnesses,
        )
        return _with_doubts(taken, [*self._doubts(), *_sample_doubts(taken, self.target)])

    def _kept(self) -> np.ndarray:
        """Which rounds are kept [R]: the undisturbed, or all if these are few or an arm disturbs itself."""
        clean = np.array(self.clean, dtype=bool)
        return clean if self._is_shared() and not self._is_besieged() else np.ones_like(clean)

    def _is_besieged(self) -> bool:
        return self.clean.count(False) > MOST_DROPPED * len(self.clean)

    def _is_shared(self) -> bool:
        """Whether the baseline is preempted too, about as often in the same time as any other arm."""
        rates = {arm: self.hits[arm] / self._turns(arm) for arm in self.repeats if self.seconds[arm]}
        worst = max(rates.values(), default=0.0)
        return worst > 0 and max(rates[arm] for arm in self.target.witnesses) >= SHARED * worst

    def _turns(self, arm: str) -> float:
        """Seconds of all turns of an arm."""
        return self.repeats[arm] * sum(self.seconds[arm])

    def _doubts(self) -> Iterator[str]:
        if self.backwards:
            yield "the timer went backwards"
        if self.stood_still:
            yield "the timer did not advance during a turn"
        if self._is_besieged() and self._is_shared():
            yield (
                f"{self.clean.count(False)} of {len(self.clean)} rounds were preempted: another process uses this core"
            )


def _sample_doubts(taken: Sample, target: PrecisionTarget) -> Iterator[str]:
    """Reasons to doubt a sample: too few rounds, page faults of the baseline, a difference between its two copies."""
    if taken.rounds < target.least:
        dropped = f", {taken.dropped} more were preempted" if taken.dropped else ""
        yield f"only {taken.rounds} rounds fitted into {taken.elapsed:.3g} s{dropped}; an interval needs {target.least}"
    felt = [taken.faults[arm] for arm in target.witnesses if taken.faults and _feels_faults(taken, arm)]
    if felt:
        yield f"{max(felt):.0f} minor page faults a call: start it in a quiet process"
    if target.null is not None and taken.rounds:
        ratio = taken.ratio(target.baseline, target.null, target.confidence)
        if _differs(ratio, target.null_tolerance):
            yield f"two copies of the baseline differ by {ratio.value - 1:+.1%} [{ratio.low:.3f}, {ratio.high:.3f}]"


def _feels_faults(taken: Sample, arm: str) -> bool:
    times = taken.seconds[arm]
    return len(times) > 0 and taken.faults[arm] * FAULT_SECONDS > MOST_FAULT_SHARE * float(np.median(times))


def _differs(ratio: Ratio, tolerance: float) -> bool:
    """Whether the whole interval is more than ``tolerance`` away from 1."""
    return (
        ratio.low is not None and ratio.high is not None and (ratio.low > 1 + tolerance or ratio.high < 1 - tolerance)
    )


def _with_doubts(taken: Sample, doubts: list[str]) -> Sample:
    return replace(taken, suspect="; ".join(doubts) or None)
