"""What a gate can find: wider bounds, intervals and noise cost sight; a simulated loss of that size is found."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest
from expect_samples import MACHINE, UNTIMED, expectation, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.core.stats.intervals import wilson
from suite.gate.power import detectable, spread_of, too_tight

SHARES = st.floats(0.0, 0.1)


def entry(**changes):
    return expectation("speedup", 2.0, **{"level": MACHINE, "low": 1.96, "noise": 0.005, **changes})


def measured(half=0.01, value=2.0, **changes):
    return measurement("speedup", value, low=value * (1 - half), high=value * (1 + half), **changes)


def test_it_is_the_way_to_the_bound_the_half_width_and_the_noise():
    """2 % + 1 % + 2.326 * 0.5 %."""
    assert pytest.approx(0.04163, abs=1e-5) == detectable(measured(), entry())


@UNTIMED
@given(SHARES, SHARES, SHARES, st.floats(1.01, 2))
def test_whatever_grows_costs_sight(bound, half, noise, more):
    """A wider bound, a wider interval, more noise: the least loss that is found never falls."""
    base = detectable(measured(half), entry(low=2 * (1 - bound), noise=noise))
    for one, stored in (
        (measured(half * more), entry(low=2 * (1 - bound), noise=noise)),
        (measured(half), entry(low=2 * (1 - bound * more), noise=noise)),
        (measured(half), entry(low=2 * (1 - bound), noise=noise * more)),
    ):
        assert base <= detectable(one, stored) + 1e-12


def test_a_loss_of_that_size_is_found_with_that_power():
    """10,000 simulated runs: the share that lies wholly below the bound is 99 %."""
    stored, half = entry(noise=0.01), 0.008
    loss = detectable(measured(half), stored)
    values = np.random.default_rng(0).normal(2.0 * (1 - loss), 2.0 * 0.01, 10_000)
    found = np.mean(values + 2.0 * half < stored.low)
    assert pytest.approx(0.99, abs=0.004) == found


def test_runs_that_differ_more_than_processes_count():
    """Hours that saw 2.0 and 1.8 spread by 7 % of their value; machines that differ are no drift."""
    assert pytest.approx(0.0707, abs=1e-4) == spread_of(entry(seen={"2026-11-24T10:00": 2.0, "before": 1.8}))
    assert 0.005 == spread_of(entry(seen={MACHINE: 2.0, "cpu-x86_64-other": 1.0}))


@pytest.mark.parametrize(
    ("one", "stored"),
    [
        (measured(), None),
        (measured(), entry(low=None)),
        (measured(), entry(noise=None)),
        (measurement("speedup", 2.0), entry()),
        (measurement("parameters", 2.0, low=1.0, high=3.0), expectation("parameters", 2, low=1, noise=0.1)),
    ],
    ids=["no entry", "no bound", "no noise", "no interval", "no ratio"],
)
def test_where_no_interval_is_gated_nothing_is_said(one, stored):
    """Better than a figure that means nothing."""
    assert detectable(one, stored) is None


def test_a_bound_that_noise_alone_breaks_is_too_tight():
    """Written by hand, three sigma above what one run of a thousand needs."""
    assert "2 standard deviations of 5 processes below 2" in too_tight(entry(noise=0.01, low=1.96, processes=5))
    assert "" == too_tight(entry(noise=0.01, low=1.9, processes=5))
    assert "" == too_tight(entry(noise=0.01, low=None, high=3.0))


def test_runs_count_where_there_are_several():
    """Processes of one hour agree, hours do not."""
    hours = {"2026-11-24T10:00": 2.0, "2026-11-25T10:00": 1.8, "before": 2.2}
    assert "of 3 runs below" in too_tight(entry(noise=0.001, low=1.75, seen=hours))
    assert "" == too_tight(entry(noise=0.001, low=1.38, seen=hours))


SHARE = measurement("accuracy", 0.99, n=359, confidence=0.95, share=True)
STORED = expectation("accuracy", 0.99, level="any", low=0.982)


def share(value=0.99, n=359):
    low, high = wilson(value * n, n, 0.95)
    return replace(SHARE, value=value, n=n, low=low, high=high)


@pytest.mark.parametrize(("n", "loss"), [(359, 0.0202), (1797, 0.0121), (10**7, 0.00805)])
def test_the_loss_of_a_share_that_is_found_falls_with_the_items(n, loss):
    """A margin of 0.8 points: 359 images find 2 points, and no number finds the margin itself."""
    assert pytest.approx(loss, abs=2e-4) == detectable(share(n=n), STORED)


@pytest.mark.parametrize("n", [359, 1797])
def test_answers_that_turn_wrong_at_that_rate_are_found_with_that_power(n):
    """10,000 simulated runs: at most 5 %, by more than chance and the normal approximation, pass."""
    loss = detectable(share(n=n), STORED)
    values = 0.99 - np.random.default_rng(0).binomial(n, loss, 10_000) / n
    assert np.mean(values >= 0.982) < 0.07


def test_only_shares_of_items_have_such_a_loss():
    """A score that is not right or wrong item by item, or has no bound, says nothing of its power."""
    assert detectable(share(), replace(STORED, low=None, high=1.0)) is None
    assert detectable(replace(share(), share=False), STORED) is None
