"""Outputs of two plain functions: numbers in any nesting, and what has none."""

import asyncio
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.bench.functions.answers import apart as apart_of_held
from suite.bench.functions.answers import check_answer, held, on_device
from suite.core.errors import UsageError


def apart(baseline, candidate):
    return apart_of_held(held(baseline), held(candidate))


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(NUMBERS, min_size=1).map(lambda values: [1.0, *values]))
def test_equal_answers_are_not_apart(values):
    """NaN and infinities at the same places, too."""
    assert 0.0 == apart(values, list(values)).difference
    assert 0.0 == apart({"a": np.array(values), "b": [np.array(values)]}, {"b": [values], "a": values}).difference


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected"),
    [
        ([4.0, 2.0], [4.0, 1.0], 0.25),
        (torch.tensor([4.0, 2.0]), np.array([4.0, 1.0]), 0.25),
        (torch.tensor([3 + 4j]), torch.tensor([3 + 3j]), 0.2),
        ((torch.ones(2), {"x": 2}), [np.ones(2), {"x": 3}], 0.5),
        (0.0, 0.5, 0.5),
        ({"loss": 1e6, "grad": [1.0, 1.0]}, {"loss": 1e6, "grad": [-1.0, -1.0]}, 2.0),
        ([1.0, math.nan], [1.0, 2.0], math.inf),
        ([1.0, math.inf], [1.0, -math.inf], math.inf),
    ],
)
def test_the_difference_is_relative_to_the_largest_of_the_baseline(baseline, candidate, expected):
    """Absolute where the baseline is all zeros; infinite where only one has a number."""
    assert pytest.approx(expected) == apart(baseline, candidate).difference


@pytest.mark.parametrize(
    ("baseline", "candidate", "why"),
    [
        (None, None, "both return None"),
        (1.0, None, "the candidate returns None"),
        ("a", "b", "the outputs are no numbers"),
        ([1.0], [1.0, 2.0], "differ in shape"),
        ({"a": 1.0}, {"b": 1.0}, "differ in shape"),
        ({}, {}, "no numbers"),
        (10**400, 10**400, "no numbers"),
        ([math.nan], [math.nan], "hold no finite number"),
        ([], [], "hold no finite number"),
        ("1.5", "1.5", "no numbers: str"),
        (np.ma.masked_array([1.0], [True]), [1.0], "no numbers: MaskedArray"),
        (range(3), range(3), "no numbers: range"),
    ],
)
def test_answers_that_cannot_be_compared_are_close_at_no_tolerance(baseline, candidate, why):
    """And say why."""
    found = apart(baseline, candidate)
    assert not found.close(1e300)
    assert why in str(found)


def test_an_answer_that_is_still_to_be_computed_is_refused():
    """Its call takes no time, whatever the work is."""

    async def work():
        await asyncio.sleep(0)

    with pytest.raises(UsageError, match="the candidate returns a coroutine"):
        check_answer("candidate", work())
    with pytest.raises(UsageError, match="the baseline returns a generator"):
        check_answer("baseline", (number for number in range(3)))


def test_an_answer_is_held_as_it_was_returned():
    """A function that writes into its own buffer again would be compared with itself."""
    buffer = np.zeros(2)
    first = held(buffer)
    buffer += 1
    assert 1.0 == apart_of_held(held(buffer), first).difference


def test_tensors_of_an_accelerator_are_found_in_any_nesting():
    """Its work may go on when the call has returned."""
    there = torch.empty(1, device="meta")
    assert on_device({"a": [1.0, (there,)]})
    assert not on_device({"a": [1.0, (torch.ones(1), np.ones(1), None)]})
