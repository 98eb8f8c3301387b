"""``suite data``: says what is there, downloads what is not, touches nothing else."""
# the expected value stands on the left

from dataclasses import replace

import datafiles
import pytest

from suite.catalog.datasets import mnist
from suite.cli import data, main
from suite.core.errors import SetupError


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Runs look for data below ``tmp_path``; the only published MNIST is what `datafiles` writes."""
    monkeypatch.setenv("SUITE_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(data.DATASETS, "mnist", published(tmp_path / "published"))
    return tmp_path / "data"


def published(folder):
    datafiles.write_mnist(folder)
    return replace(datafiles.as_published(mnist.DATASET, folder), download=datafiles.write_mnist)


def test_without_a_name_every_data_set_is_told(place, capsys):
    """One line each, exit code 0, nothing is downloaded."""
    datafiles.write_mnist(place)
    assert 0 == main.main(["data"])
    first, second = capsys.readouterr().out.splitlines()
    assert f"mnist is in {place / 'MNIST/raw'}: 4 files, all with the published checksums" == first
    assert second.startswith("the files of cifar10 are not in ")


def test_a_data_set_is_downloaded_where_runs_look_for_it(place, capsys):
    """Then it is whole, and there is nothing more to say."""
    assert 0 == main.main(["data", "mnist"])
    assert [f"mnist is in {place / 'MNIST/raw'}: 4 files, all with the published checksums"] == (
        capsys.readouterr().out.splitlines()
    )


def test_another_folder_is_told_to_the_settings(place, tmp_path, capsys):
    """Runs would not find it by themselves."""
    other = tmp_path / "other"
    assert 0 == main.main(["data", "mnist", "--root", str(other)])
    assert (
        f"runs look in {place}: set SUITE_DATA={other}, or data_root in [tool.tradeoff-suite]"
        == (capsys.readouterr().out.splitlines()[-1])
    )


def test_what_is_there_is_not_fetched_again(place, monkeypatch, capsys):
    """A second call needs no network."""
    datafiles.write_mnist(place)
    monkeypatch.setitem(data.DATASETS, "mnist", replace(data.DATASETS["mnist"], download=None))
    assert 0 == main.main(["data", "mnist"])
    assert "4 files" in capsys.readouterr().out


def test_a_damaged_file_stays_and_is_told(place, capsys):
    """Nothing is deleted or fetched over it: exit code 11, one message."""
    datafiles.write_mnist(place)
    file = place / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    assert 11 == main.main(["data", "mnist"])
    assert "t10k-labels-idx1-ubyte is cut short" in capsys.readouterr().err
    assert 27 == file.stat().st_size


def test_a_download_that_fails_says_why_in_one_line(place):
    """What was tried, and what can be done without a network."""

    def fails(_root):
        raise RuntimeError("Error downloading:\nTried a mirror, got:\n<urlopen error>\n")

    with pytest.raises(SetupError) as error:
        data.fetch(replace(data.DATASETS["mnist"], download=fails), place)
    assert f"mnist cannot be downloaded into {place}: RuntimeError: Error downloading: Tried" in str(error.value)
    assert f"train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte into {place}" in str(error.value)
    assert 1 == len(str(error.value).splitlines())


def test_a_download_of_something_else_is_no_success(place):
    """The files are held to the checksums after it."""
    other = replace(data.DATASETS["mnist"], files=dict.fromkeys(mnist.DATASET.files, "0" * 32))
    with pytest.raises(SetupError, match=r"is not the published file: its MD5 is .*, not 0000"):
        data.fetch(other, place)


def test_an_unknown_data_set_is_a_mistake_of_usage(capsys):
    """The known ones are listed."""
    assert 11 == main.main(["data", "imagenet"])
    assert "known: " in capsys.readouterr().err
