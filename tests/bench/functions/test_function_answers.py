"""Outputs of two plain functions: numbers in any nesting, and what has none."""

import asyncio
import collections
import concurrent.futures
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.bench.functions.answers import apart as apart_of_held
from suite.bench.functions.answers import held, on_device
from suite.bench.functions.reading import check_answer
from suite.core.errors import UsageError


def apart(baseline, candidate):
    return apart_of_held(held(baseline), held(candidate))


itself = [np.ones(1)]
itself.append(itself)
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
        ("a", "b", "the outputs differ: 'a', 'b'"),
        ({"a": ["x", "y"]}, {"a": ["x", "z"]}, "the outputs differ at ['a']"),
        (b"a", "a", "the outputs differ"),
        ([1.0], [1.0, 2.0], "differ in shape"),
        ({"a": 1.0}, {"b": 1.0}, "differ in shape"),
        ({}, {}, "no numbers"),
        ([math.nan], [math.nan], "hold no finite number"),
        ([], [], "hold no finite number"),
        ("1.5", 1.5, "differ in shape"),
        (np.ma.masked_array([1.0], [True]), [1.0], "the baseline's outputs cannot be read: MaskedArray"),
        ([1.0], range(3), "the candidate's outputs cannot be read: range"),
        ([1.0, itself], [1.0], "the baseline's outputs cannot be read: list that contains itself"),
        ([1.0], np.zeros(2, [("a", float)]), "the candidate's outputs cannot be read: ndarray"),
    ],
)
def test_answers_that_cannot_be_compared_are_close_at_no_tolerance(baseline, candidate, why):
    """And say why."""
    found = apart(baseline, candidate)
    assert not found.close(1e300)
    assert why in str(found)


@pytest.mark.parametrize(
    ("baseline", "candidate", "difference"),
    [
        (np.array([2**53, 5]), np.array([2**53 + 1, 5]), 2.0**-53),
        (2**60, 2**60 + 1, 2.0**-60),
        (2**400, 2**400 + 2**300, 2.0**-100),
        (np.array([2**64 - 1], np.uint64), np.array([2**63 - 1]), 0.5),
        (torch.tensor([2**62]), [2**62 + 2**30], 2.0**-32),
        ([np.int64(2**53)], [2**53 + 1], 2.0**-53),
        (np.array([True, False]), [1, 1], 1.0),
        (10**400, 10**400, 0.0),
    ],
)
def test_integers_beyond_double_precision_are_compared_exactly(baseline, candidate, difference):
    """Of numpy, torch and Python, in any mixture."""
    assert pytest.approx(difference, rel=1e-9) == apart(baseline, candidate).difference
    assert 0.0 == apart(candidate, candidate).difference


@pytest.mark.parametrize(
    "answer",
    ["text", b"bytes", ["a", "b"], {"a": (1.0, None, "x")}, {1.0, 2.0}, np.array(["a", "b"]),
     np.datetime64("2026-01-01"), collections.OrderedDict(a=1.0), np.linalg.svd(np.eye(2)), torch.ones(2, 2).max(0)],
)  # fmt: skip
def test_text_dates_and_named_tuples_are_read(answer):
    """They equal themselves."""
    check_answer("candidate", answer)
    assert apart(answer, answer).close(0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(2, dtype=torch.complex64).conj(),
        lambda: torch.complex(torch.ones(2), torch.ones(2)).conj().imag,
        lambda: torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8),
        lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        lambda: torch.ones(2).to_mkldnn(),
        lambda: torch.eye(2).to_sparse_csr(),
        lambda: torch.ones(2, dtype=torch.bfloat16, requires_grad=True),
    ],
    ids=["conj", "negative", "quantized", "nested", "mkldnn", "csr", "bfloat16"],
)
def test_tensors_of_any_layout_are_read(make):
    """As those that they stand for."""
    check_answer("candidate", make())
    assert 0.0 == apart(make(), make()).difference


class Lazy(collections.abc.Mapping):
    """Computes what is read."""

    def __getitem__(self, key):
        return 1.0

    def __iter__(self):
        return iter("a")

    def __len__(self):
        return 1


class LazyList(list):
    def __iter__(self):
        return iter([1.0])


class LazyTensor(torch.Tensor):
    def detach(self):
        return torch.ones(1)


@pytest.mark.parametrize(
    "answer",
    [Lazy(), LazyList(), [LazyList()], torch.ones(1).as_subclass(LazyTensor), range(3), np.ma.masked_array([1.0])],
)
def test_an_answer_that_computes_when_it_is_read_is_refused(answer):
    """Unless the speed alone is asked for."""
    with pytest.raises(UsageError, match=r"the candidate returns \S+, whose work may not be done.*speed_only=True"):
        check_answer("candidate", answer)
    check_answer("candidate", answer, speed_only=True)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (map(abs, [1]), r"an iterator \(map\), so .*return a list"),
        ([zip([1], strict=True)], r"an iterator \(zip\)"),
        (concurrent.futures.Future(), "a future, .*run it to its end"),
        (torch.empty(1, device="meta"), "a tensor on 'meta', .*compute on a device"),
    ],
)
def test_an_answer_that_is_not_computed_is_refused_whatever_is_asked_for(answer, why):
    """Also within a list."""
    with pytest.raises(UsageError, match=f"the baseline returns {why}"):
        check_answer("baseline", answer, speed_only=True)


@pytest.mark.parametrize("tolerance", [math.nan, -1, "1"])
def test_a_tolerance_that_is_none_is_refused(tolerance):
    """Else it would hold never, or always."""
    with pytest.raises(UsageError, match="the tolerance must be a number of at least 0"):
        apart(1.0, 1.0).close(tolerance)


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
