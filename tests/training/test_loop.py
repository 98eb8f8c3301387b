"""The training loop: seeds, fine-tuning, validation, scaling, layouts and determinism."""
# the expected value stands on the left

import copy
from dataclasses import replace

import pytest
import tiny
import torch
from torch import nn

from suite.training import loop as train
from suite.training.loop import EpochRecord, FineTuner, Progress, Trained, TrainingStep
from suite.training.recipe import Batch, Precision, Split, Trainee

SCALED = Precision(scale_gradients=True)


def fit(recipe, **more):
    return train.fit(
        recipe, **({"device": "cpu", "reference": tiny.no_reference, "target": None, "report": None} | more)
    )


def finish(fitted, recipe, **more):
    return train.finish(fitted, recipe, reference=tiny.no_reference, **more)


def one_batch(seed=0):
    part = tiny.splits(seed).train
    return Batch(inputs=part.inputs[:8], targets=part.targets[:8])


def step_of(recipe, total_steps=10):
    return TrainingStep(train.start(recipe, device="cpu", reference=tiny.no_reference), total_steps=total_steps)


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


# -- from scratch ---------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_bit_identical_weights(fitted):
    """Whatever the process drew before, a run depends on its seed alone."""
    torch.rand(7)
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(tiny.fitted().network))


def test_another_seed_gives_another_network(fitted):
    """Seeds are no decoration."""
    other = tiny.fitted(tiny.recipe(1, data=lambda: tiny.splits(0)))
    assert not torch.equal(fitted.network.fc2.weight, other.network.fc2.weight)


def test_training_learns_what_there_is_to_learn(fitted):
    """Two classes that a glance tells apart are told apart, and the network comes back ready to serve."""
    assert 1.0 == train.accuracy(fitted.network, tiny.splits(0).test, fitted.recipe)
    assert not fitted.network.training


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(2), nn.Dropout(0.5)], ids=["buffers", "random numbers"])
def test_a_wrapped_network_trains_to_the_same_weights(layer):
    """Warming up what ``prepare`` made leaves no trace: not in weights, nor in buffers, nor in the random state."""
    plain, wrapped = (
        fit(tiny.recipe(model=lambda: nn.Sequential(tiny.Net(), copy.deepcopy(layer)), prepare=prepare))
        for prepare in (lambda network: network, lambda network: network.__call__)
    )
    assert tiny.equal_states(tiny.state(plain.network), tiny.state(wrapped.network))


def test_validation_stops_once_the_target_is_reached():
    """Accuracy is looked at until the target and no longer: it is not part of training."""
    records = fit(tiny.recipe(epochs=4), target=0.0).epochs
    assert [False, True, True, True] == [record.accuracy is None for record in records]
    assert all(record.accuracy is not None for record in fit(tiny.recipe(), target=2.0).epochs)


def test_without_a_target_nobody_validates(fitted):
    """A workload that has no target does not pay for one."""
    assert [None] * tiny.EPOCHS == [record.accuracy for record in fitted.epochs]


def test_each_epoch_is_reported():
    """Whoever waits hears of every epoch."""
    news = []
    fit(tiny.recipe(), report=news.append)
    assert [Progress(seed=0, epoch=k, epochs=tiny.EPOCHS, accuracy=None) for k in (1, 2, 3)] == news


def test_seconds_never_fall_from_epoch_to_epoch(fitted):
    """Records count from the start of training; the last one is the whole."""
    seconds = [record.seconds for record in fitted.epochs]
    assert sorted(seconds) == seconds
    assert seconds[-1] == fitted.seconds


def test_callbacks_are_called_after_every_step():
    """They see the run's state with the step already counted."""
    seen = []
    fit(tiny.recipe(callbacks=(lambda trainee: seen.append(trainee.steps),)))
    assert list(range(1, tiny.STEPS + 1)) == seen


def test_no_epochs_are_no_training():
    """A recipe without epochs keeps its first weights and costs nothing."""
    recipe = tiny.recipe(epochs=0, schedule=lambda optimizer, _rate, _steps: constant(optimizer))
    plain = train.untrained(recipe, device="cpu", reference=tiny.no_reference)
    trained = fit(recipe)
    assert 0.0 == trained.seconds
    assert tiny.equal_states(tiny.state(plain.network), tiny.state(trained.network))


def constant(optimizer):
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)


def records(*pairs):
    return tuple(EpochRecord(seconds=seconds, accuracy=accuracy) for seconds, accuracy in pairs)


@pytest.mark.parametrize(("target", "expected"), [(0.5, 1.0), (0.9, 3.0), (0.95, None)])
def test_seconds_to_a_target_are_those_of_the_first_epoch_that_reached_it(target, expected, fitted):
    """Epochs without a look at the accuracy count for nothing; a target never reached has no time."""
    run = replace(fitted, epochs=records((1.0, 0.6), (2.0, None), (3.0, 0.9), (4.0, 0.8), (5.0, None)))
    assert expected == run.seconds_to(target)


