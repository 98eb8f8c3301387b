"""The cost of training over seeds."""
# the expected value stands on the left

import numpy as np
import pytest
from score_samples import ACCURACY, compared, seed_of

from suite.measure.scoring.cost import training_cost


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
