"""Every second of a run is counted once, under the innermost open phase."""

# the expected value stands on the left

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core import phases
from suite.core.errors import UsageError
from suite.core.phases import NAMES, Phases


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def pass_time(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def account(clock):
    return Phases(clock)


def test_a_nested_phase_takes_its_time_away_from_the_outer_one(account, clock):
    """Compiling inside training is compiling only."""
    with account.phase("training"):
        clock.pass_time(2)
        with account.phase("compiling"):
            clock.pass_time(5)
        clock.pass_time(1)
    assert (3, 5) == (account.totals()["training"], account.totals()["compiling"])


def test_time_outside_every_phase_is_other(account, clock):
    """What no phase claims is the suite's own."""
    clock.pass_time(4)
    with account.phase("timing"):
        clock.pass_time(1)
    assert {"other": 4, "timing": 1} == {name: s for name, s in account.totals().items() if s}


def test_a_phase_ends_when_its_body_raises(account, clock):
    """An error does not leave its phase open."""

    @account.phase("training")
    def fail():
        clock.pass_time(1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    clock.pass_time(3)
    assert (1, 3) == (account.totals()["training"], account.totals()["other"])


def test_an_open_phase_counts_up_to_now(account, clock):
    """Totals can be read while a phase runs."""
    with account.phase("training"):
        clock.pass_time(2)
        assert account.totals()["training"] == 2


def test_reset_starts_from_zero_and_keeps_open_phases_open(account, clock):
    """A reset inside a phase forgets the past only."""
    with account.phase("training"):
        clock.pass_time(2)
        account.reset()
        clock.pass_time(3)
    assert (3, 3) == (account.totals()["training"], account.elapsed())


def test_overhead_leaves_imports_and_fresh_processes_out(account, clock):
    """Overhead is other time over what the suite itself had: 1 of 1 + 3."""
    for name, seconds in (("imports", 50), ("fresh_process", 40), ("training", 3), ("other", 1)):
        with account.phase(name):
            clock.pass_time(seconds)
    assert account.overhead() == 0.25


def test_overhead_of_no_time_at_all_is_zero(account):
    """Nothing divided by nothing is no overhead."""
    assert account.overhead() == 0


def test_an_unknown_phase_is_refused_with_the_nearest_name(account):
    """A typing error does not open a phase of its own."""
    with pytest.raises(UsageError, match="unknown phase 'trainig'; did you mean training"), account.phase("trainig"):
        pass


def test_a_phase_can_decorate_a_function(account, clock):
    """The context manager serves as a decorator."""
    account.phase("timing")(clock.pass_time)(2)
    assert account.totals()["timing"] == 2


def test_the_run_has_one_account_with_all_names():
    """The module's functions read the run's own account."""
    phases.reset()
    with phases.phase("timing"):
        pass
    assert set(NAMES) == set(phases.totals())
    assert phases.elapsed() >= phases.totals()["timing"] > 0
    assert 0 <= phases.overhead() <= 1


steps = st.recursive(
    st.integers(0, 100),
    lambda inner: st.tuples(st.sampled_from(NAMES), st.lists(inner, max_size=3)),
    max_leaves=20,
)


def walk(account, clock, step):
    if isinstance(step, int):
        clock.pass_time(step)
        return step
    with account.phase(step[0]):
        return sum(walk(account, clock, inner) for inner in step[1])


@given(step=steps)
def test_totals_add_up_to_the_elapsed_time(step):
    """However phases nest, no second is lost and none counts twice."""
    clock = Clock()
    account = Phases(clock)
    spent = walk(account, clock, step)
    assert spent == sum(account.totals().values()) == account.elapsed()
