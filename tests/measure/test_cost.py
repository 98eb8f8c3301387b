"""The cost of training over seeds."""
# the expected value stands on the left

import numpy as np
import pytest
from score_samples import ACCURACY, compared, seed_of

from suite.core.machine.energy_window import EnergyReading
from suite.measure.scoring.cost import training_cost


def reading(joules, *, epochs=2, reason=""):
    return EnergyReading(
        state="invalid" if reason else "valid", joules=joules, calls=epochs, periods=50, seconds=1.0, reason=reason
    )


def energies(*readings, to_target=None):
    reached = to_target or [None] * len(readings)
    outcomes = [
        seed_of(seed, ACCURACY, [1], energy=found, energy_to_target=until)
        for seed, (found, until) in enumerate(zip(readings, reached, strict=True))
    ]
    return {one.metric: one for one in training_cost(compared(outcomes)) if one.unit == "J"}


def costs(*seconds, to_target=None):
    reached = to_target or [None] * len(seconds)
    outcomes = [
        seed_of(seed, ACCURACY, [1], seconds=spent, seconds_to_target=until)
        for seed, (spent, until) in enumerate(zip(seconds, reached, strict=True))
    ]
    return {one.metric: one for one in training_cost(compared(outcomes))}


def test_training_cost_is_the_mean_over_seeds_with_relative_noise():
    """Seconds of two seeds, and their deviation as a share of the mean."""
    found = costs(1.0, 3.0)["train_seconds"]
    assert (2.0, 2, (0, 1)) == (found.value, found.n, found.seeds)
    assert pytest.approx(np.sqrt(2) / 2) == found.noise
    assert found.low < 2.0 < found.high


def test_one_seed_has_neither_noise_nor_interval():
    """Nothing is known of a spread, and nothing is claimed."""
    found = costs(1.0)["train_seconds"]
    assert (None, None, None, None) == (found.noise, found.low, found.high, found.confidence)


def test_time_to_target_is_absent_unless_every_seed_reached_it():
    """A mean over the seeds that happened to reach it would flatter."""
    assert 0.5 == costs(1.0, to_target=[0.5])["time_to_target"].value
    assert "time_to_target" not in costs(1.0, 1.0, to_target=[0.5, None])


def test_the_energy_of_an_epoch_is_the_mean_over_seeds():
    """4 and 8 J of two epochs each."""
    found = energies(reading(4.0), reading(8.0))["energy_per_epoch"]
    assert (3.0, (2.0, 4.0), "J", None) == (found.value, found.by_seed, found.unit, found.suspect)
    assert "at least 50 periods of the counter" in found.note


def test_the_energy_to_the_target_is_there_if_every_seed_reached_it():
    one, other = reading(4.0), reading(8.0)
    assert 6.0 == energies(one, other, to_target=[one, other])["energy_to_target"].value
    assert {"energy_per_epoch"} == energies(one, other, to_target=[one, None]).keys()


def test_an_invalid_reading_of_one_seed_makes_the_mean_suspect_with_its_reason():
    """It is not absent, and nothing is judged by it."""
    found = energies(reading(4.0), reading(8.0, reason="the driver is gone"))["energy_per_epoch"]
    assert (3.0, "invalid: the driver is gone") == (found.value, found.suspect)


def test_without_a_reading_of_every_seed_there_is_no_energy():
    """Nor for an epoch of what was not trained."""
    assert {} == energies(reading(4.0), None)
    assert {} == energies(reading(4.0, epochs=0))
