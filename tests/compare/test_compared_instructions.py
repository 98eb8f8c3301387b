"""Instructions under two versions: what is a regression, what decides nothing, and what a failing side says."""

import pytest

from suite.compare import instructions
from suite.compare.instructions import exact, sentence
from suite.compare.process import SideError
from suite.measure.counting.instructions import InstructionCount


def count(value, *, doubt=None, spread=0.0, **functions):
    return InstructionCount(value=value, functions=functions or {"f": value}, spread=spread, doubt=doubt)


@pytest.mark.parametrize(
    ("now", "expected"), [(1_000_000, "same"), (1_000_500, "same"), (1_000_501, "regressed"), (998_000, "differs")]
)
def test_more_than_a_two_thousandth_more_instructions_are_a_regression(now, expected):
    """Identical code differs by less than a tenth of that; fewer instructions are told and pass."""
    assert expected == exact("instructions", count(now), count(1_000_000)).verdict


def test_where_sizes_are_only_reported_more_instructions_differ():
    """As `--sizes report` asks for."""
    assert "differs" == exact("instructions", count(2000), count(1000), gates=False).verdict


def test_a_regression_names_its_share_and_the_functions():
    """So that a reader knows where to look."""
    found = exact("instructions_b1", count(1100, add=600, mul=500), count(1000, add=500, mul=500))
    assert ("+10.00%", "+100 add") == found.changes
    assert (1100, 1000) == (found.current, found.reference)


@pytest.mark.parametrize(
    ("now", "expected"), [(1000, "same"), (1009, "inconclusive"), (991, "inconclusive"), (1011, "regressed")]
)
def test_counts_that_do_not_repeat_decide_what_is_far_beyond_their_spread(now, expected):
    """Less may be the luck of one process; here they vary by a thousandth."""
    found = exact("instructions", count(now), count(1000, doubt="it varies", spread=0.001))
    assert expected == found.verdict
    assert {"same": (), "inconclusive": ("it varies",), "regressed": ("+1.10%", "+11 f")}[expected] == found.changes


def test_an_instruction_that_valgrind_does_not_know_is_told_as_such():
    """Its process ends by a signal, without a traceback."""
    said = sentence(SideError("current", "crash", "ended with -4: vex amd64->IR: unhandled instruction bytes"))
    assert said.startswith("instructions are not counted: current: ended with -4")
    assert "AVX-512" in said
    assert "AVX-512" not in sentence(SideError("current", "crash", "ended with 1: ImportError"))


@pytest.mark.parametrize(("cores", "expected"), [((1, 0), ["1", "0"]), ((1,), ["1", "1"]), ((), ["", ""])])
def test_each_side_counts_on_a_core_of_its_own_where_there_are_two(cores, expected):
    """On one core they would take turns, for twice the time; the counts are the same."""
    assert expected == [instructions._core(cores, number)[instructions.CORE] for number in (0, 1)]
