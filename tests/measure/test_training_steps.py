"""Checks of timed training steps: what honest steps of every kind pass, and what attacks on the harness do not."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import nn

from suite.core.errors import ImplausibleError
from suite.measure import speed
from suite.measure.integrity.training_steps import check_learning
from suite.measure.step import training_step
from suite.training.recipe import Batch

PLAIN = tiny.recipe()
SHORT = speed.SamplingBudget(batch=0.1, single=0.05, latency=0.02, training=0.05, rounds=1, tolerance=1.0)


def step_of(**changes):
    return training_step(tiny.recipe(**changes), device="cpu", reference=tiny.no_reference)


def checked(**changes):
    check_learning({"technique": step_of(**changes)})


class Dropping(nn.Sequential):
    """Other random numbers in each step."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 2))


class Normalising(nn.Sequential):
    """Buffers that each step changes."""

    def __init__(self):
        super().__init__(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 2))


def frozen():
    network = tiny.Net()
    network.conv.requires_grad_(False)
    return network


def of(change):
    """Batches of the tiny workload, each changed."""

    def batches(train, generator):
        for batch in tiny.batches(train, generator):
            yield change(batch)

    return batches


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": Dropping},
        {"model": Normalising},
        {"model": frozen},
        {"layout": "channels_last"},
        {"micro_batches": 4},
        {"batches": of(lambda batch: Batch(inputs=batch.inputs[:1], targets=batch.targets[:1]))},
        {"batches": of(lambda batch: replace(batch, inputs=torch.zeros_like(batch.inputs)))},
        {"batches": of(lambda batch: replace(batch, inputs=torch.full_like(batch.inputs, torch.nan)))},
        {"batches": of(lambda batch: replace(batch, inputs=batch.inputs[:1].expand(8, 1, 8, 8)))},
    ],
    ids=["plain", "dropout", "buffers", "frozen", "layout", "parts", "one item", "blank", "not numbers", "views"],
)
def test_an_honest_step_passes(changes):
    """Random numbers, buffers, frozen layers, parts of a batch, a batch of one or of nothing: no fault in any."""
    checked(**changes)


def half(_trainee, batch, output):
    """The loss of the first half of the batch."""
    middle = len(batch) // 2
    return F.cross_entropy(output[:middle], batch.targets[:middle])


def kept(_trainee, _batch, output):
    """The same loss whatever was served."""
    return output.sum() * 0 + 1


def spoiled(trainee, batch, output):
    """Halves its inputs where they lie."""
    loss = PLAIN.loss(trainee, batch, output)
    batch.inputs.data.mul_(0.5)
    return loss


def still(parameters, _rate):
    return torch.optim.SGD(parameters, lr=0.0)


def decaying(parameters, _rate):
    return torch.optim.AdamW(parameters, lr=0.1)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"loss": half}, "the loss of the technique is .* whatever half of its batch contains"),
        ({"loss": half, "model": Dropping}, "whatever half of its batch contains"),
        ({"loss": kept, "optimizer": decaying}, "the loss of the technique is 1 whatever half of its batch contains"),
        ({"loss": kept}, "a timed training step of the technique changes no weight"),
        ({"optimizer": still}, "a timed training step of the technique changes no weight"),
        ({"loss": spoiled}, "the training step of the technique changes the batch that it is given"),
    ],
    ids=["half", "half with dropout", "kept", "kept and still", "no update", "changed batch"],
)
def test_a_step_that_leaves_work_out_is_implausible(changes, told):
    """Half a batch, a kept loss, no update, a batch that becomes another."""
    with pytest.raises(ImplausibleError, match=told):
        checked(**changes)


def test_a_step_that_returns_no_loss_is_implausible():
    """It may have been handed to somebody who does it later."""
    timed = step_of()

    class Later:
        trainee = timed.step.trainee

        def __call__(self, batch):
            del batch

    with pytest.raises(ImplausibleError, match=r"technique returned NoneType, no tensor that holds its loss"):
        check_learning({"technique": replace(timed, step=Later())})


def test_a_step_may_leave_an_update_out_now_and_then():
    """A gradient scaler does where its scale has grown too large."""
    timed, calls = step_of(), []

    class Overflowing:
        trainee = timed.step.trainee

        def __call__(self, batch):
            calls.append(batch)
            if len(calls) > 1:
                return timed.step(batch)
            return torch.tensor(0.5)

    check_learning({"technique": replace(timed, step=Overflowing())})
    assert timed.batch is calls[1]


def test_the_batch_is_as_it_was():
    """Blank halves are made of copies."""
    timed = step_of()
    inputs = timed.batch.inputs.clone()
    check_learning({"baseline": timed})
    assert torch.equal(inputs, timed.batch.inputs)


def test_no_random_numbers_are_missing_after_a_loss_is_asked_for_again():
    """Only the updates' own check draws, as any step does."""
    timed = step_of(model=Dropping)
    torch.manual_seed(1)
    timed()
    after_one = torch.get_rng_state()
    torch.manual_seed(1)
    check_learning({"baseline": timed})
    assert torch.equal(after_one, torch.get_rng_state())


def test_what_is_no_training_step_or_keeps_no_copies_is_left_alone():
    """A callable of a test; a step whose memory is being measured."""
    bare = training_step(tiny.recipe(loss=half), device="cpu", reference=tiny.no_reference, resets=False)
    check_learning({"other": lambda: None, "bare": bare})


@pytest.mark.parametrize("side", ["baseline", "technique"])
def test_a_measured_training_step_is_checked_on_either_side(side):
    """Whatever the side is called."""
    recipes = {"baseline": tiny.recipe(), "technique": tiny.recipe()} | {side: tiny.recipe(loss=half)}
    with pytest.raises(ImplausibleError, match=f"the loss of the {side} is"):
        speed.training(
            tiny.BASELINE_CELL, recipes["baseline"], recipes["technique"], reference=tiny.no_reference, budget=SHORT
        )
