"""Handwritten digits: folds, standardisation, batches, and what a seed decides."""
# the expected value stands on the left

import pytest
import torch

from suite.catalog.workloads import digits_cnn
from suite.catalog.workloads.digits_cnn import BATCH, FOLDS, SHIFT, SimpleCNN, digits, shifted_batches, splits
from suite.registry import REGISTRY
from suite.training.loop import built

IMAGES = 1797


def indices(fold):
    """The images of training, validation and test of a fold."""
    _, _, folds = digits()
    training = [folds[(fold + k) % FOLDS] for k in range(2, FOLDS)]
    return torch.cat(training), folds[(fold + 1) % FOLDS], folds[fold]


def test_five_seeds_test_every_image_exactly_once():
    """Folds are disjoint and cover all 1,797 images."""
    tested = torch.cat([indices(seed)[2] for seed in range(FOLDS)])
    assert list(range(IMAGES)) == sorted(tested.tolist())


@pytest.mark.parametrize("fold", range(FOLDS))
def test_the_three_parts_of_a_seed_are_disjoint_and_complete(fold):
    """Nothing that is trained on is tested, and nothing is left out."""
    parts = [set(part.tolist()) for part in indices(fold)]
    assert IMAGES == len(set.union(*parts)) == sum(map(len, parts))


@pytest.mark.parametrize("fold", range(FOLDS))
def test_the_splits_hold_the_images_of_their_fold(fold):
    """Up to standardisation every part has its images and labels, in order."""
    images, targets, _ = digits()
    found = splits(fold)
    mean, deviation = images[indices(fold)[0]].mean(), images[indices(fold)[0]].std()
    for part, chosen in zip((found.train, found.validation, found.test), indices(fold), strict=True):
        assert torch.equal(targets[chosen], part.targets)
        torch.testing.assert_close(part.inputs * deviation + mean, images[chosen])


@pytest.mark.parametrize("fold", range(FOLDS))
def test_images_are_standardised_by_the_training_data_alone(fold):
    """The training images have mean 0 and deviation 1; the others nearly so, and not exactly."""
    found = splits(fold)
    assert pytest.approx((0, 1), abs=1e-5) == (float(found.train.inputs.mean()), float(found.train.inputs.std()))
    assert abs(float(found.test.inputs.mean())) > 1e-5


def test_every_fold_has_its_share_of_every_digit():
    """Labels are stratified: folds differ by at most one image a digit."""
    _, targets, folds = digits()
    counts = torch.stack([torch.bincount(targets[fold], minlength=10) for fold in folds])
    assert int((counts.max(0).values - counts.min(0).values).max()) <= 1


def test_images_are_28_by_28_with_one_channel():
    """Upsampled from 8 x 8, contiguous, float32."""
    inputs = splits(0).test.inputs
    assert (1, 28, 28) == tuple(inputs.shape[1:])
    assert (784, 784, 28, 1) == inputs.stride()
    assert torch.float32 == inputs.dtype


def test_a_seed_beyond_the_folds_starts_again_with_another_network():
    """Seed 5 tests fold 0 with other first weights."""
    first, sixth = digits_cnn.digits_cnn(0), digits_cnn.digits_cnn(5)
    assert splits(0) is first.data() is sixth.data()
    assert not torch.equal(built(first, 0).fc2.weight, built(sixth, 5).fc2.weight)


@pytest.mark.parametrize("fold", range(FOLDS))
def test_every_image_keeps_its_name_in_every_fold(fold):
    """Ids are the images' places in the whole data set, so that five folds are 1,797 images and no five times 360."""
    found = splits(fold)
    for part, chosen in zip((found.train, found.validation, found.test), indices(fold), strict=True):
        assert torch.equal(chosen, part.ids)


def test_the_workload_is_scored_as_a_classification_with_a_target():
    """Accuracy first; its target is a validation accuracy."""
    found = REGISTRY.find_workload("digits_cnn")
    assert ["accuracy", "macro_precision", "macro_recall"] == [score.name for score in found.scores]
    assert ("train", 0.985) == (found.source, found.target)


def test_batches_are_full_shuffled_and_rolled():
    """Every image at most once an epoch; each batch moves by up to two pixels, as a whole."""
    train = splits(0).train
    found = list(shifted_batches(train, torch.Generator().manual_seed(0)))
    recipe = digits_cnn.digits_cnn(0)
    assert recipe.steps_per_epoch(len(train)) == len(found)
    assert {BATCH} == {len(batch.targets) for batch in found}
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:BATCH]
    shifts = [(down, right) for down in range(-SHIFT, SHIFT + 1) for right in range(-SHIFT, SHIFT + 1)]
    rolled = (torch.roll(train.inputs[order], shift, (2, 3)) for shift in shifts)
    assert any(torch.equal(candidate, found[0].inputs) for candidate in rolled)
    assert torch.equal(train.targets[order], found[0].targets)


def test_the_generator_alone_decides_the_batches():
    """Two epochs of one generator differ; the same seed gives the same epoch."""
    train = splits(0).train
    generator = torch.Generator().manual_seed(1)
    first, second = (next(iter(shifted_batches(train, generator))) for _ in range(2))
    again = next(iter(shifted_batches(train, torch.Generator().manual_seed(1))))
    assert torch.equal(first.inputs, again.inputs)
    assert not torch.equal(first.inputs, second.inputs)


@pytest.mark.parametrize(("width", "parameters"), [(1.0, 225_034), (0.25, 14_410)])
def test_the_network_has_the_parameters_of_its_width(width, parameters):
    """The repaired SimpleCNN, and a quarter of its channels."""
    network = SimpleCNN(width)
    assert parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (3, 10) == tuple(network(torch.zeros(3, 1, 28, 28)).shape)


def test_the_data_have_a_digest_that_stays():
    """Stored quality belongs to these images and labels."""
    assert digits_cnn.digest() == digits_cnn.digest()
    assert 16 == len(digits_cnn.digest())
    assert digits_cnn.digest is REGISTRY.find_workload("digits_cnn").digest
