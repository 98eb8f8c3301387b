"""Checks of single calls: what honest networks of every kind pass, and what is left alone."""
# the expected value stands on the left

from functools import partial

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from suite.core.errors import ImplausibleError
from suite.measure.integrity.kept_outputs import Answer
from suite.measure.integrity.outputs import Judged, check, check_rate, on_this_thread, request, same_bits
from suite.training.serving import Served


def served(call):
    return Served(recipe=tiny.recipe(), network=nn.Identity(), device="cpu", call=call)


def asked(call, inputs=None):
    inputs = torch.randn(8, 3) if inputs is None else inputs
    return request(served(call), inputs, 8)


@pytest.mark.parametrize(
    "call",
    [
        nn.Linear(3, 2),
        lambda x: (x.sum(1), {"more": x * 2}),
        lambda x: x.argmax(1),
        lambda x: torch.ones(len(x), 2),
        lambda x: torch.full_like(x, torch.nan),
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).eval(),
    ],
    ids=["linear", "tree", "classes", "constant", "not a number", "normalised"],
)
def test_an_honest_call_passes(call):
    """One tensor, a tree, integers, the same for all items: nothing of that is a fault here."""
    one = asked(call)
    check({"baseline": one, "technique": asked(call)}, baseline="baseline")
    assert torch.equal(one.placed, one.sent)  # put back as it was


def test_inputs_that_are_not_numbers_are_compared_by_their_bits():
    """A missing value equals itself."""
    inputs = torch.tensor([[torch.nan, 1.0, 2.0]] * 8)
    check({"baseline": asked(lambda x: x.nan_to_num(), inputs)}, baseline="baseline")


def test_where_the_baselines_outputs_belong_to_the_whole_batch_no_side_has_to_follow():
    """A detector's list of boxes has no order of items to keep."""
    check({"baseline": asked(lambda x: x.sum(0)), "technique": asked(lambda x: x.sum(0) * 2)}, baseline="baseline")


def test_what_is_no_request_is_left_alone():
    """A reference kernel has no inputs."""
    check({"baseline": asked(nn.Linear(3, 2)), "kernel": lambda: None}, baseline="baseline")


@pytest.mark.parametrize("answer", [None, "later", torch.empty(8, 2, device="meta")])
def test_an_answer_without_tensors_is_refused(answer):
    """Nothing, a promise, or a tensor without data."""
    with pytest.raises(ImplausibleError, match="no tensors: its work may not be done"):
        check({"baseline": asked(nn.Linear(3, 2)), "technique": asked(lambda _: answer)}, baseline="baseline")


@given(rate=st.floats(1e3, 1e15))
def test_no_network_multiplies_faster_than_the_machine(rate):
    """Beyond four times the measured products (8 bits, Winograd) and a twentieth; the uncounted is left alone."""
    check_rate(500, 4.19 * rate / 1000, rate)
    check_rate(None, 1e18, rate)
    with pytest.raises(ImplausibleError, match="leaves out most of the work"):
        check_rate(500, 4.21 * rate / 1000, rate)


def test_threads_may_work_where_it_does_not_apply():
    """Several threads, or an accelerator: other threads are meant to work."""
    with on_this_thread("cell", applies=False):
        pass
    with on_this_thread("cell", applies=True):
        torch.randn(100, 100) @ torch.randn(100, 100)


def test_entries_of_a_state_are_compared_as_they_are():
    """Tensors by shape, type and bits, other entries by equality."""
    assert same_bits(torch.ones(2), torch.ones(2))
    assert not same_bits(torch.ones(2), torch.ones(2, dtype=torch.float64))
    assert not same_bits(torch.ones(2), torch.ones(1, 2))
    assert same_bits({"a": 1}, {"a": 1})


WEIGHT = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
ITEMS = torch.cat([torch.randn(15, 6, generator=torch.Generator().manual_seed(1)), torch.full((1, 6), 40.0)])


def rounded(inputs, largest=40):
    """Products of activations on a grid of 8 bits that the largest value in the batch sets; here of far fewer."""
    step = inputs.abs().amax() / largest
    return (inputs / step).round() * step @ WEIGHT


def judged_and_timed(call, judged=16, timed=1):
    """The outputs of a judged batch and the answer of a timed one; of 16 items the last has large values."""
    one = request(served(call), ITEMS[:timed], timed)
    answer = Answer(leaves=(call(ITEMS[:timed]),), types=frozenset({torch.Tensor}))
    return one, answer, Judged(outputs=call(ITEMS[:judged]), items=judged)


def checked(call, sizes=(16, 1)):
    base, _, plain = judged_and_timed(lambda x: x @ WEIGHT, *sizes)
    one, answer, judged = judged_and_timed(call, *sizes)
    sides = {"baseline": base, "technique": one}
    check(sides, baseline="baseline", kept={"technique": [answer]}, judged={"baseline": plain, "technique": judged})


def test_activations_on_a_grid_of_their_batch_may_answer_otherwise_alone():
    """A published encoder with 8-bit activations: at batch 1 the answers are 11 % away, and nearer to float32's."""
    _, answer, judged = judged_and_timed(rounded)
    assert (answer.leaves[0] - judged.outputs[:1]).norm() > 0.05 * judged.outputs[:1].norm()
    checked(rounded)


def test_a_larger_batch_than_the_judged_one_may_have_a_coarser_grid(monkeypatch):
    """As long as the answers are about as near to the baseline's as the judged ones."""
    monkeypatch.setitem(globals(), "ITEMS", ITEMS.clamp(max=5))
    call = partial(rounded, largest=10)
    _, answer, judged = judged_and_timed(call, 8, 16)
    assert (answer.leaves[0][:8] - judged.outputs).norm() > 0.05 * judged.outputs.norm()
    checked(call, sizes=(8, 16))


def test_another_network_for_a_large_batch_is_found_whatever_the_grid():
    """A batch of its size that holds the judged items alone is answered otherwise."""
    with pytest.raises(ImplausibleError, match="at batch 16 answer otherwise than the network"):
        checked(lambda x: rounded(x) if len(x) < 16 else rounded(x, 20) * 0.9, sizes=(8, 16))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: rounded(x) if len(x) > 1 else x @ WEIGHT * 0.8,
        lambda x: rounded(x) if len(x) > 1 else rounded(x, 1),
        lambda x: rounded(x) if len(x) > 1 else rounded(ITEMS[1:2]),
    ],
    ids=["scaled", "coarser", "another item's"],
)
def test_another_network_for_a_single_item_is_found_whatever_the_grid(call):
    """A batch of the judged size that holds the item alone is answered otherwise."""
    with pytest.raises(ImplausibleError, match="at batch 1 answer otherwise than the network"):
        checked(call)


def test_an_answer_that_is_far_from_the_baselines_is_no_matter_of_the_grid():
    """Nobody can tell there what another batch explains; a network of other weights answers as it was judged."""
    with pytest.raises(ImplausibleError, match="at batch 1 answer otherwise"):
        checked(lambda x: rounded(x) @ torch.ones(4, 4) / x.abs().amax())
