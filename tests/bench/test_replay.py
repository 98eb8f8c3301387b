"""pytest-benchmark receives the sampler's rounds as if it had timed them."""
# the expected value stands on the left

import pytest
import sampling
from hypothesis import given
from hypothesis import strategies as st

from suite.bench.workers.replay import CLOCK, ReplayClock, replay
from suite.core.records import Cell

CELL = Cell(workload="halves", technique="nhwc", device="cpu")


def readings(clock, rounds):
    """What a benchmark sees that reads its timer before and after each round."""
    found = []
    for _ in range(rounds):
        began = clock()
        found.append(clock() - began)
    return found


@given(durations=st.lists(st.floats(1e-9, 10.0), max_size=20))
def test_two_readings_are_one_recorded_duration_apart(durations):
    """The durations come back in their order."""
    clock = ReplayClock()
    clock.load(durations)
    assert pytest.approx(durations, abs=1e-13) == readings(clock, len(durations))


def test_after_the_last_duration_the_clock_stands_still():
    """Nothing is made up, and nothing ends in an error."""
    clock = ReplayClock()
    clock.load([1.0])
    assert [1.0, 0.0, 0.0] == readings(clock, 3)


def test_loading_starts_anew():
    """A benchmark that ended between two readings does not shift the next one."""
    clock = ReplayClock()
    clock.load([1.0, 2.0])
    clock()
    clock.load([3.0])
    assert [3.0] == readings(clock, 1)


@pytest.fixture
def timed():
    """A sample of two sides, the technique twice as fast, by a clock that knows no noise."""
    now = [0.0]

    def taking(seconds):
        def call():
            now[0] += seconds

        return call

    return sampling.taken(
        {"baseline": taking(0.004), "technique": taking(0.002)},
        baseline="baseline",
        seconds=0.3,
        seed=0,
        clock=lambda: now[0],
    )


@pytest.mark.benchmark(timer=CLOCK)
@pytest.mark.timed
@pytest.mark.system  # pytest-benchmark switches itself off where tests run side by side
def test_the_benchmark_reports_the_techniques_rounds(timed, benchmark):
    """As many rounds, each as long as the sampler saw it."""
    replay(benchmark, CELL, {"inference": timed})
    assert timed.seconds["technique"].tolist() == pytest.approx(benchmark.stats.stats.data)


@pytest.mark.benchmark(timer=CLOCK)
def test_the_paired_figure_travels_as_extra_information(timed, benchmark):
    """The benchmark's own minimum and mean are unpaired; the ratio that counts is beside them."""
    replay(benchmark, CELL, {"inference": timed})
    assert {
        "workload": "halves",
        "technique": "nhwc",
        "device": "cpu",
        "speedup": pytest.approx(2.0),
        "rounds_interleaved_with": "baseline",
    } == benchmark.extra_info
    assert "halves on cpu" == benchmark.group


@pytest.mark.benchmark(timer=CLOCK)
def test_without_samples_the_benchmark_has_no_figure_and_does_not_complain(benchmark):
    """A group that was resumed or failed has nothing to replay; that is no warning about an unused fixture."""
    replay(benchmark, CELL, {})
    assert benchmark.stats is None
