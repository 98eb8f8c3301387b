"""Logs of one training: what is before the cooldown, which columns tell, and how much wider intervals are."""
# the expected value stands on the left

import numpy as np
import pytest
from forecasts import NEXT, SIZES, accuracy, loss

from suite.curves.forecasting import extrapolate
from suite.curves.forecasting.schedule import at, before_cooldown, is_rate, is_training_time, usable

STEPS = np.arange(1.0, 101.0)
SCHEDULES = {
    "constant": (np.ones(100), 100),
    "warm-up": (np.minimum(1, STEPS / 10), 100),
    "warm-up, stable, decay": (np.minimum(1, np.minimum(STEPS / 10, (101 - STEPS) / 20)), 83),
    "linear": ((100 - STEPS) / 100, 10),
    "cosine": ((1 + np.cos(np.pi * STEPS / 100)) / 2, 20),
    "warm restarts": (1 - (STEPS - 1) % 25 / 25, 78),
    "steps": (np.where(STEPS <= 60, 1.0, 0.1), 60),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_points_at_nine_tenths_of_the_highest_rate_are_before_the_cooldown(name):
    rate, last = SCHEDULES[name]
    assert last == np.count_nonzero(before_cooldown(STEPS, rate))


@pytest.mark.parametrize("name", ["lr", "learning_rate", "train/lr", "lr-AdamW", "learningRate", "LR", "run 1 - lr"])
def test_a_learning_rate_is_known_by_its_name(name):
    assert is_rate(name)


@pytest.mark.parametrize("name", ["loss", "lrx", "learning", "rate", "clr"])
def test_other_columns_are_no_learning_rate(name):
    assert not is_rate(name)


def test_steps_and_epochs_are_the_time_of_a_training():
    """Amounts of data, parameters and compute are of trainings of their own."""
    assert all(map(is_training_time, ["step", "epoch", "global_step", "Step", "train/epoch", "iterations"]))
    assert not any(map(is_training_time, ["amount", "tokens", "samples", "parameters", "flops", "width"]))


def test_a_rate_logged_at_steps_of_its_own_is_interpolated():
    """Repeated ones are averaged; outside counts the nearest."""
    own = np.array([10.0, 30, 30]), np.array([1.0, 0.4, 0.6])
    assert [1, 0.75, 0.5, 0.5] == at(np.array([5.0, 20, 30, 40]), own).tolist()


def test_what_is_usable_depends_on_what_is_known():
    """Annealed points all, a log with a rate before its cooldown, without a rate with a warning."""
    pair = (STEPS, SCHEDULES["steps"][0])
    assert 100 == usable("step", STEPS, pair, annealed=True).kept.sum()
    before = usable("step", STEPS, pair, annealed=False)
    assert (60, False) == (before.kept.sum(), before.annealed)
    blind = usable("step", STEPS, None, annealed=False)
    assert (100, False) == (blind.kept.sum(), blind.annealed)
    assert "give --lr COLUMN, or --annealed" in blind.notes[0]
    assert usable("tokens", STEPS, None, annealed=False).annealed


@pytest.mark.parametrize(("kind", "wider"), [("accuracy", 1.1), ("loss", 1.7)])
def test_intervals_of_a_log_are_wider_in_their_space(kind, wider):
    """By a constant chosen on logs; the mean is the same."""
    y = accuracy() if kind == "accuracy" else loss()
    own, log = (extrapolate(SIZES, y, to=NEXT, kind=kind, annealed=each) for each in (True, False))
    assert own.mean.tolist() == log.mean.tolist()

    def z(value):
        return np.log((value + 0.003) / (1.003 - value)) if kind == "accuracy" else np.log(value)

    assert pytest.approx(wider * (z(own.high) - z(own.low))) == z(log.high) - z(log.low)
