"""Timed calls of a comparison answer like calls that nobody times."""
# the expected value stands on the left

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from suite.compare.answers import AGAIN, OutputRecord, keeps_answers

INPUTS = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "serve",
    [nn.Linear(3, 2), lambda x: {"sum": x.sum(1), "more": (x * 2, x.argmax(1))}, lambda x: torch.zeros(len(x), 2)],
    ids=["linear", "tree", "zeros"],
)
def test_an_honest_network_has_no_problem_at_either_batch(serve):
    answers = OutputRecord(serve, INPUTS, 8)
    assert "" == answers.problem(serve(INPUTS), 8)
    assert "" == answers.problem(serve(INPUTS[:1]), 1)


def test_half_precision_of_one_item_is_no_other_answer():
    network = nn.Linear(3, 2).to(torch.bfloat16)
    answers = OutputRecord(network, INPUTS.bfloat16(), 8)
    assert "" == answers.problem(network(INPUTS[:1].bfloat16()), 1)


@pytest.mark.parametrize("items", [1, 8])
def test_zeros_in_a_timed_call_are_told(items):
    answers = OutputRecord(nn.Linear(3, 2), INPUTS, 8)
    assert "answer otherwise than a call of 8 that is not timed" in answers.problem(torch.zeros(items, 2), items)


def test_another_shape_is_told():
    answers = OutputRecord(nn.Linear(3, 2), INPUTS, 8)
    assert "the relative distance is inf" in answers.problem(torch.zeros(8, 3), 8)


@pytest.mark.parametrize("output", [None, "later", torch.empty(8, 2, device="meta")])
def test_what_is_no_tensor_is_told(output):
    assert "no plain tensors" in OutputRecord(nn.Linear(3, 2), INPUTS, 8).problem([output], 8)


def test_outputs_of_the_whole_batch_are_compared_at_that_batch_alone():
    """A sum over the items says nothing of a single one."""
    answers = OutputRecord(lambda x: x.cumsum(0), INPUTS, 8)
    assert "" == answers.problem(torch.full((1, 3), 9.0), 1)
    assert answers.problem(torch.full((8, 3), 9.0), 8)


def test_what_is_no_number_is_told_elsewhere():
    """With the outputs that are compared between the sides."""
    assert "" == OutputRecord(lambda x: x * torch.nan, INPUTS, 8).problem(INPUTS * torch.nan, 8)


@pytest.mark.parametrize(
    ("inputs", "taken", "kept"),
    [
        (INPUTS, [0.02], True),
        (INPUTS, [0.0021], False),  # not twice as long
        (INPUTS[:1], [0.02], True),
        (INPUTS[:1].long(), [0.02], False),  # one item of whole numbers cannot be made anew
        ([INPUTS.long(), {"mask": INPUTS > 0}], [0.02], True),
        (INPUTS, [0.02, *(AGAIN - 1) * [0.02], 0.001], False),  # the first one was disturbed
    ],
)
def test_a_network_that_is_slow_on_other_inputs_alone_keeps_its_answers(inputs, taken, kept):
    """Twice as slow in the fastest of eight; the inputs are as before then, and were others meanwhile."""
    before, seen = [leaf.clone() for leaf in tree_leaves(inputs)], []
    times = iter(taken)

    def seconds():
        seen.append([leaf.clone() for leaf in tree_leaves(inputs)])
        return next(times, taken[-1])

    said = keeps_answers(inputs, 0.0015, seconds)
    assert kept == said.endswith("answers are kept")
    assert all(map(torch.equal, before, tree_leaves(inputs)))
    assert all(not torch.equal(one[0], before[0]) for one in seen)


def test_calls_of_microseconds_are_not_accused():
    """They vary by as much."""
    assert "" == keeps_answers(INPUTS, 5e-6, lambda: 20e-6)
