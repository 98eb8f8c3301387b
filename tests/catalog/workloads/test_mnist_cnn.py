"""MNIST and the article's network: read from files, or unavailable; never downloaded by a run."""
# the expected value stands on the left

import datafiles
import pytest
import torch

from suite.catalog.datasets import mnist
from suite.catalog.workloads.mnist_cnn import BATCH, DEVIATION, MEAN, digest, mnist_cnn, splits
from suite.core.errors import SetupError, UnavailableError
from suite.registry import REGISTRY
from suite.training.loop import fit


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Where this test's data would lie."""
    monkeypatch.setenv("SUITE_DATA", str(tmp_path))
    yield tmp_path
    splits.cache_clear()


@pytest.fixture
def content(place, monkeypatch):
    found = datafiles.write_mnist(place)
    datafiles.publish(mnist, place, monkeypatch)
    return found


def test_without_files_its_data_are_unavailable(place):
    """The recipe can be built all the same: techniques are checked on it."""
    with pytest.raises(UnavailableError, match=f"not in {place / 'MNIST' / 'raw'}: run `suite data mnist"):
        mnist_cnn(0).data()


def test_files_that_are_not_the_published_ones_are_an_error(place):
    """A network trained on something else would be compared with MNIST's figures."""
    datafiles.write_mnist(place)
    with pytest.raises(SetupError, match="is not the published file"):
        mnist_cnn(0).data()


def test_images_are_standardised_as_in_the_article_and_the_last_twelfth_validates(content):
    """132 and 12 of 144 training images, 20 test images, all with their digits."""
    found = mnist_cnn(0).data()
    assert found is mnist_cnn(1).data()
    images, digits = content["train"]
    inputs = torch.cat([found.train.inputs, found.validation.inputs])
    torch.testing.assert_close(images, (inputs[:, 0] * DEVIATION + MEAN).mul(255).round().to(torch.uint8))
    assert digits.tolist() == torch.cat([found.train.targets, found.validation.targets]).tolist()
    assert (132, 12, 20) == (len(found.train), len(found.validation), len(found.test))
    assert content["t10k"][1].tolist() == found.test.targets.tolist()


def test_it_trains_in_full_batches(content):  # noqa: ARG001  # the files are there
    """Two of 64 images; the seed's network has the article's 225,034 parameters."""
    recipe = mnist_cnn(0)
    train = recipe.data().train
    assert [BATCH] * recipe.steps_per_epoch(len(train)) == [
        len(batch) for batch in recipe.batches(train, torch.Generator())
    ]
    trained = fit(recipe, seed=0, device="cpu", reference=lambda _: None, goal=None, report=None)
    assert 225_034 == sum(parameter.numel() for parameter in trained.network.parameters())
    assert all(parameter.isfinite().all() for parameter in trained.network.parameters())


def test_it_runs_only_where_it_is_asked_for():
    """Default and quick runs measure what they did before."""
    found = REGISTRY.find_workload("mnist_cnn")
    assert (False, False, digest) == (found.quick, found.default, found.digest)
