"""Data sets in earnest: the suite's readers against torchvision's, and runs with and without the files."""
# the expected value stands on the left

import json

import datafiles
import pytest
import torch

from suite.catalog.datasets import cifar10, mnist
from suite.catalog.workloads import cifar_resnet, mnist_cnn
from suite.core.errors import UnavailableError

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


@pytest.mark.parametrize(
    ("module", "workload"), [(mnist, mnist_cnn), (cifar10, cifar_resnet)], ids=["mnist", "cifar10"]
)
def test_pixels_have_the_mean_and_deviation_that_they_are_standardised_by(module, workload):
    """Of all training pixels, to the four places that are stated; where this machine has the data."""
    root = module.DATASET.root()
    try:
        module.DATASET.require(root)
    except UnavailableError as error:
        pytest.skip(str(error))
    images = module.load(root, train=True)[0].double() / 255
    pixels = images.flatten() if images.dim() == 3 else images.transpose(0, 1).flatten(1)
    expected = torch.tensor([workload.MEAN, workload.DEVIATION], dtype=torch.float64)
    torch.testing.assert_close(expected, torch.stack([pixels.mean(-1), pixels.std(-1)]), rtol=0, atol=6e-5)


PUBLISHED = """
from dataclasses import replace
from pathlib import Path
from suite.catalog.datasets import mnist
from suite.catalog.datasets.dataset import md5

folder = Path(__file__).parent / "data" / mnist.DATASET.folder
mnist.DATASET = replace(mnist.DATASET, files={name: md5(folder / name) for name in mnist.DATASET.files})
"""


@pytest.fixture
def quick(suite, tmp_path):
    """``quick(*arguments)``: a quick run over ``mnist_cnn``."""
    options = ["--quick", "--seeds=1", "--device=cpu", "--workload=mnist_cnn", "--technique=baseline"]
    variables = {"SUITE_DATA": str(tmp_path / "data")}
    return lambda *arguments: suite(
        "bench", *options, "--expect=report", *arguments, cwd=tmp_path, env=variables, timeout=300
    )


@pytest.fixture
def bench(quick, tmp_path):
    """``bench(*arguments)``: the exit code of a quick run over ``mnist_cnn``, and its records."""

    def ran(*arguments):
        done = quick(*arguments)
        results = tmp_path / "reports" / "latest" / "results.jsonl"
        assert results.exists(), done.stdout[-3000:] + done.stderr[-2000:]
        return done.returncode, [json.loads(line) for line in results.read_text("utf-8").splitlines()]

    return ran


@pytest.mark.timeout(300)
def test_without_the_files_every_cell_is_unavailable_in_one_sentence(tmp_path, bench):
    """Nothing was gated and nothing was downloaded."""
    code, records = bench("--expect=gate")
    assert 12 == code
    failures = [record for record in records if record["type"] == "failure"]
    assert {"unavailable"} == {failure["kind"] for failure in failures}
    (reason,) = {failure["reason"] for failure in failures}
    assert f"not in {tmp_path / 'data' / 'MNIST' / 'raw'}: run `suite data mnist --root {tmp_path / 'data'}`" in reason
    assert not (tmp_path / "data").exists()


@pytest.mark.timeout(300)
def test_with_the_files_it_is_measured_like_any_other_workload(tmp_path, bench):
    """All four groups; the data have a digest."""
    datafiles.write_mnist(tmp_path / "data")
    (tmp_path / "published.py").write_text(PUBLISHED, "utf-8")
    code, records = bench("--load=published.py")
    assert 0 == code
    measured = {record["metric"] for record in records if record["type"] == "measurement"}
    assert {"accuracy", "parameters", "speedup", "train_seconds"} <= measured
    assert "mnist_cnn" in records[0]["where"]["data_digests"]


@pytest.mark.timeout(300)
def test_damaged_files_are_an_error_whatever_is_expected(tmp_path, quick):
    """A file that was cut short is named once, before anything is measured."""
    datafiles.write_mnist(tmp_path / "data")
    file = tmp_path / "data" / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    done = quick()
    assert 11 == done.returncode
    assert 1 == done.stdout.count(f"{file} is cut short")
