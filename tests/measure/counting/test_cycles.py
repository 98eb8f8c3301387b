"""Cycles that are estimated from simulated caches."""
# the expected value stands on the left

import pytest

from suite.measure.counting import cycles, instructions

EVENTS = "events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw"


@pytest.fixture
def dump(tmp_path):
    """Writes a file of callgrind's with these lines."""

    def write(*lines, name="out.1"):
        (tmp_path / name).write_text("\n".join(["# callgrind format", *lines, ""]), "utf-8")
        return tmp_path / name

    return write


def test_a_miss_costs_ten_and_one_of_the_last_level_a_hundred_more(dump):
    """Reads and writes of data, and reads of instructions."""
    file = dump(EVENTS, "summary: 9 9 9 9 9 9 9 9 9", "totals: 1000 50 40 1 2 3 4 5 6")
    assert 1000 + 10 * 6 + 100 * 15 == cycles.estimated([file])


def test_totals_of_zero_may_be_left_out(dump):
    """At the end of the line."""
    assert 1010 == cycles.estimated([dump(EVENTS, "totals: 1000 0 0 1")])


def test_the_least_of_several_files_is_taken(dump):
    """As of instructions."""
    files = [dump(EVENTS, f"totals: {count}", name=f"out.{count}") for count in (12, 11)]
    assert 11 == cycles.estimated(files)


def test_without_simulated_caches_there_is_no_estimate(dump):
    """Nor without a file."""
    assert cycles.estimated([dump("events: Ir", "totals: 1000")]) is None
    assert cycles.estimated([]) is None


def test_caches_are_simulated_only_where_asked_for(tmp_path):
    """They take their time."""
    assert "--cache-sim=yes" in instructions.command(tmp_path, caches=True)
    assert not set(cycles.OPTIONS) & set(instructions.command(tmp_path))