# -- one step -------------------------------------------------------------------------------------------------------


def poisoned(steps):
    """The tiny loss, except that it overflows at the steps that are named."""
    plain = tiny.recipe().loss

    def loss(trainee, batch, output):
        return plain(trainee, batch, output) * (float("inf") if trainee.steps in steps else 1.0)

    return loss


def test_an_overflow_under_scaling_steps_neither_weights_nor_schedule():
    """The scaler skips the update and lowers its scale; the schedule waits for the next batch."""
    step = step_of(tiny.recipe(precision=SCALED, loss=poisoned({0})))
    before, rate, scale = tiny.state(step.trainee.network), step.schedule.get_last_lr(), step.scaler.get_scale()
    step(one_batch())
    assert tiny.equal_states(before, tiny.state(step.trainee.network))
    assert rate == step.schedule.get_last_lr()
    assert step.scaler.get_scale() < scale
    step(one_batch())
    assert not tiny.equal_states(before, tiny.state(step.trainee.network))
    assert rate != step.schedule.get_last_lr()


def test_a_schedule_survives_overflows_without_running_past_its_end():
    """The schedule takes one step per update of the weights, so a whole run with overflows ends as it should."""
    overflows = {0, 1, 5}
    seen = []
    fit(
        tiny.recipe(
            precision=SCALED,
            loss=poisoned(overflows),
            schedule=lambda optimizer, _rate, _steps: torch.optim.lr_scheduler.LambdaLR(
                optimizer, lambda k: seen.append(k) or 1.0
            ),
        )
    )
    assert list(range(tiny.STEPS - len(overflows) + 1)) == seen


def test_scaling_that_does_not_overflow_leaves_the_weights_as_they_were_without(fitted):
    """The scale is a power of two, so it cancels to the last bit."""
    scaled = tiny.fitted(precision=SCALED)
    for name, weight in tiny.state(scaled.network).items():
        torch.testing.assert_close(weight, tiny.state(fitted.network)[name])


def test_a_step_returns_the_detached_loss():
    """What is returned keeps no graph alive."""
    loss = step_of(tiny.recipe())(one_batch())
    assert not loss.requires_grad
    assert torch.Size([]) == loss.shape


def test_frozen_parameters_are_no_part_of_the_optimizer():
    """A technique freezes what it wants to keep."""
    trainee = train.start(tiny.recipe(), device="cpu", reference=tiny.no_reference)
    trainee.network.conv.requires_grad_(False)
    step = TrainingStep(trainee, total_steps=None)
    assert 4 == sum(len(group["params"]) for group in step.optimizer.param_groups)


def test_autocast_reaches_the_network():
    """Under bfloat16 the network computes in bfloat16, and its weights stay float32."""
    seen = []
    plain = tiny.recipe().loss

    def loss(trainee, batch, output):
        seen.append(output.dtype)
        return plain(trainee, batch, output)

    step = step_of(tiny.recipe(precision=Precision(autocast=torch.bfloat16), loss=loss))
    step(one_batch())
    assert [torch.bfloat16] == seen
    assert torch.float32 == step.trainee.network.fc2.weight.dtype


# -- layouts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_placing_in_channels_last_writes_the_strides_out(channels):
    """With one channel both layouts answer that they are contiguous; kernels look at the strides."""
    inputs = torch.randn(2, channels, 4, 5)
    placed = train.place(inputs, "channels_last")
    assert (20 * channels, 1, 5 * channels, channels) == placed.stride()
    assert torch.equal(inputs, placed)


def test_what_has_no_pixels_or_stays_contiguous_is_not_copied():
    """Only a layout that differs costs a copy."""
    flat, image = torch.randn(2, 3), torch.randn(2, 1, 4, 4)
    assert flat is train.place(flat, "channels_last")
    assert image is train.place(image, "contiguous")


def test_a_channels_last_recipe_keeps_its_weights_so():
    """Convolution weights lie in NHWC order too."""
    trainee = train.start(tiny.recipe(layout="channels_last"), device="cpu", reference=tiny.no_reference)
    assert [(9, 1, 3, 1), (72, 1, 24, 8)] == [trainee.network.conv[k].weight.stride() for k in (0, 2)]


# -- after training -------------------------------------------------------------------------------------------------


def tuner(**changes):
    recipe = tiny.recipe(**changes)
    return FineTuner(recipe=recipe, splits=recipe.data(), device="cpu", reference=tiny.no_reference)


def rates_of(tune):
    """The learning rates that optimizers were built with."""
    seen = []
    plain = tiny.recipe().optimizer

    def optimizer(parameters, rate):
        seen.append(rate)
        return plain(parameters, rate)

    tune(optimizer)
    return seen


@pytest.mark.parametrize(("own", "expected"), [(None, 0.01), (0.05, 0.05)])
def test_fine_tuning_runs_at_a_tenth_of_the_rate_or_at_the_recipes_own(own, expected):
    """A trained network is not shaken up again."""
    seen = rates_of(
        lambda optimizer: tuner(optimizer=optimizer, fine_tune_learning_rate=own).train(tiny.Net(), epochs=1)
    )
    assert [pytest.approx(expected)] == seen


