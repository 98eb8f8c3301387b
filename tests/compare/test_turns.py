"""Turn-taking of two sides, with players whose clocks are made up."""
# the expected value stands on the left

import math
from random import Random

import pytest

from suite.compare.protocol import Calibrate, Calibrated, Done, Move, TimedTurn
from suite.compare.turns import (
    LEAST_ROUNDS,
    LEAST_TURN,
    Rounds,
    TooFewRoundsError,
    calibrate,
    check_budget,
    play,
    pooled,
)


class Clock:
    """Time that passes only while somebody plays."""

    def __init__(self):
        self.now, self.turns = 0.0, []

    def __call__(self):
        return self.now


class FakePlayer:
    """A side whose calls last ``seconds``; ``stolen`` says by the number of the turn whether it was disturbed."""

    def __init__(self, name, clock, seconds, stolen=lambda _: False):
        self.name, self.clock, self.seconds, self.stolen, self.played = name, clock, seconds, stolen, 0
        self.moved = 0

    def ask(self, question, _):
        if isinstance(question, Calibrate):
            return Calibrated(calls=math.ceil(question.least / self.seconds), seconds=self.seconds)
        if isinstance(question, Move):
            self.moved += 1
            self.clock.now += self.seconds
            return Done()
        self.played += 1
        seconds = question.calls * self.seconds
        self.clock.turns.append((self.name, seconds))
        self.clock.now += seconds
        return TimedTurn(seconds=seconds, stolen=self.stolen(self.played))


def players(current=1e-3, reference=1e-3, **details):
    clock = Clock()
    return FakePlayer("current", clock, current, **details), FakePlayer("reference", clock, reference), clock


def played(current, reference, clock, seconds=2.0, seed=0, **details):
    turns, random = calibrate(current, reference, "speed"), Random(seed)  # noqa: S311
    return play(current, reference, "speed", turns, seconds=seconds, random=random, clock=clock, **details)


def test_each_round_holds_one_turn_of_each_side_in_random_order():
    """Neither side runs twice in a round, and neither always comes first."""
    *both, clock = players()
    played(*both, clock)
    rounds = [tuple(name for name, _ in clock.turns[i : i + 2]) for i in range(0, len(clock.turns), 2)]
    assert {("current", "reference"), ("reference", "current")} == set(rounds)


def test_both_sides_move_each_time_that_they_have_stayed_for_long_enough():
    """A pair's ratio is then that of several places; it begins at those that the processes have."""
    first, second, clock = players()
    played(first, second, clock, seconds=2.0, stay=0.25)
    assert 7 == first.moved == second.moved


def test_each_side_moves_just_before_its_own_turn():
    """What the other side did between them would have emptied the caches of one alone."""
    first, second, clock = players()
    asked = []
    for player in (first, second):
        player.ask = lambda question, kind, told=player.ask, name=player.name: (
            asked.append((name, type(question).__name__)) or told(question, kind)
        )
    played(first, second, clock)
    moved = [asked[i + 1] for i, (_, do) in enumerate(asked) if do == "Move"]
    assert [(name, "Turn") for name, do in asked if do == "Move"] == moved


def test_those_that_do_not_stay_move_before_each_round():
    """Also before the first."""
    first, second, clock = players()
    found = played(first, second, clock)
    assert len(found.current) == first.moved == second.moved


def test_moves_take_none_of_the_time_of_turns():
    """Slow calls have as many rounds as were planned for them: a move of each side takes as long as its turn."""
    found = played(*players(current=0.15, reference=0.15), seconds=2.0)
    assert 7 == len(found.current)


@pytest.mark.parametrize(
    ("seconds", "expected"), [((9.97e-3, 10.02e-3), (2, 2)), ((1e-3, 1.9e-3), (10, 10)), ((1e-3, 3e-3), (10, 4))]
)
def test_sides_that_are_alike_make_as_many_calls_a_turn(seconds, expected):
    """A share of the first call's own cost that differs would make a slower side slower."""
    first, second, _ = players(*seconds)
    assert expected == calibrate(first, second, "speed").calls


def test_a_turn_of_either_side_lasts_ten_milliseconds_at_least():
    """The faster side makes more calls."""
    *both, clock = players(current=1e-3, reference=3e-4)
    played(*both, clock)
    assert all(seconds >= LEAST_TURN - 1e-12 for _, seconds in clock.turns)


def test_the_ratio_is_below_one_where_the_current_code_is_slower():
    """Reference's over current's time of a call, whatever the number of calls."""
    found = played(*players(current=1.25e-3, reference=1e-3))
    assert math.log(0.8) == pytest.approx(found.log_ratio)


def test_disturbed_rounds_are_dropped_and_counted():
    """Every fourth turn of one side was interrupted by another process."""
    *both, clock = players(stolen=lambda turn: turn % 4 == 0)
    found = played(*both, clock)
    assert both[0].played == len(found.current) + found.dropped
    assert both[0].played // 4 == found.dropped


def test_a_disturbed_pair_goes_on_until_as_much_time_is_clean():
    """Every second turn of one side was interrupted: twice as many rounds."""
    undisturbed = played(*players())
    *both, clock = players(stolen=lambda turn: turn % 2 == 0)
    assert len(undisturbed.current) == pytest.approx(len(played(*both, clock).current), abs=2)


def test_a_core_that_others_use_all_the_time_is_told():
    """No round is left."""
    *both, clock = players(stolen=lambda _: True)
    found = played(*both, clock)
    assert [] == found.current
    with pytest.raises(TooFewRoundsError, match=r"speed: 0 rounds of a pair, .* other processes used the core"):
        pooled([found], "speed")


def test_rounds_of_a_pairs_children_are_one_sample():
    """In their order; dropped ones add up."""
    parts = [Rounds(current=[1.0] * 4, reference=[2.0] * 4, dropped=1), Rounds(current=[3.0] * 2, reference=[4.0] * 2)]
    found = pooled(parts, "speed")
    assert [1.0, 1.0, 1.0, 1.0, 3.0, 3.0] == found.current
    assert (6, 1) == (len(found.reference), found.dropped)


def test_calls_too_slow_for_the_budget_name_the_budget_that_would_do():
    """One round of two seconds, of which six are needed."""
    first, second, _ = players(current=1.0, reference=1.0)
    turns = calibrate(first, second, "speed")
    assert ((1, 1), 2.0) == (turns.calls, turns.round_seconds)
    with pytest.raises(TooFewRoundsError, match=f"fewer than {LEAST_ROUNDS}; give --budget at least 6 times as large"):
        check_budget(turns, "speed", 2.0)
    check_budget(turns, "speed", 12.0)
