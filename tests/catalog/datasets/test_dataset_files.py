"""Data sets in a folder: there, not there, half there or damaged; each said in one sentence."""
# the expected value stands on the left

from dataclasses import replace

import datafiles
import pytest
import torch

from suite.catalog.datasets import cifar10, mnist
from suite.core.errors import SetupError, UnavailableError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture
def written(tmp_path):
    """Small MNIST files below ``tmp_path``; the data set whose checksums are theirs."""
    datafiles.write_mnist(tmp_path)
    return datafiles.as_published(mnist.DATASET, tmp_path)


def said(dataset, root, kind=SetupError):
    with pytest.raises(kind) as error:
        dataset.require(root)
    return str(error.value)


@pytest.mark.parametrize("dataset", [mnist.DATASET, cifar10.DATASET], ids=lambda one: one.name)
def test_data_that_are_not_there_are_unavailable_in_one_sentence(dataset, tmp_path):
    """What is missing, where it was looked for, and the command."""
    assert (
        f"the files of {dataset.name} are not in {tmp_path / dataset.folder}: run `suite data {dataset.name} --root "
        f"{tmp_path}` to download them, or set SUITE_DATA to the folder that holds {dataset.folder}"
    ) == said(dataset, tmp_path, UnavailableError)


def test_a_root_with_a_space_can_be_typed(tmp_path):
    """The command quotes it."""
    assert f"suite data mnist --root '{tmp_path / 'my data'}'" == mnist.DATASET.command(tmp_path / "my data")


def test_data_that_are_whole_are_accepted(written, tmp_path):
    """All files, all checksums."""
    assert [] == written.absent(tmp_path)
    written.require(tmp_path)


def test_half_of_the_files_is_an_error_and_not_an_absence(written, tmp_path):
    """A download was interrupted: the missing files are named, the command fetches them."""
    (tmp_path / written.folder / LABELS).unlink()
    found = said(written, tmp_path)
    assert f"mnist is incomplete: {LABELS} missing in {tmp_path / written.folder}; run `suite data mnist" in found


def damaged(dataset, root, change, name=IMAGES):
    file = root / dataset.folder / name
    file.write_bytes(change(file.read_bytes()))
    return said(dataset, root)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda content: content[:-100],
            "is cut short: it has 112,812 bytes, and 112,912 for its 144 x 28 x 28 values",
        ),
        (
            lambda content: content + b"\0",
            "is too long: it has 112,913 bytes, and 112,912 for its 144 x 28 x 28 values",
        ),
        (lambda content: content[:9], "is cut short: it ends after 9 bytes, within its header"),
        (lambda content: b"\x1f\x8b\x08\x08" + content, "it begins with 1f 8b 08 08, not 00 00 08 03"),
        (lambda _: b"", "is no IDX file of 3 dimensions: it begins with nothing, not 00 00 08 03"),
        (lambda _: b"<html>", "it begins with 3c 68 74 6d, not 00 00 08 03"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "is not the published file: its MD5 is "),
    ],
    ids=["truncated", "appended to", "cut in the header", "compressed", "empty", "a page", "one bit"],
)
def test_a_damaged_file_is_named_with_its_fault_and_the_way_out(written, tmp_path, change, expected):
    """What its format tells comes before the checksum."""
    found = damaged(written, tmp_path, change)
    assert found.startswith(f"{tmp_path / written.folder / IMAGES} ")
    assert expected in found
    assert found.endswith(f"; delete it and run `suite data mnist --root {tmp_path}`")


def test_labels_in_the_place_of_images_are_no_images(written, tmp_path):
    """The number of dimensions stands in the beginning of each."""
    labels = (tmp_path / written.folder / LABELS).read_bytes()
    assert "it begins with 00 00 08 01, not 00 00 08 03" in damaged(written, tmp_path, lambda _: labels)


def test_a_digest_names_the_files_and_changes_with_each_of_them():
    """Quality that was stored for other files is not expected of these."""
    changed = replace(mnist.DATASET, files=dict(mnist.DATASET.files) | {LABELS: "0" * 32})
    assert 16 == len(mnist.DATASET.digest())
    assert 3 == len({mnist.DATASET.digest(), changed.digest(), cifar10.DATASET.digest()})


def test_mnist_is_read_as_it_was_written(tmp_path):
    """Images and digits of both parts, in order."""
    content = datafiles.write_mnist(tmp_path)
    for part, train in (("train", True), ("t10k", False)):
        images, digits = mnist.load(tmp_path, train=train)
        assert torch.equal(content[part][0], images)
        assert torch.equal(content[part][1], digits)


def test_cifar_is_read_as_it_was_written(tmp_path):
    """The five batches one after the other, channels first; the test batch."""
    content = datafiles.write_cifar10(tmp_path)
    images, classes = cifar10.load(tmp_path, train=True)
    assert torch.equal(torch.cat([content[f"data_batch_{number}"] for number in range(1, 6)]), images)
    assert (torch.arange(40) % 10).repeat(5).tolist() == classes.tolist()
    assert torch.equal(content["test_batch"], cifar10.load(tmp_path, train=False)[0])
