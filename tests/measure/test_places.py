"""New places for what is timed: the same figures at other addresses."""
# the expected value stands on the left

import copy

import pytest
import tiny
import torch
from torch import nn

from suite.measure import timing
from suite.measure.places import Movable, Places, mover
from suite.measure.plausible import check, request
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
    places = Places(calls=[Call(*tensors)], seed=0)
    seen = [{address} for address in before]
    for _ in range(3):
        places.move()
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
    places = Places(calls=[Call(both)], seed=0)
    for _ in range(3):
        places.move()
    assert before != {both.a.data_ptr(), both.b.data_ptr()}


def test_a_call_that_names_no_tensors_is_left_alone():
    """A reference kernel, or a user's function."""
    tensor = torch.randn(50)
    assert mover([lambda: None], 0) is None
    assert mover([lambda: None, Call(tensor)], 0) is not None


def test_a_timed_request_answers_the_same_wherever_it_lies():
    """And is still plausible: its inputs are as they were."""
    recipe = tiny.recipe()
    served = serve(Trained(recipe=recipe, network=recipe.model(), device="cpu", seed=0, seconds=0.0))
    one = request(served, recipe.data().test.first(16).inputs, 16)
    assert isinstance(one, Movable)
    before, places = copy.deepcopy(one()), Places(calls=[one], seed=1)
    timing.sample(
        {"baseline": one, "null": one}, baseline="baseline", seconds=0.2, seed=0, move=places.move,
        min_round_seconds=1e-3,
    )  # fmt: skip
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
        places = Places(calls=[Call(*network.parameters(), inputs)], seed=0)
        with torch.compiler.set_stance("fail_on_recompile"):
            for _ in range(3):
                places.move()
                assert torch.allclose(expected, compiled(inputs))
