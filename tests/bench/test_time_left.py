"""How far a run is: the cell at hand and the time of the others, at the pace so far."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest

from suite.bench import time_left
from suite.bench.time_left import Place, place_of, seconds_left


def run_of(*, done=(), left=(), seconds=(60.0, 60.0, 120.0)):
    """Cells a, b, c of one group each."""
    estimates = {name: SimpleNamespace(seconds=value) for name, value in zip("abc", seconds, strict=True)}
    budget = SimpleNamespace(found=estimates, left=dict.fromkeys(left, "too long"))
    return SimpleNamespace(budget=budget, planned=dict.fromkeys("abc", ("size",)), done={(n, "size") for n in done})


@pytest.mark.parametrize(
    ("expected", "done", "elapsed"), [(240.0, [], 0.0), (200.0, [], 40.0), (0.0, [], 300.0), (135.0, [60.0], 105.0)]
)
def test_the_rest_is_scaled_by_the_pace_so_far(expected, done, elapsed):
    """Half of the cell at hand is taken to be over: 105 s for 60 + 45 estimated ones, so 135 s are left."""
    assert expected == pytest.approx(seconds_left([60.0, 60.0, 120.0], done, elapsed))


def test_a_run_twice_as_slow_as_its_estimates_has_twice_the_rest():
    assert 2 * seconds_left([60.0] * 4, [60.0], 90.0) == pytest.approx(seconds_left([60.0] * 4, [60.0], 180.0))


def test_cells_that_were_done_at_once_say_nothing_about_the_pace():
    """A resumed run has them."""
    assert 50.0 == seconds_left([0.0, 60.0], [0.0], 10.0)


def test_before_the_first_cell_all_of_the_estimate_is_left(monkeypatch):
    monkeypatch.setattr(time_left, "phases", SimpleNamespace(elapsed=lambda: 0.0))
    assert Place(done=0, cells=3, seconds=240.0) == place_of(run_of())


def test_cells_that_are_left_out_are_not_counted(monkeypatch):
    monkeypatch.setattr(time_left, "phases", SimpleNamespace(elapsed=lambda: 90.0))
    assert Place(done=1, cells=2, seconds=30.0) == place_of(run_of(done="a", left="c"))


@pytest.mark.parametrize("run", [SimpleNamespace(budget=None), run_of(done="abc")])
def test_nothing_is_said_before_the_plan_and_after_the_last_cell(run):
    assert place_of(run) is None
