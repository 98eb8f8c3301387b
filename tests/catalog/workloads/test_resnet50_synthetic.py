"""Synthetic ImageNet: noise for timings, from which nothing is learnt."""
# the expected value stands on the left

import pytest
import torch

from suite.catalog.workloads import resnet50_synthetic
from suite.catalog.workloads.resnet50_synthetic import EXAMPLES, batches, splits
from suite.registry import REGISTRY


def test_nothing_is_learnt_or_scored():
    """The data carry no meaning; the batches are those that fit each kind of device."""
    found = REGISTRY.find_workload("resnet50_synthetic")
    assert ("none", (), None) == (found.source, found.scores, found.target)
    assert (4, 64) == (found.batch_on("cpu"), found.batch_on("cuda"))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_what_it_runs_by_default_exists(device):
    """A technique that was renamed would be missed in silence."""
    for name in REGISTRY.find_workload("resnet50_synthetic").techniques_on(device):
        assert REGISTRY.resolve(name)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_decides_the_noise(seed):
    """64 images of 224 x 224 pixels, the same every time."""
    splits.cache_clear()
    first = splits(seed).train
    splits.cache_clear()
    assert torch.equal(first.inputs, splits(seed).train.inputs)
    assert (EXAMPLES, 3, 224, 224) == tuple(first.inputs.shape)


def test_an_epoch_has_the_steps_that_the_recipe_says():
    """Four images a step on a CPU."""
    recipe, train = resnet50_synthetic.resnet50_synthetic(0), splits(0).train
    found = list(batches(train, torch.Generator()))
    assert recipe.steps_per_epoch(len(train)) == len(found)
    assert {4} == {len(batch) for batch in found}
