"""The batcher on a clock that only moves when something is done: each request once, in order, none too late."""
# the expected value stands on the left

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.analysis.load_test.arrivals import poisson
from suite.analysis.load_test.batcher import Policy
from suite.analysis.load_test.open_loop import drive
from suite.analysis.load_test.plan import LoadTestPlan
from suite.analysis.load_test.requests import padded
from suite.analysis.load_test.summary import fell_behind, summary
from suite.core.errors import UsageError

EXAMPLES = settings(max_examples=500 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 50, deadline=None)
TINY = 1e-9
gaps = st.lists(st.integers(0, 40), min_size=1, max_size=60)
policies = st.builds(Policy, max_batch=st.integers(1, 8), max_wait=st.integers(0, 50).map(lambda ms: ms / 1e3))


class Clock:
    """Stands still but for waiting and serving; starts anywhere. ``batches`` holds what was served."""

    def __init__(self, cost, each=0.0):
        self.now, self.cost, self.each, self.batches = 100.0, cost, each, []

    def __call__(self):
        return self.now

    def wait(self, until):
        assert until > self.now - TINY, "waiting for the past would turn in circles"
        self.now = max(self.now, until) + TINY

    def serve(self, first, size):
        self.batches.append((first, size))
        self.now += self.cost + self.each * size


def driven(arrivals, policy, cost=0.01, each=0.0):
    clock = Clock(cost, each)
    return drive(np.asarray(arrivals), policy, clock.serve, clock=clock, wait=clock.wait), clock.batches


@EXAMPLES
@given(gaps=gaps, policy=policies, cost=st.integers(1, 30))
def test_every_request_is_answered_once_in_order_and_never_too_many_together(gaps, policy, cost):
    """And nobody before arriving."""
    arrivals = np.cumsum(gaps) / 1e3
    log, batches = driven(arrivals, policy, cost / 1e3)
    answered = [number for first, size in batches for number in range(first, first + size)]
    assert list(range(len(arrivals))) == answered
    assert policy.max_batch >= log.sizes.max()
    assert (np.repeat(log.started, log.sizes) >= arrivals - TINY).all()


@EXAMPLES
@given(gaps=gaps, policy=policies, cost=st.integers(1, 30))
def test_a_batch_leaves_when_its_oldest_has_waited_or_the_server_is_free(gaps, policy, cost):
    """Never later: so whoever is in the next batch waits at most ``max_wait`` and one service time."""
    arrivals = np.cumsum(gaps) / 1e3
    log, batches = driven(arrivals, policy, cost / 1e3)
    free = np.concatenate([[0.0], log.done[:-1]])
    oldest = arrivals[[first for first, _ in batches]]
    assert (log.started <= np.maximum(oldest + policy.max_wait, free) + 1e-6).all()
    unqueued = oldest >= np.concatenate(
        [[0.0], log.started[:-1]]
    )  # arrived while the batch before was served, or later
    assert (log.started - oldest <= policy.max_wait + cost / 1e3 + 1e-6)[unqueued].all()


def test_a_full_batch_does_not_wait():
    """Two at once, two to a batch: served at once, however long waiting is allowed."""
    log, batches = driven([0.0, 0.0, 0.0], Policy(max_batch=2, max_wait=0.5))
    assert [(0, 2), (2, 1)] == batches
    assert 0.0 == pytest.approx(log.started[0], abs=1e-6)
    assert 0.5 == pytest.approx(log.started[1], abs=1e-6)


def test_latency_counts_from_the_intended_arrival():
    """A stall of a second is seen by all who were due in it, not by the one who met it alone."""
    log, _ = driven([0.0, 0.1, 0.2], Policy(max_batch=1, max_wait=0.0), cost=1.0)
    assert [1.0, 1.9, 2.8] == pytest.approx(log.latencies.tolist(), abs=1e-6)


def loads(shares, seconds=20.0):
    """Loads as shares of 400 requests a second: a batch of four takes 10 ms."""
    policy = Policy(max_batch=4, max_wait=0.005)
    for share in shares:
        log, _ = driven(poisson(400 * share, seconds, 0), policy, 0.006, 0.001)
        yield summary(log, policy, share=share, rate=400 * share, seconds=seconds, objective=0.05)


def test_the_tail_grows_with_the_load_until_the_server_is_saturated():
    """Queueing: p99 and batches grow, and beyond the capacity goodput falls and it is said."""
    found = list(loads((0.2, 0.6, 0.95, 1.3)))
    tails, sizes = [load.p99 for load in found], [load.mean_batch for load in found]
    assert sorted(tails) == tails
    assert sorted(sizes) == sizes
    assert [False, False, False, True] == [load.saturated for load in found]
    assert found[-1].goodput < found[0].goodput
    assert 0.9 < found[-1].late


def test_goodput_and_late_answers_share_all_requests():
    """An objective that all keep and one that none keeps."""
    policy = Policy(max_batch=1, max_wait=0.0)
    log, _ = driven([0.0, 0.5], policy, cost=0.1)
    kept, missed = (summary(log, policy, share=1, rate=2, seconds=1.0, objective=o) for o in (0.2, 0.01))
    assert (2.0, 0.0) == (kept.goodput, kept.late)
    assert (0.0, 1.0) == (missed.goodput, missed.late)
    assert not fell_behind(log, policy, 1.0)


@EXAMPLES
@given(rate=st.floats(1, 500), seconds=st.floats(0.1, 5), seed=st.integers(0, 99))
def test_arrivals_ascend_within_the_duration_and_follow_the_seed(rate, seconds, seed):
    """The same seed draws the same."""
    found = poisson(rate, seconds, seed)
    assert (np.diff(found) >= 0).all()
    assert 0 <= found[0] <= found[-1] <= seconds
    assert (found == poisson(rate, seconds, seed)).all()


def test_arrivals_are_as_many_and_as_irregular_as_poisson_says():
    """Gaps of an exponential distribution: mean and deviation are both one over the rate."""
    gaps = np.diff(poisson(1000.0, 50.0, 1))
    assert 1e-3 == pytest.approx(gaps.mean(), rel=0.03)
    assert 1e-3 == pytest.approx(gaps.std(), rel=0.03)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Policy(max_batch=0, max_wait=0.1),
        lambda: Policy(max_batch=1, max_wait=-1.0),
        lambda: Policy(max_batch=1, max_wait=float("nan")),
        lambda: poisson(0.0, 1.0, 0),
        lambda: LoadTestPlan(policy=Policy(max_batch=8, max_wait=0.0), largest=4),
        lambda: LoadTestPlan(policy=Policy(max_batch=8, max_wait=0.0), shares=(0.0,)),
        lambda: LoadTestPlan(policy=Policy(max_batch=8, max_wait=0.0), objective=0.0),
    ],
)
def test_what_cannot_be_served_is_refused(wrong):
    """With what was wrong, before anything is trained."""
    with pytest.raises(UsageError):
        wrong()


def test_a_batch_is_padded_to_the_least_size_that_was_warmed_up():
    """So that nothing compiles under load."""
    assert [1, 2, 4, 4, 6] == [padded(size, (1, 2, 4, 6)) for size in (1, 2, 3, 4, 5)]


def test_an_objective_that_nobody_gave_follows_from_a_full_batch():
    """The wait and three of them; a given one stands."""
    policy = Policy(max_batch=4, max_wait=0.5)
    assert 2.0 == LoadTestPlan(policy=policy).objective_of(0.5)
    assert 0.1 == LoadTestPlan(policy=policy, objective=0.1).objective_of(0.5)
