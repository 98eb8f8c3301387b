"""Images grow while a network trains; networks of one size are told."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.bench.requirements import require
from suite.catalog.techniques.progressive_resizing import resized
from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY


class Pooled(nn.Module):
    """A global pooling before the head; inputs [B, 1, H, W]."""

    def __init__(self):
        super().__init__()
        self.conv, self.head, self.sides = nn.Conv2d(1, 4, 3), nn.Linear(4, 2), []

    def forward(self, x):
        self.sides.append(tuple(x.shape[2:]))
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))


def test_images_grow_evenly_and_are_whole_at_the_end():
    """Half the side at first; the last fifth of ten epochs, and one before it, see 8 x 8."""
    recipe = composed("progressive_resizing", tiny.recipe(model=Pooled, epochs=10))
    network = tiny.fitted(recipe).network
    sides = network.sides[1:]  # after one that warms up
    by_epoch = [sides[4 * epoch] for epoch in range(10)]
    assert [4, 4, 5, 6, 6, 6, 7, 8, 8, 8] == [side for side, _ in by_epoch]
    assert 10 * 4 == len(sides)


def test_a_constant_image_stays_what_it_is_and_a_whole_one_is_not_copied():
    """Bilinear means of equal values; no work where there is none."""
    image = torch.full((2, 3, 8, 6), 0.25)
    found = resized(image, 0.5)
    assert (2, 3, 4, 3) == found.shape
    torch.testing.assert_close(torch.full((2, 3, 4, 3), 0.25), found)
    assert resized(image, 1.0) is image


def test_a_network_of_one_size_is_unavailable_with_the_reason():
    """Its first Linear wants 1,600 values; nothing is trained."""
    case = tiny.case_of(REGISTRY, "progressive_resizing", "digits_cnn")
    with pytest.raises(UnavailableError, match=r"network of digits_cnn takes no images of 14 x 14 \(RuntimeError"):
        require(case, case.workload.plain(0))
    with pytest.raises(UnavailableError, match="are no images"):
        require(case, samples.words())


def test_mixed_images_are_resized_too():
    """With another technique that changes the batch, in either order."""
    for text in ("mixup+progressive_resizing", "progressive_resizing+mixup"):
        tiny.fitted(replace(composed(text, tiny.recipe(model=Pooled)), epochs=1))


@pytest.mark.parametrize("given", ["smallest=0.0", "smallest=1.5", "full=1.0"])
def test_shares_out_of_range_are_errors(given):
    """They name the parameter and its value."""
    name, _, value = given.partition("=")
    with pytest.raises(UsageError, match=rf"progressive_resizing: {name} must be in .*, got {value}"):
        composed(f"progressive_resizing({given})")
