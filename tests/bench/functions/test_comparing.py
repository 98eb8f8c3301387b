"""Two callables timed in turns: what is refused, and that timed calls have to answer as the first ones did."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from suite.bench.functions import comparing
from suite.bench.functions.comparing import compare, copied
from suite.core.errors import ImplausibleError, UsageError
from suite.measure.sampler.samples import Ratio


@pytest.fixture
def sampled(monkeypatch):
    """Calls each arm so many times, without a clock; the ratios are made up."""

    def run(arms, keep, *_, **__):
        for _ in range(200):
            for name, call in arms.items():
                keep(name, call())
        ratios = {"candidate": 2.0, "null": 1.01}
        return SimpleNamespace(
            suspect=None,
            ratio=lambda _, name: Ratio(value=ratios[name], low=1.9, high=2.1, n=30, confidence=0.99),
        )

    monkeypatch.setattr(comparing, "_sampled", run)


@pytest.mark.usefixtures("sampled")
def test_a_comparison_has_speed_outputs_and_the_null_arm():
    """Of functions that do the same work each time."""
    found = compare(baseline=lambda: [1.0, 2.0], candidate=lambda: [1.0, 2.5])
    assert (2.0, 1.9, 2.1, 1.01) == (found.speedup.value, found.speedup.low, found.speedup.high, found.speedup.null)
    assert 0.25 == found.outputs.difference


@pytest.mark.usefixtures("sampled")
def test_a_candidate_that_keeps_its_answer_is_implausible():
    """Here it computes once, and answers something else from then on; the baseline likewise."""
    first = itertools.chain([1.0] * 5, itertools.repeat(0.5))
    with pytest.raises(ImplausibleError, match="the candidate answers otherwise in a timed call"):
        compare(baseline=lambda: 1.0, candidate=lambda: next(first))
    counter = itertools.count()
    with pytest.raises(ImplausibleError, match="the baseline answers otherwise in a later call"):
        compare(baseline=lambda: next(counter), candidate=lambda: 1.0)


KEPT, INPUT, LISTED, TENSOR = np.ones(3), np.ones(3), [1.0, 2.0, 3.0], torch.ones(3)


@pytest.mark.usefixtures("sampled")
@pytest.mark.parametrize(
    "cheat",
    [lambda: KEPT, lambda: INPUT[::-1], lambda: LISTED, lambda: {"a": (TENSOR,)}],
    ids=["kept", "input", "list", "tensor"],
)
def test_an_answer_that_was_not_computed_anew_is_implausible(cheat):
    """What it returned is overwritten, and it is asked again; afterwards all is as before."""
    with pytest.raises(ImplausibleError, match="does not compute its answer anew"):
        compare(baseline=lambda: [1.0], candidate=cheat)
    assert (3.0, 3.0, [1.0, 2.0, 3.0], 3.0) == (KEPT.sum(), INPUT.sum(), LISTED, float(TENSOR.sum()))


@pytest.mark.usefixtures("sampled")
def test_outputs_that_cannot_be_read_leave_the_speed_undecided_unless_it_is_asked_for_alone():
    """Nobody knows whether both did the same work."""
    decision = compare(baseline=lambda: [1.0], candidate=object).speedup.at_least(1.5)
    assert (False, True) == (bool(decision), decision.is_open)
    assert (
        "inconclusive: speed-up 2 [1.9, 2.1], at least 1.5 wanted: the candidate's outputs cannot be read: object"
        in decision.figure
    )
    assert compare(baseline=lambda: [1.0], candidate=object, speed_only=True).speedup.at_least(1.5)


@pytest.mark.usefixtures("sampled")
def test_an_answer_that_cannot_be_overwritten_is_noted():
    """Whether it is kept was not checked; the comparison goes on."""
    found = compare(baseline=lambda: torch.eye(2).to_sparse(), candidate=lambda: torch.eye(2))
    assert (
        "the answer of the baseline holds a tensor (torch.sparse_coo), which cannot be overwritten: whether it is "
        "kept was not checked"
    ) == str(found).rpartition("; ")[2]


@pytest.mark.usefixtures("sampled")
def test_functions_that_return_one_buffer_are_compared_by_what_they_wrote():
    """Both write into the same one."""
    buffer = [0.0]

    def write(value):
        buffer[0] = value
        return buffer

    found = compare(baseline=lambda: write(1.0), candidate=lambda: write(2.0))
    assert 1.0 == found.outputs.difference


@pytest.mark.usefixtures("sampled")
def test_functions_that_return_nothing_are_timed_and_have_no_outputs():
    """As those that write into an array."""
    found = compare(baseline=lambda: None, candidate=lambda: None)
    assert "both return None" in str(found.outputs)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "2"])
def test_a_budget_that_is_none_is_refused(seconds):
    """Before anything is called."""
    with pytest.raises(UsageError, match="the budget must be a positive number"):
        compare(baseline=lambda: 1 / 0, candidate=lambda: 1, seconds=seconds)


def test_what_cannot_be_called_is_refused():
    """As a result where a function was meant."""
    with pytest.raises(UsageError, match="the candidate is 3, which cannot be called"):
        compare(baseline=lambda: 3, candidate=3)


def test_the_copy_of_a_function_is_another_object_with_the_same_answer():
    """With its defaults and what it closes over; other callables stay as they are."""
    factor = 3

    def call(value=2, *, more=1):
        return factor * value + more

    made = copied(call)
    assert made is not call
    assert 7 == made()
    assert print is copied(print)
