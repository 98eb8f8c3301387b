"""What a search optimizes: directions, bounds, and which compositions nothing beats."""
# the expected value stands on the left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.analysis.search.objectives import parse_objectives
from suite.core.errors import UsageError

FIGURES = st.lists(st.tuples(st.floats(0.1, 100), st.floats(1, 1e6)), min_size=1, max_size=12)
BOTH = parse_objectives(["bytes"], ["speedup"])


def figures(speedup, size):
    return {"speedup": (speedup, None, None), "artefact_bytes": (size, None, None)}


def test_short_names_stand_for_metrics():
    """Objectives take the short names of budgets."""
    objectives = parse_objectives(["latency"], ["speedup"], ["bytes=100kB"], ["accuracy>=0.985"])
    assert ("latency_p50", "speedup", "artefact_bytes", "accuracy") == objectives.metrics


@pytest.mark.parametrize(
    ("minimise", "maximise", "words"),
    [
        (["speedup"], [], "of speedup more is better; write --maximise speedup"),
        ([], ["latency"], "of latency_p50 less is better; write --minimise latency"),
        ([], [], "no objective: name a metric"),
        (["latency", "latency_p50"], [], "latency_p50 is an objective twice"),
        (["latncy"], [], "did you mean latency"),
    ],
)
def test_an_aim_that_makes_no_sense_is_refused(minimise, maximise, words):
    """With the likely fix."""
    with pytest.raises(UsageError, match=words):
        parse_objectives(minimise, maximise)


def test_a_missed_bound_makes_infeasible():
    """The miss is a share of the limit."""
    objectives = parse_objectives(["latency"], budgets=["bytes=100kB"], keep=["speedup>=2"])
    assert (0.5, 0.25) == objectives.misses(figures(1.5, 150e3))
    assert not objectives.feasible(figures(1.5, 150e3))
    assert objectives.feasible(figures(2.0, 100e3))


@given(FIGURES)
def test_what_is_off_the_front_is_beaten_by_something_on_it(pairs):
    """And nothing on it is beaten by anything."""
    found = [figures(*pair) for pair in pairs]
    on = [pair for pair, best in zip(pairs, BOTH.best(found), strict=True) if best]
    assert on
    for pair, best in zip(pairs, BOTH.best(found), strict=True):
        assert best != any(_beats(rival, pair) for rival in on)


def _beats(rival, own):
    return rival != own and rival[0] >= own[0] and rival[1] <= own[1]
