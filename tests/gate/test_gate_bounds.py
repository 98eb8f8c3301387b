"""Bounds follow from the noise, and never exclude their own value."""
# the expected value stands on the left

from __future__ import annotations

import math

import pytest
from expect_samples import UNTIMED, all_metrics, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.gate import propose
from suite.gate.bounds import mirrored, stored_value


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
        (measurement("accuracy_worst_seed", 0.97), (0.95, None)),
        (measurement("accuracy_worst_seed", 0.97, noise=0.001, seeds=(0, 1, 2, 3)), (0.96, None)),
        (measurement("accuracy_vs_control", -0.001), (-0.021, None)),
        (measurement("accuracy_vs_control", -0.001, noise=0.001, seeds=(0, 1)), (-0.006, None)),
        (measurement("speedup", 2.24, noise=0.0075, processes=5), (2.043, None)),
        (measurement("speedup", 2.0, noise=0.001, processes=3), (1.77, None)),
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


def test_counts_stay_whole_numbers():
    """A file says 1234567 parameters, not 1.23457e6."""
    assert "1234567" == repr(stored_value(measurement("parameters", 1234567.0)))
    assert "2.34568" == repr(stored_value(measurement("speedup", 2.3456789)))
    assert "[1209000, 1260000]" == repr(list(propose(measurement("artefact_bytes", 1234567.0, tier="portable"))))
