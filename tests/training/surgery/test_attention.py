"""Which networks call torch's attention."""
# the expected value stands on the left

import pytest
import tiny
import torch
from torch import nn

from suite.training.surgery.attention import calls_attention


@pytest.mark.parametrize(
    ("network", "inputs", "expected"),
    [
        (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.zeros(2, 5, 8), True),
        (tiny.Net, torch.zeros(2, 1, 8, 8), False),
    ],
    ids=["an encoder layer", "convolutions"],
)
@pytest.mark.parametrize("training", [True, False])
def test_attention_is_noticed_wherever_it_is_called(network, inputs, expected, training):
    """In either mode, which stays; torch's own layers call it from inside."""
    found = network().train(training)
    assert expected == calls_attention(found, inputs)
    assert training == found.training
