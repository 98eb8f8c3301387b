"""Accuracy on images that lie as ImageNet's do, by a network that reads the class from the colour."""
# the expected value stands on the left

from urllib.error import URLError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from torchvision.transforms import ToTensor
from zoo_samples import ENTRY

from suite.claims.torchvision import accuracy
from suite.claims.torchvision.accuracy import CLASSES, IMAGES, Accuracy, images_of, measured
from suite.cli.main import main
from suite.core.errors import SetupError, UsageError

EACH = 2  # images of a class


class Reader(nn.Module):
    """Knows the class from red and green, and takes every tenth for its neighbour."""

    def forward(self, images):
        red, green = (images[:, 0, 0, 0] * 255).round().long(), (images[:, 1, 0, 0] * 255).round().long()
        label = red * 256 + green
        return nn.functional.one_hot((label + (label % 10 == 0)) % CLASSES, CLASSES).float()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two images of each of 1,000 classes, whose names sort as the classes do."""
    root = tmp_path_factory.mktemp("imagenet")
    for label in range(CLASSES):
        folder = root / "val" / f"n{label:08d}"
        folder.mkdir(parents=True)
        for number in range(EACH):
            Image.new("RGB", (2, 2), (label // 256, label % 256, number)).save(folder / f"{number}.PNG")
    return root


@pytest.fixture
def reader(monkeypatch):
    monkeypatch.setattr(accuracy, "trained", lambda _: (Reader(), ToTensor()))
    monkeypatch.setattr(accuracy, "_workers", lambda: 0)


@pytest.mark.usefixtures("reader")
def test_every_image_counts_once(root):
    """A tenth of the classes is wrong."""
    assert Accuracy(right=1800, images=2000) == measured(ENTRY, images_of(root), device="cpu")


@pytest.mark.usefixtures("reader")
def test_a_sample_has_as_many_images_of_each_class(root):
    """One of each, and so a tenth is wrong again; more than there are is all."""
    assert Accuracy(right=900, images=1000) == measured(ENTRY, images_of(root), device="cpu", images=1999)
    assert Accuracy(right=1800, images=2000) == measured(ENTRY, images_of(root), device="cpu", images=9000)


@pytest.mark.usefixtures("reader")
def test_the_command_holds_the_figure_against_the_published_one(root, capsys):
    """90 % of 2,000 images is not the published 58.178 %; the folder with the classes may be named itself."""
    assert 1 == main(["zoo", "squeezenet1_1", "--check", "--data-root", str(root / "val"), "--device", "cpu"])
    said = capsys.readouterr().out.splitlines()
    measured_line = "squeezenet1_1 IMAGENET1K_V1: top-1 90.00 % [88.14, 91.60] of 2,000 images"
    assert f"{measured_line}, published 58.18 %" == said[-2]
    assert f"{measured_line} does not hold the published 58.18 %" == said[-1]


@pytest.mark.usefixtures("reader")
def test_without_a_check_nothing_is_judged(root):
    """The figure is printed alone."""
    assert 0 == main(["zoo", "squeezenet1_1", "--data-root", str(root), "--images", "1000", "--device", "cpu"])


@given(right=st.integers(0, 1000))
def test_a_sample_agrees_with_what_its_interval_holds(right):
    """Its own share always, and nothing beyond the interval and a tenth of a point."""
    found = Accuracy(right=right, images=1000)
    low, high = found.interval
    assert found.agrees(found.percent)
    assert not found.agrees(low - 0.11)
    assert not found.agrees(high + 0.11)


def test_all_images_are_no_sample():
    """Then a tenth of a point is all that decoders may differ in."""
    found = Accuracy(right=round(0.7 * IMAGES), images=IMAGES)
    assert (70.0, 70.0) == found.interval
    assert found.agrees(70.09)
    assert not found.agrees(70.11)


def test_a_folder_without_the_classes_is_said_before_anything_is_counted(monkeypatch, tmp_path):
    """Counting all networks takes half a minute."""
    monkeypatch.setattr("suite.claims.torchvision.counts.count", lambda *_: pytest.fail("it counts"))
    assert 11 == main(["zoo", f"--data-root={tmp_path / 'absent'}"])


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_folder_without_the_classes_is_a_message(name, tmp_path):
    """It says how many there are and how they should lie."""
    (tmp_path / "n01440764").mkdir()
    with pytest.raises(UsageError, match=r"folders of classes, not 1,000; .* like val/n01440764/"):
        images_of(tmp_path / name)


@pytest.mark.usefixtures("reader")
def test_a_class_without_images_is_a_message(tmp_path):
    """A copy that was stopped half way."""
    for label in range(CLASSES):
        (tmp_path / str(label)).mkdir()
    with pytest.raises(UsageError, match=r"Found no valid file for the classes .*; is the copy of .* complete"):
        measured(ENTRY, images_of(tmp_path), device="cpu")


def test_weights_that_cannot_be_had_are_named_with_their_place(monkeypatch):
    """No way to the server."""

    def offline(*_, **__):
        raise URLError("no route")

    monkeypatch.setattr("torchvision.models.get_model", offline)
    with pytest.raises(
        SetupError, match=r"weights squeezenet1_1 IMAGENET1K_V1 cannot be loaded: .*; put https://.*checkpoints"
    ):
        accuracy.trained(ENTRY)


@pytest.mark.parametrize(
    ("expected", "arguments"),
    [
        ("name the folder of ImageNet", ["--images", "5"]),
        ("--images must be 1 or more, got 0", ["--images", "0", "--data-root", "."]),
    ],
)
def test_what_cannot_be_measured_is_refused_before_counting(expected, arguments, capsys):
    """Exit code for what cannot be used."""
    assert 11 == main(["zoo", "squeezenet1_1", *arguments])
    assert expected in capsys.readouterr().err
