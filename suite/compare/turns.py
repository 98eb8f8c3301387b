"""Two processes take turns, round by round, and only one of them runs at a time.

The driver is the barrier: it asks one side for its turn and waits for the answer before it asks the other one. Both
sides' clocks run inside their own process, so that the way there and back is not timed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from time import perf_counter
from typing import Any, Protocol

from suite.errors import SuiteError

LEAST_TURN = 0.01  # seconds; a shorter turn either holds a time slice of the scheduler or does not
LEAST_ROUNDS = 6
BLOCKS = 8  # of a pair's budget, each at other places in memory
PATIENCE = 4


class TooFewRoundsError(SuiteError):
    """A pair of processes could not be timed: calls too slow for the budget, or a core that others use."""


class Player(Protocol):
    """A side that answers ``calibrate``, ``move`` and ``turn`` of `suite.compare.worker`."""

    def ask(self, do: str, **details: Any) -> dict[str, Any]:
        """The answer to one question."""


@dataclass(frozen=True, kw_only=True)
class PairResult:
    """Rounds of one pair of processes: seconds a call of both sides [R], and how many rounds were dropped."""

    current: Sequence[float]
    reference: Sequence[float]
    dropped: int = 0

    @property
    def log_ratio(self) -> float:
        """Logarithm of the median over rounds of reference's / current's time: below 0 where current is slower."""
        return math.log(median(b / a for a, b in zip(self.current, self.reference, strict=True)))


def play(
    current: Player,
    reference: Player,
    metric: str,
    *,
    seconds: float,
    random: Random,
    clock: Callable[[], float] = perf_counter,
) -> PairResult:
    """Rounds for ``seconds``, each side once a round in random order; a round in which another process ran is dropped.

    Before each eighth of that time but the first both sides copy what they serve to other places in memory: where it
    lies is the pair's own luck. Where rounds are dropped it goes on until as much time is clean, for at most `PATIENCE`
    times as long. Raises `TooFewRoundsError` where the budget, or what is left of it, holds fewer than `LEAST_ROUNDS`
    rounds.
    """
    players = (current, reference)
    counts = [_calls(player, metric) for player in players]
    _check_budget(counts, metric, seconds)
    kept: list[tuple[float, float]] = []
    dropped, clean_seconds, began, block = 0, 0.0, clock(), 1
    while clean_seconds < seconds and clock() - began < PATIENCE * seconds:
        if clean_seconds > block * seconds / BLOCKS:
            block += 1
            for player in players:
                player.ask("move", metric=metric)
        round_began = clock()
        times, clean = [0.0, 0.0], True
        for side in random.sample((0, 1), 2):
            calls = counts[side][0]
            found = players[side].ask("turn", metric=metric, calls=calls)
            times[side], clean = found["seconds"] / calls, clean and not found["stolen"]
        if clean:
            kept.append((times[0], times[1]))
            clean_seconds += clock() - round_began
        dropped += not clean
    if len(kept) < LEAST_ROUNDS:
        raise TooFewRoundsError(
            f"{metric}: {len(kept)} rounds in {clock() - began:.3g} s, {dropped} dropped because other processes had "
            "the core; stop what runs beside or give a larger --budget"
        )
    return PairResult(current=[a for a, _ in kept], reference=[b for _, b in kept], dropped=dropped)


def _calls(player: Player, metric: str) -> tuple[int, float]:
    """How many calls make a turn, and the seconds of one call."""
    found = player.ask("calibrate", metric=metric, least=LEAST_TURN)
    return max(1, int(found["calls"])), float(found["seconds"])


def _check_budget(counts: Sequence[tuple[int, float]], metric: str, seconds: float) -> None:
    round_ = sum(calls * each for calls, each in counts)
    if round_ * LEAST_ROUNDS > seconds:
        raise TooFewRoundsError(
            f"{metric}: one round takes {round_:.3g} s, so that {seconds:.3g} s a pair hold fewer than {LEAST_ROUNDS}; "
            f"give --budget at least {LEAST_ROUNDS * round_ / seconds:.3g} times as large"
        )
