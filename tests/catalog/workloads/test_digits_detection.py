"""Scenes of several digits, and the detector's targets and answers."""
# the expected value stands on the left

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.catalog.scores import detection
from suite.catalog.workloads import digits_detection
from suite.catalog.workloads.digits_cnn import digits
from suite.catalog.workloads.digits_detection import (
    CLASSES,
    FOUND,
    STRIDES,
    SceneDetector,
    composed,
    detections,
    scenes,
)
from suite.training.loop import first_batch, start
from suite.training.recipe import Split


@pytest.fixture(scope="module", autouse=True)
def _fewer():
    """About a hundred scenes for training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digits_detection, "DRAWN", 300)
        scenes.cache_clear()
        yield
    scenes.cache_clear()


def few(count, seed=0):
    images, labels, _ = digits()
    generator = torch.Generator().manual_seed(seed)
    return composed(images, labels, torch.randperm(len(images), generator=generator)[:count], generator)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_digits_lie_within_their_scene_and_apart(seed):
    """Squares of 16 to 32 pixels."""
    boxes, labels = few(12, seed).targets.values()
    for scene, known in zip(boxes, labels >= 0, strict=True):
        squares = scene[known]
        sides = squares[:, 2:] - squares[:, :2]
        assert torch.equal(sides[:, 0], sides[:, 1])
        assert 16 <= float(sides.min()) <= float(sides.max()) <= 32
        assert 0 <= float(squares.min()) <= float(squares.max()) <= 64
        for number, (left, top, right, bottom) in enumerate(squares.tolist()):
            others = torch.cat([squares[:number], squares[number + 1 :]])
            apart = (others[:, 0] >= right) | (others[:, 2] <= left) | (others[:, 1] >= bottom) | (others[:, 3] <= top)
            assert bool(apart.all())


def test_every_digit_of_a_test_fold_is_in_one_scene():
    """By its class: as many of each as the fold has, two to four a scene but for the last."""
    _, labels, folds = digits()
    split = scenes(0).test
    seen = split.targets["labels"]
    crowds = (seen >= 0).sum(1)
    assert torch.equal(labels[folds[0]].bincount(), seen[seen >= 0].bincount())
    assert {2, 3, 4} >= set(crowds[:-1].tolist())


def test_no_scene_of_one_seed_has_the_id_of_anothers():
    """Their digits are others."""
    ids = torch.cat([scenes(seed).test.ids for seed in range(5)])
    assert len(ids) == len(ids.unique())


def test_scenes_are_the_same_whenever_they_are_made():
    """Seeded by the fold."""
    before = scenes(1).train
    scenes.cache_clear()
    assert torch.equal(before.inputs, scenes(1).train.inputs)


def ideal(split):
    """What a detector would answer that knows the targets: maps whose peaks are the digits."""
    maps = []
    for scale, stride in enumerate(STRIDES):
        like = torch.zeros(len(split), CLASSES, 64 // stride, 64 // stride)
        wanted, (items, rows, columns), box = digits_detection._wanted(split.targets, scale, like)
        boxes = torch.zeros(len(split), 3, *like.shape[2:])
        boxes[items, :, rows, columns] = box
        maps.append((20 * wanted - 10, boxes))
    return tuple(zip(*maps, strict=True))


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_answers_undo_what_targets_do(seed):
    """Maps of the true boxes are answered as the true boxes, at any overlap."""
    split = few(12, seed)
    (score,) = detection(overlap=0.95)
    assert 1.0 == score.aggregate(detections(*ideal(split)), split.targets)


def test_the_loss_is_least_at_the_targets():
    """Near nothing there, and more with a digit taken for another or a box that is off."""
    split = few(12)
    batch = Split(inputs=split.inputs, targets=split.targets)
    classes, boxes = ideal(split)
    losses = [
        float(digits_detection.detection_loss(None, batch, output))
        for output in (
            (classes, boxes),
            ([level.roll(1, 1) for level in classes], boxes),
            (classes, [level + 0.1 for level in boxes]),
        )
    ]
    assert pytest.approx(0, abs=1e-3) == losses[0]
    assert losses[1] > 1
    assert pytest.approx(0.1 * 3 * digits_detection.BOX_WEIGHT, abs=1e-3) == losses[2]


def test_a_peak_is_answered_once():
    """Its neighbours of the same class are not."""
    scores = torch.full((1, CLASSES, 16, 16), -10.0)
    scores[0, 3, 4, 4:6] = torch.tensor([4.0, 3.0])
    rest = [torch.full((1, CLASSES, side, side), -10.0) for side in (8, 4)]
    boxes = [torch.zeros(1, 3, side, side) for side in (16, 8, 4)]
    answer = detections([scores, *rest], boxes)
    assert 1 == int((answer["scores"] > 0.5).sum())
    assert 3 == int(answer["labels"][0, 0])
    assert [6, 6, 30, 30] == answer["boxes"][0, 0].tolist()  # centre 18, side 23, in whole pixels


def test_answers_have_fixed_shapes_and_fall():
    """Whatever is in the pictures."""
    answer = SceneDetector(width=0.25).eval()(torch.randn(3, 1, 64, 64))
    shapes = {name: tuple(value.shape) for name, value in answer.items()}
    assert {"boxes": (3, FOUND, 4), "labels": (3, FOUND), "scores": (3, FOUND)} == shapes
    assert torch.equal(answer["scores"], answer["scores"].sort(descending=True).values)


def test_steps_learn():
    """Ten on one batch more than halve its loss."""
    recipe = digits_detection.digits_detection(0)
    trainee = start(recipe, seed=0, device="cpu", reference=lambda _: None)
    batch = first_batch(recipe, scenes(0).train, torch.Generator().manual_seed(0))
    optimizer = recipe.optimizer(trainee.network.parameters(), recipe.learning_rate)
    losses = []
    for _ in range(10):
        loss = recipe.loss(trainee, batch, trainee.forward(batch.inputs))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
