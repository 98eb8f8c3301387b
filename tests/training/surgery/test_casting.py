"""A network in another data type."""
# the expected value stands on the left

import pytest
import torch
from torch import nn

from suite.training.surgery.casting import Cast


class Seen(nn.Module):
    """Notes the types that it gets; gives back what it gets, with a Linear of the numbers."""

    def __init__(self):
        super().__init__()
        self.layer, self.seen = nn.Linear(3, 2), []

    def forward(self, inputs):
        self.seen.append((inputs["x"].dtype, inputs["token"].dtype))
        return {"y": self.layer(inputs["x"]), "token": inputs["token"]}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_numbers_are_cast_on_the_way_in_and_back_on_the_way_out(dtype):
    """Whole numbers stay as they are, both ways, in any tree."""
    network = Seen()
    cast = Cast(network, dtype)
    found = cast({"x": torch.ones(4, 3), "token": torch.arange(4)})
    assert [(dtype, torch.int64)] == network.seen
    assert (torch.float32, torch.int64) == (found["y"].dtype, found["token"].dtype)
    assert {dtype} == {parameter.dtype for parameter in cast.parameters()}


def test_the_values_are_those_of_the_network_up_to_rounding():
    """bfloat16 keeps eight bits."""
    network, inputs = nn.Linear(16, 4), torch.randn(5, 16)
    before = network(inputs)
    torch.testing.assert_close(before, Cast(network, torch.bfloat16)(inputs), rtol=0.05, atol=0.05)


def test_weights_are_cast_once_and_not_at_every_call():
    """The tensors that are called are the tensors that are kept."""
    cast = Cast(nn.Linear(3, 2), torch.bfloat16)
    before = [(parameter.data_ptr(), parameter._version) for parameter in cast.parameters()]
    kinds = []
    cast.network.register_forward_pre_hook(lambda module, _: kinds.append(module.weight.data_ptr()))
    for _ in range(2):
        cast(torch.ones(1, 3))
    assert before == [(parameter.data_ptr(), parameter._version) for parameter in cast.parameters()]
    assert [before[0][0]] * 2 == kinds
