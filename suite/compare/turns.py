"""Two processes take turns, round by round, and only one of them runs at a time.

The driver is the barrier: it asks one side for its turn and waits for the answer before it asks the other one. Both
sides' clocks run inside their own process, so that the way there and back is not timed.

This is not the bench's sampler (`suite.measure.sampler`), although both take turns in rounds: they differ in what
they sample. The bench's arms are calls in its own process, which are moved together, between blocks. These are two
processes, each of which is moved just before its own turn and bears first-call costs of its own: turns have the same
number of calls up to a factor of two, where the bench allows a tenth. The bench's unit is a block of rounds, and its
sample ends once the interval over blocks is narrow enough or holds no bound. Here the unit is the pair: its rounds
give one figure, intervals are over pairs (`suite.compare.judge`), and no result may end a pair. So it lasts for a
fixed time of clean turns, however long moves and questions take; the bench's budget is of all the time that passes. A
sampler with a switch for each of these would be two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from time import perf_counter
from typing import Protocol, TypeVar

from suite.compare.protocol import Calibrate, Calibrated, Done, Move, Question, TimedTurn, Turn
from suite.core.errors import SuiteError

T = TypeVar("T")
LEAST_TURN = 0.01  # seconds; a shorter turn either holds a time slice of the scheduler or does not
LEAST_ROUNDS = 6
PLACES = 8  # in memory, in the time of a process that forks no children
PATIENCE = 4  # times the seconds asked for, with moves and dropped rounds
ALIKE = 2  # times as many calls a turn on one side


class TooFewRoundsError(SuiteError):
    """A pair of processes could not be timed: calls too slow for the budget, or a core that others use."""


class Player(Protocol):
    """A side that answers `Calibrate`, `Move` and `Turn`."""

    def ask(self, question: Question, kind: type[T]) -> T:
        """The answer of that kind to one question."""


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Rounds of a pair of processes, or of children that it forked.

    Seconds a call of both sides [R], and how many rounds were dropped.
    """

    current: Sequence[float]
    reference: Sequence[float]
    dropped: int = 0

    @property
    def log_ratio(self) -> float:
        """Logarithm of the median over rounds of reference's / current's time: below 0 where current is slower."""
        return math.log(median(b / a for a, b in zip(self.current, self.reference, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Turns:
    """How many calls make a turn of each side, and how many seconds one round of both takes."""

    calls: tuple[int, int]
    round_seconds: float


def calibrate(current: Player, reference: Player, metric: str) -> Turns:
    """Turns of at least `LEAST_TURN` on both sides, of as many calls where the sides are alike.

    The first call of a turn may bear a cost of its own; a share of it that differs would make a slower side slower.
    """
    found = [player.ask(Calibrate(metric=metric, least=LEAST_TURN), Calibrated) for player in (current, reference)]
    calls = [one.calls for one in found]
    if max(calls) <= ALIKE * min(calls):
        calls = [max(calls)] * 2
    seconds = sum(count * one.seconds for count, one in zip(calls, found, strict=True))
    return Turns(calls=(calls[0], calls[1]), round_seconds=seconds)


def check_budget(turns: Turns, metric: str, seconds: float) -> None:
    """Raise `TooFewRoundsError` where ``seconds`` hold fewer than `LEAST_ROUNDS` rounds."""
    needed = LEAST_ROUNDS * turns.round_seconds
    if needed > seconds:
        raise TooFewRoundsError(
            f"{metric}: one round takes {turns.round_seconds:.3g} s, so that {seconds:.3g} s a pair hold fewer than "
            f"{LEAST_ROUNDS}; give --budget at least {needed / seconds:.3g} times as large"
        )


def play(
    current: Player,
    reference: Player,
    metric: str,
    turns: Turns,
    *,
    seconds: float,
    random: Random,
    stay: float = 0.0,
    clock: Callable[[], float] = perf_counter,
) -> Rounds:
    """Rounds for ``seconds`` of turns, each side once a round in random order.

    A round in which another process ran is dropped. Memory layout is random, so both sides move their tensors and
    ``stay`` there for so many seconds; 0 is one round. If rounds are dropped, timing goes on until as much time is
    clean, for at most `PATIENCE` times as long.
    """
    players = (current, reference)
    kept: list[tuple[float, float]] = []
    dropped, clean_seconds, began, left_at = 0, 0.0, clock(), stay
    while clean_seconds < seconds and clock() - began < PATIENCE * seconds:
        moves = clean_seconds >= left_at
        left_at = clean_seconds + stay if moves else left_at
        times, taken, clean = [0.0, 0.0], 0.0, True
        for side in random.sample((0, 1), 2):
            if moves:  # just before its turn: what the other side does between them would empty the caches of one alone
                players[side].ask(Move(metric=metric), Done)
            calls = turns.calls[side]
            found = players[side].ask(Turn(metric=metric, calls=calls), TimedTurn)
            times[side], clean = found.seconds / calls, clean and not found.stolen
            taken += found.seconds
        if clean:
            kept.append((times[0], times[1]))
            clean_seconds += taken
        dropped += not clean
    return Rounds(current=[a for a, _ in kept], reference=[b for _, b in kept], dropped=dropped)


def pooled(parts: Sequence[Rounds], metric: str) -> Rounds:
    """All rounds of a pair; raises `TooFewRoundsError` where they are fewer than `LEAST_ROUNDS`."""
    found = Rounds(
        current=[seconds for part in parts for seconds in part.current],
        reference=[seconds for part in parts for seconds in part.reference],
        dropped=sum(part.dropped for part in parts),
    )
    if len(found.current) < LEAST_ROUNDS:
        raise TooFewRoundsError(
            f"{metric}: {len(found.current)} rounds of a pair, {found.dropped} dropped because other processes used "
            "the core; stop them or raise --budget"
        )
    return found
