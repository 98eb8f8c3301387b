"""Models that build changed networks: they take what the model took, and a look at a network leaves it as it was."""
# the expected value stands on the left

import pytest
import tiny
import torch
from torch import nn

from suite.training.surgery.axes import takes_width
from suite.training.surgery.rebuilding import evaluating, rebuilt


def test_every_network_is_changed_and_options_are_passed_on():
    """The width reaches the model."""
    model = rebuilt(tiny.Net, lambda network: nn.Sequential(network, nn.Identity()))
    assert (8, 4) == tuple(built[0].conv[0].out_channels for built in (model(), model(width=0.5)))


def test_a_rebuilt_model_takes_a_width_only_where_the_model_did():
    """Asked of its signature."""
    for plain in (tiny.Net, lambda: tiny.Net()):  # noqa: PLW0108  # without the class's options
        recipe = tiny.recipe(model=plain)
        assert takes_width(recipe) == takes_width(tiny.recipe(model=rebuilt(plain, lambda network: network)))


def test_a_look_moves_no_statistics_and_gives_the_mode_back():
    """Also where the look fails."""
    norm = nn.BatchNorm1d(2)
    for mode in (True, False):
        norm.train(mode)
        with pytest.raises(ValueError, match="2D or 3D"), evaluating(norm):
            norm(norm(torch.randn(4, 2))[0])
        assert mode == norm.training
    assert 0 == int(norm.num_batches_tracked)
