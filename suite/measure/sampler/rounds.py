"""The rounds of a sample: which are kept, when there are enough, and what speaks against them.

What disturbs only a technique's turns is the technique's own: its page faults, its waiting threads. A sample is
suspect for what the baseline, or the second copy of it, suffered as well.
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

PATIENCE = SHARES[-1] / SHARES[0]  # times the budget, to reach the least number of rounds or a decision
FAULT_SECONDS = 2e-6  # what a minor page fault costs, about
MOST_FAULT_SHARE = 0.01  # of a call spent in page faults; in a quiet process it is next to nothing
MOST_DROPPED = 0.5  # of the rounds
SHARED = 0.25  # of the worst side's rate of preempted turns: from there on it is the machine's

Turn = tuple[float, int, bool]  # seconds, page faults, preempted


@dataclass(frozen=True, kw_only=True)
class PrecisionTarget:
    """What is compared and how well it is to be known; ``null`` is a second copy of the ``baseline``.

    An interval within +-``precision`` ends a sample early, if it is over enough blocks; one beyond +-``tolerance`` lets
    it overdraw its budget. Where there are ``goals``, it is overdrawn until they are decided instead, or the last look
    could not.
    """

    baseline: str
    null: str | None
    null_tolerance: float
    precision: float | None
    confidence: float
    tolerance: float = math.inf
    goals: tuple[DecisionBound, ...] = ()

    @property
    def least(self) -> int:
        """The least number of rounds that holds an interval, at whichever look."""
        return min_rounds(strictest(self.confidence) if self.goals else self.confidence)

    def confidence_at(self, look: int) -> float:
        """Of the interval at a look; without goals nothing hangs on looking."""
        return confidence_at(look, self.confidence) if self.goals else self.confidence

    @property
    def witnesses(self) -> tuple[str, ...]:
        """The sides that are not the technique's: what happens to them is the machine's doing."""
        return (self.baseline,) if self.null is None else (self.baseline, self.null)


@dataclass(kw_only=True)
class RoundLog:
    """What the rounds brought so far. A round that the timer spoiled counts as tried and is kept nowhere."""

    terms: PrecisionTarget
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
        self.seconds = {side: [] for side in self.repeats}
        self.faults, self.hits = dict.fromkeys(self.repeats, 0), dict.fromkeys(self.repeats, 0)
        self.next_check = self.terms.least

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
            for side, turn in turns.items():
                self._add_turn(side, turn)

    def _add_turn(self, side: str, turn: Turn) -> None:
        wall, faults, hit = turn
        self.seconds[side].append(wall / self.repeats[side])
        self.faults[side] += faults
        self.hits[side] += hit

    def spent(self, seconds: float, max_rounds: int) -> bool:
        """Whether one more round would overdraw the budget: the given one, or the patient one below the least rounds,
        while a goal is not decided, or while the machine is so restless that nothing is known within the tolerance.

        Where somebody else keeps the core, waiting for more clean rounds has its end too.
        """
        if self.tried == 0:
            return False
        needed = self.elapsed * (1 + 1 / self.tried)
        if self.tried >= max_rounds or needed > PATIENCE * seconds:
            return True
        if sum(self.clean) < self.terms.least:
            return needed > seconds and len(self.order) >= PATIENCE * self.terms.least
        if self.terms.goals:
            return needed > seconds * SHARES[self.look] / SHARES[0] and self._look()
        return needed > seconds and not self._vague()

    def precise(self) -> bool:
        """Whether every side is known well enough. That is work too and would disturb every round: not each time.

        It asks how wide the intervals are and not where they lie, which biases nothing. What is known well and decides
        nothing goes on to the next look, when that is due.
        """
        if sum(self.clean) < self.next_check or (self.terms.precision is None and self.terms.tolerance == math.inf):
            return False
        self.next_check = math.ceil(1.1 * self.next_check)
        self.within = self._half_width()
        several = len(set(self._blocks())) >= LEAST_BLOCKS  # rounds of one place agree, wherever that is
        narrow = several and self.terms.precision is not None and self.within <= self.terms.precision
        return narrow and self.look == 0 and self._look()

    def _look(self) -> bool:
        """Whether all goals are decided, or no further look could decide them; if not, the next one is due later."""
        if self.look + 1 == len(SHARES) or all(self._is_decided(goal) for goal in self.terms.goals):
            return True
        self.look += 1
        return False

    def _is_decided(self, goal: DecisionBound) -> bool:
        ratios = ratios_of(self._clean_seconds(), goal.numerator, goal.denominator, self.terms.witnesses)
        return goal.decided(*blocked_interval(ratios, self._blocks(), self.terms.confidence_at(self.look)))

    def _blocks(self) -> np.ndarray:
        """The block of each clean round."""
        return np.array([number for number, clean in zip(self.block, self.clean, strict=True) if clean])

    def _vague(self) -> bool:
        """Whether a longer sample may tell what this one, as it was last looked at, cannot."""
        return self.within > self.terms.tolerance

    def _half_width(self) -> float:
        """Of the widest interval, as a share of its ratio."""
        seconds, base = self._clean_seconds(), self.terms.baseline
        others = self.repeats.keys() - {base}
        return max(self._share(ratios_of(seconds, base, side, self.terms.witnesses)) for side in others)

    def _clean_seconds(self) -> dict[str, np.ndarray]:
        """By side, of the rounds that nobody preempted."""
        clean = np.array(self.clean)
        return {side: np.array(times)[clean] for side, times in self.seconds.items()}

    def _share(self, ratios: np.ndarray) -> float:
        low, high = blocked_interval(ratios, self._blocks(), self.terms.confidence)
        return (high - low) / 2 / float(np.median(ratios))

    def sample(self) -> Sample:
        """The rounds that stand, with all that speaks against them."""
        kept = self._kept()
        calls = {side: max(1, len(self.order)) * count for side, count in self.repeats.items()}
        found = Sample(
            seconds={side: np.array(times)[kept] for side, times in self.seconds.items()},
            repeats=dict(self.repeats),
            faults={side: self.faults[side] / calls[side] for side in calls} if sys.platform != "win32" else {},
            order=np.array(self.order, dtype=np.int64).reshape(len(self.order), len(self.repeats))[kept],
            block=np.array(self.block, dtype=np.int64)[kept],
            rounds=int(kept.sum()),
            elapsed=self.elapsed,
            dropped=len(self.order) - int(kept.sum()),
            confidence=self.terms.confidence_at(self.look),
            copies=self.terms.witnesses,
        )
        return _with_doubts(found, [*self._doubts(), *_sample_doubts(found, self.terms)])

    def _kept(self) -> np.ndarray:
        """Which rounds stand [R]: the undisturbed, or all where these are few or a side disturbs itself."""
        clean = np.array(self.clean, dtype=bool)
        return clean if self._is_shared() and not self._is_besieged() else np.ones_like(clean)

    def _is_besieged(self) -> bool:
        return self.clean.count(False) > MOST_DROPPED * len(self.clean)

    def _is_shared(self) -> bool:
        """Whether turns of the baseline are preempted too, about as often in the same time as those of any side."""
        rates = {side: self.hits[side] / self._turns(side) for side in self.repeats if self.seconds[side]}
        worst = max(rates.values(), default=0.0)
        return worst > 0 and max(rates[side] for side in self.terms.witnesses) >= SHARED * worst

    def _turns(self, side: str) -> float:
        """Seconds that all turns of a side took."""
        return self.repeats[side] * sum(self.seconds[side])

    def _doubts(self) -> Iterator[str]:
        if self.backwards:
            yield "the timer went backwards"
        if self.stood_still:
            yield "the timer stood still during a turn"
        if self._is_besieged() and self._is_shared():
            yield (
                f"{self.clean.count(False)} of {len(self.clean)} rounds were preempted: another process uses this core"
            )


def _sample_doubts(found: Sample, terms: PrecisionTarget) -> Iterator[str]:
    """What the number of rounds, page faults of the baseline and its own copy say against a sample."""
    if found.rounds < terms.least:
        dropped = f", {found.dropped} more were preempted" if found.dropped else ""
        yield f"only {found.rounds} rounds fitted into {found.elapsed:.3g} s{dropped}; an interval needs {terms.least}"
    felt = [found.faults[side] for side in terms.witnesses if found.faults and _feels_faults(found, side)]
    if felt:
        yield f"{max(felt):.0f} minor page faults a call: start it in a quiet process"
    if terms.null is not None and found.rounds:
        ratio = found.ratio(terms.baseline, terms.null, terms.confidence)
        if _differs(ratio, terms.null_tolerance):
            yield f"two copies of the baseline differ by {ratio.value - 1:+.1%} [{ratio.low:.3f}, {ratio.high:.3f}]"


def _feels_faults(found: Sample, side: str) -> bool:
    times = found.seconds[side]
    return len(times) > 0 and found.faults[side] * FAULT_SECONDS > MOST_FAULT_SHARE * float(np.median(times))


def _differs(ratio: Ratio, tolerance: float) -> bool:
    """Whether the whole interval lies more than ``tolerance`` away from 1."""
    return (
        ratio.low is not None and ratio.high is not None and (ratio.low > 1 + tolerance or ratio.high < 1 - tolerance)
    )


def _with_doubts(found: Sample, doubts: list[str]) -> Sample:
    return replace(found, suspect="; ".join(doubts) or None)