def test_fine_tuning_calls_back_after_every_step_besides_the_recipes_own_callbacks():
    """Masks hold step by step, and what the recipe asked for goes on."""
    own, extra = [], []
    tuner(callbacks=(lambda trainee: own.append(trainee.steps),)).train(
        tiny.Net(), epochs=2, after_step=lambda trainee: extra.append(trainee.steps)
    )
    assert list(range(1, 9)) == own == extra


def test_fine_tuning_changes_the_network_in_place_and_keeps_the_account():
    """The seconds and epochs of all fine-tuning of one run add up."""
    network, tune = tiny.Net(), tuner()
    before = tiny.state(network)
    tune.train(network, epochs=1)
    first = tune.seconds
    tune.train(network, epochs=2)
    assert not tiny.equal_states(before, tiny.state(network))
    assert 3 == len(tune.history)
    assert tune.seconds == pytest.approx(first + tune.history[-1].seconds)


def test_fine_tuning_is_seeded():
    """Two fine-tunings of one network agree to the last bit."""
    networks = [tiny.Net(), tiny.Net()]
    networks[1].load_state_dict(networks[0].state_dict())
    for network in networks:
        tuner().train(network, epochs=1)
    assert tiny.equal_states(*map(tiny.state, networks))


@pytest.mark.parametrize(("trains", "epochs"), [(False, 3), (True, 0)])
def test_fine_tuning_that_is_not_wanted_changes_nothing(trains, epochs):
    """A process that only needs the structure does not train, and no epochs are no training."""
    network, tune = tiny.Net(), tuner()
    before = tiny.state(network)
    tune.trains = trains
    tune.train(network, epochs=epochs)
    assert tiny.equal_states(before, tiny.state(network))
    assert (0.0, []) == (tune.seconds, tune.history)


def tuned(network, tuner):
    tuner.train(network, epochs=1)
    return network


def test_finishing_leaves_the_fitted_network_untouched(fitted):
    """Other compositions start from the same fit."""
    before = tiny.state(fitted.network)
    done = finish(fitted, tiny.recipe(finish=tuned))
    assert tiny.equal_states(before, tiny.state(fitted.network))
    assert not tiny.equal_states(before, tiny.state(done.network))
    assert not done.network.training


def test_the_cost_of_finishing_comes_on_top_of_the_fit(fitted):
    """Epochs after the first stage count from the start of the run."""
    done = finish(fitted, tiny.recipe(finish=tuned))
    assert tiny.EPOCHS + 1 == len(done.epochs)
    assert done.seconds == pytest.approx(done.epochs[-1].seconds)
    assert done.seconds > fitted.seconds


def test_finishing_does_not_depend_on_what_was_drawn_before(fitted):
    """Random choices of ``finish`` are the seed's."""
    drawn = []

    def draws(network, _tuner):
        drawn.append(torch.rand(3))
        return network

    for _ in range(2):
        finish(fitted, tiny.recipe(finish=draws))
    assert torch.equal(*drawn)


def test_the_example_is_one_training_image_in_the_recipes_layout():
    """Tracing sees what serving sees."""
    example = tuner(layout="channels_last").example
    assert torch.equal(tiny.splits(0).train.inputs[:1], example)
    assert (64, 1, 8, 1) == example.stride()


# -- around it ------------------------------------------------------------------------------------------------------


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
    )


def broken(*_):
    raise RuntimeError("in the middle of it")


def test_deterministic_algorithms_are_on_inside_and_as_before_outside():
    """The suite leaves the process as it found it."""
    before = settings()
    with train.deterministic():
        assert (True, True, False) == settings()
    assert before == settings()


def test_deterministic_restores_the_settings_after_an_error_too():
    """A technique that raises does not change how the next one computes."""
    before = settings()
    with pytest.raises(RuntimeError, match="in the middle of it"):
        fit(tiny.recipe(loss=broken))
    assert before == settings()


def test_accuracy_counts_every_image_and_restores_the_mode():
    """The last batch may be smaller; a network in training is in training again."""
    network = nn.Flatten().train()
    split = Split(inputs=torch.eye(5).reshape(5, 1, 1, 5), targets=torch.tensor([0, 1, 2, 0, 0]))
    assert 0.6 == train.accuracy(network, split, tiny.recipe(), batch=2)
    assert network.training


def test_losses_see_the_state_of_the_run_and_may_ask_for_a_teacher():
    """``reference`` is handed through to the loss."""
    teacher = tiny.Net()

    def loss(trainee: Trainee, _batch, output):
        return (output - trainee.reference("baseline")(_batch.inputs).detach()).square().mean()

    trained = fit(tiny.recipe(loss=loss), reference={"baseline": teacher}.__getitem__)
    assert isinstance(trained, Trained)
