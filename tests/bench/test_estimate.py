"""How long a run will take: what runs of the same groups took, at most what larger ones did, else a guess."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from suite.bench.estimate import GUESS, Estimate, estimates, fitting, forecast, minutes
from suite.core.records import GROUPS
from suite.report.results.durations import Past

REGISTRY = tiny.registry()
NAMES = ("nhwc", "baseline", "halved(epochs=1)", "wrapped")
CASES = [tiny.case_of(REGISTRY, name) for name in NAMES]
NHWC, BASELINE, HALVED, WRAPPED = CASES
SPEED = ("speed",)


def past(day, case, *, reuse=False, **seconds):
    return Past(day=day, reuse=reuse, seconds={case.cell: seconds})


WHOLE = past("2026-11-24", NHWC, quality=10.0, size=1.0, speed=4.0, memory=1.0)
PART = past("2026-11-23", NHWC, speed=7.0)
REUSED = past("2026-11-22", NHWC, reuse=True, speed=3.0)


@pytest.mark.parametrize(
    ("expected", "groups", "reuse", "history"),
    [
        (16.0, GROUPS, False, [WHOLE, PART]),
        (7.0, SPEED, False, [WHOLE, PART]),
        (16.0, SPEED, False, [WHOLE, REUSED]),
        (3.0, SPEED, True, [WHOLE, PART, REUSED]),
        (16.0, SPEED, True, [WHOLE, PART]),
        (7.0, SPEED, True, [PART]),
        (sum(GUESS.values()), GROUPS, False, [PART, REUSED]),
        (GUESS["speed"], SPEED, False, [REUSED]),
    ],
)
def test_a_cell_takes_what_a_run_of_the_same_groups_took(expected, groups, reuse, history):
    """Else what a run of more groups, or one without reuse, took at most: training went with its first group."""
    assert expected == estimates({NHWC: groups}, history, reuse=reuse)[NHWC].seconds


def test_the_newest_run_counts():
    """History comes newest first."""
    found = estimates({NHWC: SPEED}, [past("2026-11-25", NHWC, speed=1.0), PART])[NHWC]
    assert Estimate(seconds=1.0, day="2026-11-25") == found


def test_a_new_cell_is_guessed_from_the_others_of_its_workload():
    """The middle one of those that have a history."""
    history = [past("2026-11-24", case, speed=one) for case, one in ((NHWC, 1.0), (BASELINE, 2.0), (HALVED, 9.0))]
    found = estimates(dict.fromkeys(CASES, SPEED), history)
    assert Estimate(seconds=2.0) == found[WRAPPED]


@pytest.mark.parametrize(
    ("expected", "groups", "processes", "compiles"),
    [
        (18.0, GROUPS, 1, False),
        (18.0 + 60.0, GROUPS, 1, True),
        (18.0 + 4 * 22.0, GROUPS, 5, False),
        (8.0, ("quality", "size", "memory"), 5, True),
    ],
)
def test_a_guess_on_an_accelerator_knows_of_compilers_and_processes(expected, groups, processes, compiles):
    """Training is short there, starting a process is not; a run that times nothing starts none."""
    composition = replace(NHWC.composition, members=((_compiled(), {}),)) if compiles else NHWC.composition
    case = replace(NHWC, cell=replace(NHWC.cell, device="cuda:1"), composition=composition)
    assert compiles is case.compiles
    assert Estimate(seconds=expected) == estimates({case: groups}, [], processes=processes)[case]


@pytest.mark.parametrize(
    ("expected", "groups", "options"),
    [
        (sum(GUESS.values()) + 4 * 22.0, GROUPS, {"processes": 5}),
        (2.0, ("size",), {"processes": 5}),
        (15.0, GROUPS, {"quick": True}),
        (15.0 + 22.0, GROUPS, {"quick": True, "processes": 2}),
    ],
)
def test_a_guess_on_a_cpu_knows_of_processes_and_of_the_quick_profile(expected, groups, options):
    """A first quick run was told to take four times as long as it did."""
    assert expected == estimates({NHWC: groups}, [], **options)[NHWC].seconds


def _compiled():
    made = tiny.registry()

    @made.technique(slots=("deploy",), needs=("compiler",))
    def compiled_too(plain):
        return plain

    return made.techniques["compiled_too"]


def test_what_a_resumed_run_has_takes_no_time():
    """No group of the cell is wanted, so nothing has to be guessed."""
    found = estimates({NHWC: (), BASELINE: SPEED}, [past("2026-11-24", BASELINE, speed=3.0)])
    assert 0.0 == found[NHWC].seconds
    assert "2 cells: about 3 s by the run of 2026-11-24" == forecast(found)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("2 cells: about 42 min by the run of 2026-11-24", [(2400.0, "2026-11-24"), (120.0, "2026-11-24")]),
        (
            "2 cells: about 1.5 min by runs of 2026-11-20 to 2026-11-24",
            [(30.0, "2026-11-24"), (60.0, "2026-11-20")],
        ),
        (
            "2 cells: about 50 s by the run of 2026-11-24; 1 of them has no history and is guessed",
            [(30.0, "2026-11-24"), (20.0, "")],
        ),
        (
            "2 cells: about 50 s (a guess: the reports have no earlier run like this one)",
            [(30.0, ""), (20.0, "")],
        ),
        ("2 cells: about 1 s by what is left", [(0.0, "-"), (0.0, "-")]),
    ],
)
def test_the_forecast_says_how_it_knows(expected, found):
    """From one run, from several, with guesses, or from guesses alone."""
    assert expected == forecast(dict(zip(CASES, (Estimate(seconds=s, day=day) for s, day in found), strict=False)))


@pytest.mark.parametrize(
    ("expected", "seconds"), [("1 s", 0.2), ("59 s", 59.0), ("9.5 min", 570.0), ("42 min", 2520.0)]
)
def test_durations_are_said_as_people_say_them(expected, seconds):
    assert expected == minutes(seconds)


def of(*seconds):
    return dict(zip(CASES, (Estimate(seconds=one) for one in seconds), strict=True))


def test_baselines_come_first_then_the_order_of_the_run():
    """What is taken stays in the run's order; one that is too long makes room for a shorter one."""
    assert [BASELINE] == fitting(of(5.0, 5.0, 5.0, 5.0), 9.0)
    assert [NHWC, BASELINE] == fitting(of(5.0, 5.0, 5.0, 5.0), 10.0)
    assert [NHWC, BASELINE, WRAPPED] == fitting(of(2.0, 5.0, 50.0, 2.0), 10.0)
    assert [] == fitting(of(5.0, 5.0, 5.0, 5.0), 1.0)


@given(seconds=st.lists(st.floats(0, 100), min_size=4, max_size=4), budget=st.floats(0, 400))
def test_what_fits_fits_and_nothing_more_would(seconds, budget):
    """The chosen cells keep to the budget; no cell that was left out would still have found room."""
    found = of(*seconds)
    taken = fitting(found, budget)
    spent = sum(found[case].seconds for case in taken)
    assert spent <= budget + 1e-9
    assert all(spent + found[case].seconds > budget - 1e-9 for case in CASES if case not in taken)
