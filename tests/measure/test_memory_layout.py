"""New places for what is timed: the same figures at other addresses."""
# the expected value stands on the left

import copy
import itertools

import pytest
import sampling
import tiny
import torch
from torch import nn

from suite.measure.integrity.outputs import check, request
from suite.measure.sampler import memory_layout
from suite.measure.sampler.memory_layout import Movable, moving, places_of
from suite.training.loop import Trained
from suite.training.serving import serve


class Call:
    """Reads some tensors."""

    def __init__(self, *tensors):
        self.held = tensors

    def tensors(self):
        return self.held


def moved(*tensors):
    """Which of the tensors lie elsewhere after three moves, each of them seen to hold the same figures."""
    before, values = [one.data_ptr() for one in tensors], [one.detach().clone() for one in tensors]
    placed = places_of([Call(*tensors)], 0)
    seen = [{address} for address in before]
    for _ in range(3 if placed else 0):
        placed.move()
        for addresses, one in zip(seen, tensors, strict=True):
            addresses.add(one.data_ptr())
    assert all(torch.equal(one, value) for one, value in zip(tensors, values, strict=True))
    return [len(addresses) > 1 for addresses in seen]


def test_weights_buffers_and_inputs_lie_elsewhere_with_the_same_figures():
    """Whatever their type and layout."""
    images = torch.randn(4, 3, 8, 8).to(memory_format=torch.channels_last)
    strides = images.stride()
    weights = nn.Parameter(torch.randn(64, 64))
    assert [True] * 4 == moved(images, weights, torch.arange(100), torch.ones(50, dtype=torch.bfloat16))
    assert strides == images.stride()
    assert isinstance(weights, nn.Parameter)
    assert weights.is_leaf


def test_views_and_tensors_that_share_memory_stay():
    """Moved one by one they would no longer be one."""
    whole = torch.randn(100)
    part = torch.randn(100)[:50]
    assert [False, False, False] == moved(whole, whole.view(10, 10), part)


def test_the_parts_of_a_subclass_move():
    """Such as quantized weights, which hold their integers and scales in tensors of their own."""
    from torch.testing._internal.two_tensor import TwoTensor

    first, second = torch.randn(50), torch.randn(50)
    both = TwoTensor(first, second)
    before = {first.data_ptr(), second.data_ptr()}
    with moving([Call(both)], 0):
        after = {both.a.data_ptr(), both.b.data_ptr()}
    assert not before & after


def test_a_call_that_names_no_tensors_is_left_alone():
    """A reference kernel, or a user's function."""
    tensor = torch.randn(50)
    assert places_of([lambda: None], 0) is None
    assert [tensor] == places_of([lambda: None, Call(tensor)], 0).tensors
    with moving([lambda: None], 0) as move:
        assert move is None


def test_a_move_allocates_nothing_and_keeps_bytes_apart():
    """Twenty moves of tensors of all sizes: none overlaps another, every one is aligned as torch's own are."""
    tensors = [torch.randn(size) for size in (1, 3, 64, 1000, 5, 40_000)]
    values = [one.clone() for one in tensors]
    placed, arenas = places_of([Call(*tensors)], 3), set()
    for _ in range(20):
        placed.move()
        arenas.update(one.untyped_storage().data_ptr() for one in tensors)
        assert all(torch.equal(one, value) for one, value in zip(tensors, values, strict=True))
        assert all(one.data_ptr() % 64 == 0 for one in tensors)
        spans = sorted((one.data_ptr(), one.data_ptr() + one.numel() * 4) for one in tensors)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    assert 2 == len(arenas)


def test_afterwards_every_tensor_has_memory_of_its_own_again():
    """So that it can be moved by the next sample, and counts once when memory is measured; whatever happened."""
    tensors = [torch.randn(64), torch.randn(3, 8, 8)]

    def fails():
        with moving([Call(*tensors)], 0):
            assert 1 == len({one.untyped_storage().data_ptr() for one in tensors})
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  # that one
        fails()
    assert [256, 768] == [one.untyped_storage().nbytes() for one in tensors]
    assert tensors == places_of([Call(*tensors)], 0).tensors


def test_what_is_larger_than_any_cache_stays(monkeypatch):
    """It comes from memory wherever it lies."""
    monkeypatch.setattr(memory_layout, "MOST", 1000)
    assert [False] == moved(torch.randn(300))


def test_a_timed_request_answers_the_same_wherever_it_lies():
    """And is still plausible: its inputs are as they were."""
    recipe = tiny.recipe()
    served = serve(Trained(recipe=recipe, network=recipe.model(), device="cpu", seed=0, seconds=0.0))
    one = request(served, recipe.data().test.first(16).inputs, 16)
    assert isinstance(one, Movable)
    before = copy.deepcopy(one())
    with moving([one], 1) as move:
        sampling.taken(
            {"baseline": one, "null": one}, baseline="baseline", seconds=0.2, seed=0, move=move,
            min_round_seconds=1e-3,
        )  # fmt: skip
        assert torch.equal(before, one())
    assert torch.equal(before, one())
    check({"baseline": one}, baseline="baseline")


@pytest.mark.system
def test_a_compiled_network_is_not_compiled_anew():
    """It takes its weights as they come, wherever they lie."""
    torch._dynamo.reset()
    network = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)).eval()
    compiled, inputs = torch.compile(network), torch.randn(4, 8)
    with torch.no_grad():
        expected = compiled(inputs)
        call = Call(*network.parameters(), inputs)
        with torch.compiler.set_stance("fail_on_recompile"), moving([call], 0) as move:
            for _ in range(3):
                move()
                assert torch.allclose(expected, compiled(inputs))
