"""Bounds follow from the noise, and never exclude their own value."""
# the expected value stands on the left

from __future__ import annotations

import math

import pytest
from expect_samples import UNTIMED, all_metrics, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.gate import propose
from suite.gate.bounds import around, below, knows_processes, mirrored, over_hours, short, stored_value


@pytest.mark.parametrize(
    ("measured", "bounds"),
    [
        (measurement("parameters", 123457.0), (123457, 123457)),
        (measurement("artefact_bytes", 123457.0), (123457, 123457)),
        (measurement("artefact_bytes", 100000.0, tier="portable"), (98000, 102000)),
        (measurement("entropy_bytes", 100000.0), (None, 102000)),
        (measurement("entropy_bytes", 812.0), (None, 829)),
        (measurement("accuracy", 0.97, noise=0.001, seeds=(0, 1, 2, 3)), (0.965, None)),
        (measurement("accuracy", 0.97, noise=0.01, seeds=(0, 1, 2, 3)), (0.95, None)),
        (measurement("accuracy", 0.97), (0.95, None)),
        (measurement("accuracy", 0.97, noise=0.01, seeds=(0,)), (0.93, None)),
        (measurement("accuracy", 0.97, noise=0.0, seeds=(0, 1)), (0.965, None)),
        (measurement("accuracy", 0.97, noise=math.inf, seeds=(0, 1)), (0.95, None)),
        (measurement("accuracy", 0.98, noise=0.0, seeds=(0, 1), share=True, n=100), (0.9504, None)),
        (measurement("accuracy", 0.98, noise=0.0, seeds=(0, 1), share=True, n=100_000), (0.975, None)),
        (measurement("accuracy_worst_seed", 0.97), (0.95, None)),
        (measurement("accuracy_worst_seed", 0.97, noise=0.001, seeds=(0, 1, 2, 3)), (0.96, None)),
        (measurement("accuracy_vs_control", -0.001), (-0.021, None)),
        (measurement("mean_squared_error", 4e-5, low=-2e-4, high=3e-4), (None, 0.0003)),  # one seed: of its interval
        (measurement("mean_squared_error", 0.1, low=0.099, high=0.101), (None, 0.104)),
        (measurement("accuracy_vs_control", -0.001, noise=0.001, seeds=(0, 1)), (-0.006, None)),
        (measurement("speedup", 2.24, noise=0.0075, processes=5), (2.043, None)),
        (measurement("speedup", 2.0, noise=0.001, processes=3), (1.77, None)),
        (measurement("train_step_speedup", 2.0, noise=0.001, processes=3), (1.858, None)),
        (measurement("speedup", 2.0, noise=0.001, processes=2), (1.459, None)),
        (measurement("speedup", 2.0, noise=0.001, processes=3, margin=0.3), (1.7, None)),
        (measurement("speedup", 2.0), (1.459, None)),
        (measurement("speedup", 2.0, noise=math.nan), (1.459, None)),
        (measurement("speedup", 1.0, noise=0.002, processes=3), (0.9737, None)),
        (measurement("speedup", 1.0, noise=0.02, processes=5), (0.9116, None)),
        (measurement("throughput", 1000.0), (500, None)),
        (measurement("nonzero_parameters", 226188.0, margin=226.2), (225900, 226500)),
        (measurement("parameters", 167076.0, tier="portable", margin=3456.0), (163600, 170600)),
        (measurement("artefact_bytes", 2610115.0, tier="family"), (2557000, 2663000)),
        (measurement("device_share", 0.8), (0.4, None)),
        (measurement("latency_p50", 0.01), (None, 0.02)),
        (measurement("latency_p50", 0.01, noise=0.3), (None, 0.022)),
        (measurement("compile_seconds_cold", 10.0), (None, 20)),
        (measurement("train_seconds", 10.0), (None, 20)),
        (measurement("time_to_target", 10.0, noise=0.2), (None, 20)),
        (measurement("peak_memory_inference", 1000.0), (None, 1050)),
        (measurement("held_memory_training", 1000.0), (None, 1050)),
        (measurement("accuracy", 0.97, noise=0.001, seeds=(0, 1, 2, 3), margin=0.02), (0.95, None)),
        (measurement("accuracy", 0.97, noise=0.001, seeds=(0, 1, 2, 3), margin=0.002), (0.968, None)),
        (measurement("accuracy_worst_seed", 0.97, noise=0.001, seeds=(0, 1, 2, 3), margin=0.02), (0.93, None)),
        (measurement("accuracy", 0.97, margin=0.02), (0.89, None)),
        (measurement("mean_squared_error", 400.0, noise=0.001, seeds=(0, 1)), (None, 404)),
        (measurement("mean_squared_error", 400.0, noise=0.001, seeds=(0, 1), margin=20.0), (None, 420)),
        (measurement("mean_squared_error", 400.0), (None, 416)),
        (measurement("bits_per_byte", 2.0, noise=0.03, seeds=(0, 1, 2, 3)), (None, 2.06)),
        (measurement("output_error", 0.001), (None, 0.003)),
        (measurement("output_error", 1e-6), (None, 1.1e-5)),
        (measurement("output_error", 0.0), (None, 1e-5)),
        (measurement("output_error", 0.00012345), (None, 0.0003704)),
    ],
)
def test_bounds_by_tier_and_noise(measured, bounds):
    """The margins of each tier, outward to four digits."""
    assert bounds == propose(measured)


