"""What a verdict shows: the stored value, the measured one, the loss and the bound."""
# the expected value stands on the left

from __future__ import annotations

import pytest
from expect_samples import TODAY, expectation, measurement

from suite.gate.judge import judge
from suite.gate.wording import change, comparison


@pytest.mark.parametrize(
    ("measured", "stored", "bound", "words"),
    [
        (measurement("accuracy", 0.8601), 0.9045, 0.8615, "90.45 % -> 86.01 %, -4.4 points, bound 86.15 %"),
        (measurement("accuracy", 0.98330), 0.98335, 0.98333, "98.335 % -> 98.330 %, -0.005 points, bound 98.333 %"),
        (
            measurement("accuracy_vs_control", -0.021),
            -0.001,
            -0.006,
            "-0.10 points -> -2.10 points, -2.0 points, bound -0.60 points",
        ),
        (measurement("latency_p50", 0.02), 0.01, 0.015, "0.01 s -> 0.02 s, +100.0 %, bound 0.015 s"),
        (measurement("parameters", 225035.0), 225034, 225034, "225034 -> 225035, +1 (+0.00044 %), bound 225034"),
        (
            measurement("artefact_bytes", 910000.0),
            900736,
            900736,
            "900736 B -> 910000 B, +9264 B (+1.0 %), bound 900736 B",
        ),
        (measurement("output_error", 2e-5), 0.0, 1e-5, "0 -> 2e-05, +2e-05, bound 1e-05"),
        (measurement("mean_squared_error", 5.0), 4.0, 4.2, "4 -> 5, +25.0 %, bound 4.2"),
        (
            measurement("speedup", 1.65, low=1.64, high=1.66),
            2.0,
            1.69,
            "2 -> 1.65 [1.64, 1.66], -17.5 %, bound 1.69",
        ),
    ],
)
def test_a_comparison_shows_value_loss_and_bound(measured, stored, bound, words):
    """In points of a share, in counts of a size, else in percent of the stored value."""
    assert words == comparison(measured, stored, bound)


def test_what_the_interval_holds_is_said():
    """Such a verdict is inconclusive."""
    entry = expectation("speedup", 2.0, low=1.69)
    found = judge(measurement("speedup", 1.7, low=1.6, high=1.8, n=100), entry, quiet=True, today=TODAY)
    assert "2 -> 1.7 [1.6, 1.8], -15.0 %, its interval contains the bound 1.69" in found.reason


def test_a_change_of_nothing_is_shown_as_such():
    """And of a stored zero there is no share."""
    assert "+0.0 points" == change(measurement("accuracy", 0.9), 0.9)
    assert "+0.5 s" == change(measurement("latency_p50", 0.5), 0.0)


def test_fewer_seeds_are_shown_beside_the_value_of_the_same_seeds():
    """Not beside the mean of all."""
    entry = expectation("accuracy", 0.97, low=0.965, seeds=2, by_seed={0: 0.98, 1: 0.96})
    found = judge(measurement("accuracy", 0.9, seeds=(0,), n=360), entry, quiet=True, today=TODAY)
    assert found.reason.startswith("98.00 % -> 90.00 %, -8.0 points, bound 97.50 %")
