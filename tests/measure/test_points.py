"""Points of scaling curves: parameters and operations of the built-in workloads, by hand."""
# the expected value stands on the left

import pytest
import torch

from suite.catalog.workloads import digits_cnn, stdlib_lm
from suite.catalog.workloads.stdlib_text import WINDOW, as_split, windows
from suite.measure.points import point
from suite.training.data import Splits
from suite.training.surgery.axes import find

MACS = 2_631_040  # of SimpleCNN and one image


@pytest.fixture
def byte_recipe(monkeypatch):
    part = as_split(windows([bytes(range(256)) * 600]))
    monkeypatch.setattr(stdlib_lm, "splits", lambda: Splits(train=part, validation=part, test=part))
    return stdlib_lm.stdlib_lm(0)


def plain(recipe, name):
    axis = find(recipe, name)
    return point(axis, recipe, axis.full)


def test_the_plain_points_of_digits_are_one_point_on_every_axis():
    """33 batches of 32 images, ten times."""
    recipe = digits_cnn.digits_cnn(0)
    for name in ("train_samples", "steps", "width"):
        found = plain(recipe, name)
        assert (225_034, 330, 330 * 32) == (found.parameters, found.steps, found.items_seen)
        assert 6 * MACS * 330 * 32 == found.flops


def test_half_the_images_are_seen_twice_as_often():
    """The training costs the same, so the curve is about data alone."""
    recipe = digits_cnn.digits_cnn(0)
    found = point(find(recipe, "train_samples"), recipe, 500)
    assert (500, 330, 6 * MACS * 330 * 32) == (found.train_samples, found.steps, found.flops)


@pytest.mark.parametrize("width", [0.25, 1.0])
def test_operations_of_the_byte_model_are_six_for_each_weight_and_byte(byte_recipe, width):
    """Weights of products, the shared table once, and attention's two products of T x T for each channel."""
    found = point(find(byte_recipe, "width"), byte_recipe, width)
    channels = 64 * width
    weights = 12 * channels**2 + 256 * channels
    attention = 2 * WINDOW * channels  # for each byte; the half that the mask hides is counted
    assert 6 * (weights + attention) * WINDOW * found.items_seen == found.flops


def test_the_byte_model_sees_sixteen_windows_a_step(byte_recipe):
    """Thirty steps of any epochs."""
    found = point(find(byte_recipe, "steps"), byte_recipe, 30)
    assert (30, 30 * 16, torch.inf) == (found.steps, found.items_seen, find(byte_recipe, "steps").most)
