"""The suite's readers of data sets against torchvision's, whose import alone takes longer than a unit test may."""
# the expected value stands on the left

import datafiles
import pytest
import torch

from suite.datasets import cifar10, mnist

pytestmark = pytest.mark.system


@pytest.fixture
def torchvisions():
    """Imported here: collecting the unit tests must not."""
    from torchvision import datasets

    return datasets


def test_the_published_checksums_are_torchvisions(torchvisions):
    """Of CIFAR's files; of MNIST torchvision knows those of the archives alone, so names are compared."""
    CIFAR10, MNIST = torchvisions.CIFAR10, torchvisions.MNIST  # noqa: N806  # classes
    theirs = dict([*CIFAR10.train_list, *CIFAR10.test_list, (CIFAR10.meta["filename"], CIFAR10.meta["md5"])])
    assert theirs == dict(cifar10.DATASET.files)
    assert CIFAR10.base_folder == cifar10.DATASET.folder
    assert [f"{name}.gz" for name in mnist.DATASET.files] == [name for name, _ in MNIST.resources]


@pytest.mark.parametrize("train", [True, False])
def test_mnist_is_read_where_and_as_torchvision_reads_it(torchvisions, tmp_path, train):
    """The same folder, images and digits."""
    datafiles.write_mnist(tmp_path)
    theirs, (images, digits) = torchvisions.MNIST(tmp_path, train=train), mnist.load(tmp_path, train=train)
    assert torch.equal(theirs.data, images)
    assert torch.equal(theirs.targets, digits)


@pytest.mark.parametrize("train", [True, False])
def test_cifar_is_read_where_and_as_torchvision_reads_it(torchvisions, tmp_path, monkeypatch, train):
    """The same folder, images and classes; torchvision is told the checksums of this test's files."""
    CIFAR10 = torchvisions.CIFAR10  # noqa: N806  # a class
    datafiles.write_cifar10(tmp_path)
    published = datafiles.as_published(cifar10.DATASET, tmp_path).files
    for name in ("train_list", "test_list"):
        monkeypatch.setattr(CIFAR10, name, [[file, published[file]] for file, _ in getattr(CIFAR10, name)])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": published["batches.meta"]})
    theirs, (images, classes) = CIFAR10(tmp_path, train=train), cifar10.load(tmp_path, train=train)
    assert theirs.data.transpose(0, 3, 1, 2).tolist() == images.tolist()
    assert theirs.targets == classes.tolist()