@pytest.mark.parametrize(
    ("measured", "runs", "bounds"),
    [
        (measurement("speedup", 1.0), [1.0, 2.0], (-0.6921, None)),  # 3.1 deviations below their mean
        (measurement("throughput", 1100.0), [1000.0, 1100.0], (500, None)),  # half of the least run
        (measurement("speedup", 2.0, noise=0.001, processes=5, better="lower"), [2.0, 2.1], (None, 2.27)),
        (measurement("speedup", 2.0, noise=0.05, processes=5, better="lower"), [2.0, 2.001], (None, 2.401)),
    ],
)
def test_bounds_over_hours_stand_away_from_every_run_and_from_their_mean(measured, runs, bounds):
    """By the noise from the least and the greatest, by the spread from the mean: the farther counts."""
    assert bounds == over_hours(measured, runs)


def test_a_ratio_with_unknown_noise_stands_five_percent_away():
    """With a known one as near as one percent."""
    assert (1.9, None) == around(measurement("speedup", 2.0), 2.0, 2.0)
    assert (1.98, None) == around(measurement("speedup", 2.0, noise=0.001, processes=3), 2.0, 2.0)


@pytest.mark.parametrize(
    ("value", "noise", "bound"), [(2.0, 0.01, 1.92), (-2.0, 0.01, -2.08), (1.23456, 0.001, 1.229), (2.0, 0.0, 2.0)]
)
def test_a_lower_bound_is_four_deviations_below_the_value(value, noise, bound):
    """The noise is relative; four digits, outward."""
    assert bound == below(value, noise)


@pytest.mark.parametrize(
    ("noise", "processes", "known"), [(0.01, 3, True), (0.01, 2, False), (None, 3, False), (math.inf, 3, False)]
)
def test_noise_over_processes_is_known_from_three_on(noise, processes, known):
    """If there is any, and it is finite."""
    assert known is knows_processes(measurement("speedup", 2.0, noise=noise, processes=processes))


@UNTIMED
@given(st.sampled_from(all_metrics()), st.floats(-1e9, 1e9), st.none() | st.floats(0, 2), st.integers(0, 5))
def test_bounds_never_exclude_the_stored_value(name, value, noise, seeds):
    """Whatever was measured, what is written can be read back."""
    measured = measurement(name, value, noise=noise, seeds=tuple(range(seeds)))
    low, high = propose(measured)
    assert (low, high) != (None, None)
    assert low is None or low <= stored_value(measured)
    assert high is None or stored_value(measured) <= high


@UNTIMED
@given(st.floats(1e-6, 1e6), st.floats(0.01, 1))
def test_a_mirrored_bound_is_as_far_away_on_the_other_side(value, share):
    """Up to the rounding outward to four digits."""
    low = value * (1 - share)
    assert value + (value - low) <= mirrored(value, low) * (1 + 1e-9)
    assert mirrored(value, low) <= (value + (value - low)) * 1.002


@pytest.mark.parametrize(
    ("value", "bound", "other"),
    [
        (1000, 990, "1010"),
        (10004, 10000, "10010"),
        (10004, 10008, "10000"),
        (100, 97.5, "102.5"),
        (1.0, 1.00004, "0.9999"),
    ],
)
def test_a_mirrored_bound_is_rounded_away_from_the_value(value, bound, other):
    """Four digits; it is a whole number only if the value and the bound are."""
    assert other == repr(mirrored(value, bound))


def test_counts_stay_whole_numbers():
    """A file says 1234567 parameters, not 1.23457e6."""
    assert "1234567" == repr(stored_value(measurement("parameters", 1234567.0)))
    assert "2.34568" == repr(stored_value(measurement("speedup", 2.3456789)))
    assert "2.0" == repr(stored_value(measurement("speedup", 2.0)))
    assert ["1234567", "2.34568"] == [repr(short(1234567)), repr(short(2.3456789))]
    assert "[None, 1052]" == repr(list(propose(measurement("peak_memory_inference", 1001.0))))
    assert "[1209000, 1260000]" == repr(list(propose(measurement("artefact_bytes", 1234567.0, tier="portable"))))


def test_an_exact_figure_is_stored_with_all_its_digits():
    """A share of zeros as it was counted."""
    assert 0.123456789 == stored_value(measurement("speedup", 0.123456789, tier="exact"))
    assert 0.123457 == stored_value(measurement("speedup", 0.123456789, tier="family"))
