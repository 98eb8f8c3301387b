"""CIFAR-10 and a small residual network: its size, its crops, its files."""
# the expected value stands on the left

from dataclasses import replace

import datafiles
import pytest
import torch

from suite.catalog.datasets import cifar10
from suite.catalog.workloads.cifar_resnet import (
    BATCH,
    DEVIATION,
    MEAN,
    PADDING,
    Block,
    SmallResNet,
    augmented,
    cifar_resnet,
    digest,
    splits,
)
from suite.core.errors import UnavailableError
from suite.registry import REGISTRY
from suite.training.loop import built, fit


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Where this test's data would lie."""
    monkeypatch.setenv("SUITE_DATA", str(tmp_path))
    yield tmp_path
    splits.cache_clear()


def test_without_files_its_data_are_unavailable(place):
    """The recipe can be built all the same."""
    with pytest.raises(UnavailableError, match=f"not in {place / 'cifar-10-batches-py'}: run `suite data cifar10"):
        cifar_resnet(0).data()


@pytest.fixture
def content(place, monkeypatch):
    found = datafiles.write_cifar10(place)
    datafiles.publish(cifar10, place, monkeypatch)
    return found


def test_images_are_standardised_by_channel_and_the_last_tenth_validates(content):
    """180 and 20 of 200 training images, 40 test images."""
    found = cifar_resnet(0).data()
    assert (180, 20, 40) == (len(found.train), len(found.validation), len(found.test))
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    for part, name, items in (("test", "test_batch", slice(40)), ("validation", "data_batch_5", slice(20, 40))):
        pixels = (getattr(found, part).inputs * deviation + mean).mul(255).round().to(torch.uint8)
        assert torch.equal(content[name][items], pixels)


def test_it_trains_in_full_batches(content):  # noqa: ARG001  # the files are there
    """One of 128 images an epoch; a quarter of the channels, for a second."""
    recipe = cifar_resnet(0)
    train = recipe.data().train
    sizes = [len(batch) for batch in recipe.batches(train, torch.Generator().manual_seed(0))]
    assert [BATCH] * recipe.steps_per_epoch(len(train)) == sizes
    trained = fit(narrow(recipe), seed=0, device="cpu", reference=lambda _: None, goal=None, report=None)
    assert all(parameter.isfinite().all() for parameter in trained.network.parameters())
    assert not torch.equal(built(narrow(recipe), 0).head.weight, trained.network.head.weight)


def narrow(recipe):
    return replace(recipe, model=lambda: SmallResNet(0.25), epochs=2)


@pytest.mark.parametrize(("width", "parameters"), [(1.0, 308_266), (0.25, 19_858)])
def test_the_network_has_the_parameters_of_its_width(width, parameters):
    """Ten class scores for each image."""
    network = SmallResNet(width)
    assert parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (2, 10) == tuple(network(torch.zeros(2, 3, 32, 32)).shape)


@torch.no_grad()
def test_a_block_whose_convolutions_are_zero_passes_on_what_it_reads():
    """The residual connection: nothing is added, and what is not negative stays."""
    block, images = Block(4, 4, 1).eval(), torch.rand(2, 4, 8, 8)
    block.conv2.weight.zero_()
    torch.testing.assert_close(images, block(images))


def test_every_image_is_moved_and_mirrored_by_itself():
    """Each result is one of the 162 that there can be for its image, channels together; several occur."""
    images = torch.rand(64, 3, 8, 8)
    found = augmented(images, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(images, [PADDING] * 4)
    moves = range(2 * PADDING + 1)
    crops = [padded[:, :, down : down + 8, right : right + 8] for down in moves for right in moves]
    choices = torch.stack([*crops, *(crop.flip(3) for crop in crops)])
    matches = (choices == found).flatten(2).all(2)
    assert matches.any(0).all()
    assert 30 < len(set(matches.int().argmax(0).tolist()))


def test_the_generator_alone_decides_the_crops():
    """The same epoch for the same seed."""
    images = torch.rand(8, 3, 8, 8)
    first, again, other = (augmented(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_it_runs_only_where_it_is_asked_for():
    """Default and quick runs measure what they did before."""
    found = REGISTRY.find_workload("cifar_resnet")
    assert (False, False, digest) == (found.quick, found.default, found.digest)
