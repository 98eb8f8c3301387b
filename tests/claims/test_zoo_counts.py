"""Counts of torchvision's networks without their weights."""
# the expected value stands on the left

import pytest

from suite.catalog.zoo.entries import entries, models
from suite.claims.torchvision.agreement import disagreements
from suite.claims.torchvision.counts import count, shapes
from suite.core.errors import UsageError

SMALL = ("squeezenet1_1", "mnasnet0_5", "regnet_y_400mf", "googlenet", "vit_b_32")


@pytest.mark.parametrize("model", SMALL)
def test_counts_are_the_published_ones(model):
    """Convolutions, groups, squeeze and excitation, heads left out, attention."""
    found = [sentence for entry in entries([model]) for sentence in disagreements(entry, count(model, entry.pixels))]
    assert [] == found


def test_bytes_are_those_of_parameters_and_buffers():
    """No batch norm, so four bytes a parameter."""
    assert 4 * 1_235_496 == count("squeezenet1_1", 224).bytes


def test_a_vision_transformer_has_positions_for_its_images():
    """Of 64 pixels: four patches of 32, and the class."""
    assert (1, 5, 768) == tuple(shapes("vit_b_32", 64).encoder.pos_embedding.shape)


def test_no_memory_is_taken():
    """Weights of 138 million parameters have shapes alone."""
    assert {"meta"} == {weight.device.type for weight in shapes("vgg16", 224).parameters()}


def test_torchvision_is_left_as_it_was():
    """Its RegNets are built with a function of ours in place of one of theirs."""
    from torchvision.models.regnet import BlockParams  # seconds: not while tests are collected

    before = vars(BlockParams)["from_init_params"]
    shapes("regnet_y_400mf", 224)
    assert before is vars(BlockParams)["from_init_params"]


def test_entries_are_read_without_downloads():
    """Two sets of weights, of images of two sizes."""
    found = {entry.weights: entry for entry in entries(["regnet_y_16gf"])}
    assert (224, 384) == (found["IMAGENET1K_V2"].pixels, found["IMAGENET1K_SWAG_E2E_V1"].pixels)
    assert 82.886 == found["IMAGENET1K_V2"].accuracy


def test_weights_that_classify_nothing_have_no_accuracy():
    """VGG-16's features publish NaN."""
    found = {entry.weights: entry.accuracy for entry in entries(["vgg16"])}
    assert {"IMAGENET1K_V1": 71.592, "IMAGENET1K_FEATURES": None} == found


def test_a_name_that_is_given_twice_counts_once():
    """In the order in which names are given."""
    assert ["vgg11", "alexnet"] == [entry.model for entry in entries(["vgg11", "alexnet", "vgg11"])]


def test_detectors_count_the_regions_that_the_published_image_had():
    """1000 proposals in the second stage, or none, and masks of 100 detections; segmentation has both its heads."""
    names = ("fasterrcnn_mobilenet_v3_large_320_fpn", "maskrcnn_resnet50_fpn_v2", "lraspp_mobilenet_v3_large")
    counted = [(entry, count(entry.model, entry.pixels, entry.weights)) for entry in entries(names)]
    assert 3 == len(counted)
    assert [] == [sentence for entry, counts in counted for sentence in disagreements(entry, counts)]


def test_norms_of_a_pretrained_backbone_are_not_trained():
    """53,120 parameters fewer than with weights=None; a second version trains them."""
    assert 41_755_286 == sum(weight.numel() for weight in shapes("fasterrcnn_resnet50_fpn", 800).parameters())


def test_all_are_classification_networks():
    """Of the same room as detectors and segmentation, which have other inputs."""
    assert {"alexnet", "vit_h_14"} < set(models())
    assert [] == [name for name in models() if "rcnn" in name or "raft" in name or "quantized" in name]


def test_an_unknown_name_has_near_ones():
    """One message."""
    with pytest.raises(UsageError, match=r"'mobilenetv2'; did you mean mobilenet_v2"):
        entries(["mobilenetv2"])
