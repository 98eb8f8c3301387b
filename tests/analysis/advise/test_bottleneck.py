"""What limits a step: the decision on recorded profiles, and its arithmetic."""
# the expected value stands on the left

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import CEILINGS
from recorded import MILLI, operator, recording

from suite.analysis.profile.bottleneck import LIMITS, amdahl, analyse, kernel, shares, split, verdict
from suite.core.errors import UsageError

PRODUCTS = operator(ms=9, flops=8e8, moved=1e6)  # 8 ms at the ceiling of 100 GFLOP/s
COPIES = operator("aten::copy_", ms=9, moved=5e7)  # 5 ms at the ceiling of 10 GB/s
TINY = operator(calls=1000, ms=6, flops=1e6, moved=1e6)
SORT = operator("aten::sort", ms=9, moved=1e6)  # 0.1 ms at the ceiling
SITUATIONS = {
    "data-bound": recording(PRODUCTS, data=30),
    "launch-bound": recording(TINY),
    "memory-bound": recording(COPIES),
    "compute-bound": recording(PRODUCTS),
    "unclear": recording(replace(PRODUCTS, seconds=4 * MILLI), replace(COPIES, seconds=4 * MILLI), data=4),
}


@pytest.mark.parametrize("expected", SITUATIONS)
def test_each_bottleneck_has_its_name(expected):
    """And steady rounds leave no doubt."""
    found = analyse(SITUATIONS[expected], CEILINGS)
    assert expected == found.verdict
    assert found.certainty == 1


def test_what_neither_ceiling_explains_is_no_bottleneck_that_is_named():
    """Sorting 1 MB in 9 ms is neither arithmetic nor traffic."""
    found = analyse(recording(SORT), CEILINGS)
    assert "unclear" == found.verdict
    assert found.shares["unexplained"] > 0.85
    assert found.most_speedup is None


def test_a_step_of_which_nine_tenths_vanish_is_at_most_ten_times_as_fast():
    """Amdahl's law, on the numbers of a step."""
    found = analyse(recording(data=9, compute=1), CEILINGS)
    assert "data-bound" == found.verdict
    assert pytest.approx(10) == found.most_speedup


def test_slow_rounds_that_the_profiler_did_not_see_are_noise():
    """A profiler can only slow a step."""
    found = analyse(recording(PRODUCTS, compute=40, profiled=10), CEILINGS)
    assert "compute-bound" == found.verdict
    assert pytest.approx(10.1 * MILLI) == found.step


def test_kernels_that_seem_longer_than_the_step_are_scaled_to_it():
    """The profiler slowed them."""
    found = analyse(recording(PRODUCTS, compute=6, profiled=10, data=0), CEILINGS)
    assert pytest.approx(6 * MILLI) == found.seconds["arithmetic"]
    assert 0 == found.seconds["launch"]


def test_an_accelerators_idle_time_is_the_hosts():
    """Kernels of 2 ms in a step of 10: the device waits for launches, and no dispatch is taken off its kernels."""
    found = analyse(recording(replace(PRODUCTS, seconds=2 * MILLI, flops=1e8), device="cuda"), CEILINGS)
    assert "launch-bound" == found.verdict
    assert pytest.approx(2 * MILLI) == found.seconds["arithmetic"]


def test_half_precision_has_its_own_ceiling():
    """1 GFLOP of bfloat16 takes 5 ms at 200 GFLOP/s, 80 MB 8 ms; of float32 they would take 10 ms."""
    both = {"flops": 1e9, "moved": 8e7, "ms": 12}
    assert "memory" == kernel(operator(dtype="bfloat16", **both), CEILINGS, 0.0).limit
    assert "arithmetic" == kernel(operator(dtype="float32", **both), CEILINGS, 0.0).limit


def test_rounds_that_disagree_make_the_verdict_uncertain():
    """Half of the rounds wait for data."""
    mixed = replace(recording(PRODUCTS), data=(1e-4, 3e-2) * 5, compute=(1e-2,) * 10)
    assert 0.2 < analyse(mixed, CEILINGS).certainty < 0.9


def test_a_recording_without_time_is_refused():
    """By name."""
    with pytest.raises(UsageError, match="recorded: no round took any time"):
        analyse(recording(compute=0.0), CEILINGS)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_amdahl_refuses_what_is_no_share(share):
    """With the value."""
    with pytest.raises(UsageError, match="between 0 and 1"):
        amdahl(share)


times = st.floats(0, 1)
operators = st.builds(
    operator, calls=st.integers(1, 1000), ms=st.floats(0, 100), flops=st.floats(0, 1e10), moved=st.floats(0, 1e9)
)


@given(data=times, compute=st.floats(1e-6, 1), found=st.lists(operators, max_size=5))
def test_shares_add_up_to_the_step(data, compute, found):
    """Whatever the profiler saw, no second is lost or counted twice."""
    seconds = split(data, compute, [kernel(each, CEILINGS, 2e-6) for each in found])
    assert list(LIMITS) == list(seconds)
    assert pytest.approx(data + compute) == sum(seconds.values())
    assert all(0 <= share <= 1 for share in shares(seconds).values())


@given(data=times, more=times, compute=st.floats(1e-6, 1))
def test_slower_data_never_make_a_step_less_data_bound(data, more, compute):
    """The share grows with the seconds."""
    kernels = [kernel(PRODUCTS, CEILINGS, 0.0)]
    before, after = (shares(split(seconds, compute, kernels))["data"] for seconds in (data, data + more))
    assert before <= after + 1e-12


@given(st.dictionaries(st.sampled_from(LIMITS), st.floats(0, 1), min_size=5, max_size=5))
def test_nothing_is_named_that_takes_less_than_half(parts):
    """Unless a limit dominates, the verdict is unclear."""
    assert ("unclear" == verdict(parts)) or max(parts.values()) >= 0.5
