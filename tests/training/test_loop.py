"""The training loop: seeds, fine-tuning, goals, scaling, flags and determinism."""
# the expected value stands on the left

import copy
from dataclasses import replace

import pytest
import tiny
import torch
from torch import nn

from suite.core.errors import UsageError
from suite.core.machine import flags
from suite.training import loop
from suite.training.defaults import cosine
from suite.training.loop import EpochRecord, FineTuner, Goal, Progress, Trained, TrainingStep
from suite.training.recipe import Batch, Precision, Split, Splits, Trainee

SCALED = Precision(scale_gradients=True)


def fit(recipe, **more):
    return loop.fit(
        recipe, **({"seed": 0, "device": "cpu", "reference": tiny.no_reference, "goal": None, "report": None} | more)
    )


def finish(fitted, recipe, **more):
    return loop.finish(fitted, recipe, reference=tiny.no_reference, **more)


def one_batch(seed=0):
    part = tiny.splits(seed).train
    return Batch(inputs=part.inputs[:8], targets=part.targets[:8])


def started(recipe, seed=0):
    return loop.start(recipe, seed=seed, device="cpu", reference=tiny.no_reference)


def step_of(recipe, total_steps=10):
    return TrainingStep(started(recipe), total_steps=total_steps)


def accuracy(outputs, targets):
    return float((outputs.argmax(1) == targets).float().mean())


def goal(value, better="higher", score=accuracy):
    return Goal(value=value, better=better, score=score)


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


# -- from scratch ---------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_bit_identical_weights(fitted):
    """Whatever the process drew before, a run depends on its seed alone."""
    torch.rand(7)
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(tiny.fitted().network))


def test_a_network_that_is_kept_holds_no_gradients(fitted):
    """They are as large as the weights, and nobody asks for them any more."""
    assert all(parameter.grad is None for parameter in fitted.network.parameters())


def test_another_seed_gives_another_network(fitted):
    """Seeds are no decoration."""
    other = fit(tiny.recipe(), seed=1)
    assert (0, 1) == (fitted.seed, other.seed)
    assert not torch.equal(fitted.network.fc2.weight, other.network.fc2.weight)


def test_a_seed_decides_the_first_weights_and_the_order_of_the_batches():
    """The recipe knows neither; callbacks are told the seed."""
    orders, seeds = [], []

    def batches(part, generator):
        orders.append(generator.initial_seed())
        yield from tiny.batches(part, generator)

    recipe = tiny.recipe(epochs=1, batches=batches, callbacks=(lambda trainee: seeds.append(trainee.seed),))
    for seed in (3, 4):
        assert tiny.equal_states(tiny.state(loop.built(recipe, seed)), tiny.state(started(recipe, seed).network))
        orders.clear()
        fit(recipe, seed=seed)
        assert {seed} == set(orders)
    assert {3, 4} == set(seeds)
    assert not torch.equal(loop.built(recipe, 3).fc2.weight, loop.built(recipe, 4).fc2.weight)


def test_a_model_that_builds_no_network_is_an_error_that_shows_it():
    """A forgotten return is the usual cause."""
    with pytest.raises(TypeError, match=r"model must build a torch\.nn\.Module, it returned None"):
        loop.built(tiny.recipe(model=lambda: None), 0)


def test_training_learns_what_there_is_to_learn(fitted):
    """Two classes that a glance tells apart are told apart, and the network comes back ready to serve."""
    test = tiny.splits(0).test
    assert 1.0 == accuracy(fitted.network(test.inputs), test.targets)
    assert not fitted.network.training


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(2), nn.Dropout(0.5)], ids=["buffers", "random numbers"])
def test_a_wrapped_network_trains_to_the_same_weights(layer):
    """Warming up what ``prepare`` made leaves no trace: not in weights, nor in buffers, nor in the random state."""
    plain, wrapped = (
        fit(tiny.recipe(model=lambda: nn.Sequential(tiny.Net(), copy.deepcopy(layer)), prepare=prepare))
        for prepare in (lambda network: network, lambda network: network.__call__)
    )
    assert tiny.equal_states(tiny.state(plain.network), tiny.state(wrapped.network))


@pytest.mark.parametrize(("better", "easy", "hard"), [("higher", 0.0, 2.0), ("lower", 1.0, -1.0)])
def test_validation_stops_once_the_goal_is_reached(better, easy, hard):
    """Scores are looked at until the goal and no longer: it is not part of training."""
    reached = fit(tiny.recipe(epochs=4), goal=goal(easy, better)).epochs
    assert [False, True, True, True] == [record.score is None for record in reached]
    never = fit(tiny.recipe(epochs=4), goal=goal(hard, better)).epochs
    assert [False] * 4 == [record.score is None for record in never]


@pytest.mark.parametrize(
    ("better", "score", "expected"),
    [("higher", 0.5, True), ("higher", 0.49, False), ("lower", 0.5, True), ("lower", 0.51, False)],
)
def test_a_goal_is_reached_at_its_value_or_on_its_better_side(better, score, expected):
    """Losses fall towards theirs."""
    assert expected is goal(0.5, better).reached(score)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_score_that_is_no_number_reaches_nothing(better):
    """A network that diverged has not arrived."""
    assert not goal(0.5, better).reached(float("nan"))


def test_without_a_goal_or_validation_data_nobody_validates(fitted):
    """A workload that has no target does not pay for one, and needs no third part of the data."""
    assert [None] * tiny.EPOCHS == [record.score for record in fitted.epochs]
    parts = tiny.splits(0)
    recipe = tiny.recipe(data=lambda: Splits(train=parts.train, test=parts.test))
    assert [None] * tiny.EPOCHS == [record.score for record in fit(recipe, goal=goal(0.9)).epochs]


def test_validating_changes_nothing_of_what_is_trained(fitted):
    """Neither weights nor the random state depend on whether somebody looks."""
    looked = fit(tiny.recipe(), goal=goal(2.0))
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(looked.network))


def test_each_epoch_is_reported():
    """Whoever waits hears of every epoch."""
    news = []
    fit(tiny.recipe(), report=news.append)
    assert [Progress(seed=0, epoch=k, epochs=tiny.EPOCHS, score=None) for k in (1, 2, 3)] == news


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
    plain = loop.untrained(recipe, seed=0, device="cpu")
    trained = fit(recipe)
    assert 0.0 == trained.seconds
    assert tiny.equal_states(tiny.state(plain.network), tiny.state(trained.network))


def constant(optimizer):
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)


def test_an_untrained_network_is_the_recipes_own(fitted):
    """A checkpoint comes with its weights: nothing is trained, and it is ready to serve in the recipe's layout."""
    recipe = tiny.recipe(model=lambda: copy.deepcopy(fitted.network), layout="channels_last")
    found = loop.untrained(recipe, seed=4, device="cpu")
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(found.network))
    assert (4, 0.0, (), False) == (found.seed, found.seconds, found.epochs, found.network.training)
    assert (72, 1, 24, 8) == found.network.conv[2].weight.stride()


def records(*pairs):
    return tuple(EpochRecord(seconds=seconds, score=score) for seconds, score in pairs)


@pytest.mark.parametrize(
    ("value", "better", "expected"),
    [
        (0.5, "higher", 1.0),
        (0.9, "higher", 3.0),
        (0.95, "higher", None),
        (0.8, "lower", 1.0),
        (0.6, "lower", 1.0),
        (0.3, "lower", 4.0),
        (0.2, "lower", None),
    ],
)
def test_seconds_to_a_goal_are_those_of_the_first_epoch_that_reached_it(value, better, expected, fitted):
    """Epochs without a look at the score count for nothing; a goal never reached has no time."""
    run = replace(fitted, epochs=records((1.0, 0.6), (2.0, None), (3.0, 0.9), (4.0, 0.3), (5.0, None)))
    assert expected == run.seconds_to(goal(value, better))


# -- steps ------------------------------------------------------------------------------------------------------------


def totals_of(recipe):
    """The numbers of steps that schedules were built for."""
    seen = []

    def schedule(optimizer, _rate, steps):
        seen.append(steps)
        return constant(optimizer)

    fit(replace(recipe, schedule=schedule))
    return seen


def test_steps_are_counted_where_the_recipe_does_not_say():
    """32 images in batches of 8, over all epochs; a batch fewer is a step fewer."""
    recipe = tiny.recipe(steps_per_epoch=None)
    assert [tiny.STEPS] == totals_of(recipe)
    assert [tiny.STEPS - tiny.EPOCHS] == totals_of(replace(recipe, batches=lambda *a: list(tiny.batches(*a))[:-1]))


def test_a_recipe_that_says_its_steps_is_believed():
    """From the number of training items."""
    assert [tiny.EPOCHS * 96] == totals_of(tiny.recipe(steps_per_epoch=lambda examples: 3 * examples))


def test_counting_steps_changes_nothing_of_what_is_trained(fitted):
    """The batches that are counted are not those that are trained on: the generator starts anew."""
    counted = fit(tiny.recipe(steps_per_epoch=None))
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(counted.network))


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
    trainee = started(tiny.recipe())
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


def test_a_channels_last_recipe_keeps_its_weights_so():
    """Convolution weights lie in NHWC order too."""
    trainee = started(tiny.recipe(layout="channels_last"))
    assert [(9, 1, 3, 1), (72, 1, 24, 8)] == [trainee.network.conv[k].weight.stride() for k in (0, 2)]


# -- after training -------------------------------------------------------------------------------------------------


def tuner(**changes):
    recipe = tiny.recipe(**changes)
    return FineTuner(recipe=recipe, splits=recipe.data(), device="cpu", seed=0, reference=tiny.no_reference)


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


def drawing(network):
    """A wrapper that draws random numbers while it warms up, as a compiler or a teacher's training does."""
    called = []

    def forward(inputs):
        if not called:
            torch.rand(17)
        called.append(inputs)
        return network(inputs)

    return forward


@pytest.mark.parametrize("stage", ["fit", "fine-tuning"])
def test_what_is_drawn_while_warming_up_leaves_dropout_as_the_controls(stage):
    """A technique and its control drop the same units at every step, in both stages."""
    ends = []
    for prepare in (lambda network: network, drawing):
        recipe = tiny.recipe(model=lambda: nn.Sequential(tiny.Net(), nn.Dropout(0.5)), prepare=prepare)
        if stage == "fit":
            ends.append(fit(recipe).network)
        else:
            ends.append(loop.built(recipe, 0))
            tuner(prepare=prepare).train(ends[-1], epochs=1)
    assert tiny.equal_states(*map(tiny.state, ends))


def test_fine_tuning_takes_the_batches_in_another_order_than_the_first_stage():
    """Its first epoch is not the first epoch again."""
    seen = []

    def batches(part, generator):
        seen.append(generator.initial_seed())
        yield from tiny.batches(part, generator)

    tuner(batches=batches).train(tiny.Net(), epochs=1)
    assert 1 == seen[-1]


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


def test_where_nothing_is_finished_the_fit_is_the_result(fitted):
    """Compositions that only serve differently share one network, under their own recipe."""
    recipe = tiny.recipe(deploy=lambda network: network)
    done = finish(fitted, recipe)
    assert fitted.network is done.network
    assert recipe is done.recipe
    assert (fitted.seconds, fitted.epochs, fitted.seed) == (done.seconds, done.epochs, done.seed)


def test_what_rebuilds_layers_is_laid_out_again(fitted):
    """A new layer is contiguous; the recipe says otherwise."""

    def rebuilt(network, _tuner):
        network.conv[2] = nn.Conv2d(8, 8, 3)
        return network

    done = finish(fitted, tiny.recipe(finish=rebuilt, layout="channels_last"))
    assert (72, 1, 24, 8) == done.network.conv[2].weight.stride()


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


def broken(*_):
    raise RuntimeError("in the middle of it")


@pytest.mark.parametrize("stage", ["fit", "finish"])
def test_a_recipes_flags_hold_while_it_trains_and_no_longer(stage, fitted):
    """torch's global settings are the recipe's inside, and as before outside."""
    seen, before = [], flags.read()

    def notes(network, _tuner):
        seen.append(flags.read()["float32_matmul_precision"])
        return network

    recipe = tiny.recipe(flags={"float32_matmul_precision": "medium"})
    if stage == "fit":
        fit(replace(recipe, callbacks=(lambda trainee: notes(trainee.network, None),)))
    else:
        finish(fitted, replace(recipe, finish=notes))
    assert "highest" == before["float32_matmul_precision"]
    assert {"medium"} == set(seen)
    assert before == flags.read()


def test_an_unknown_flag_is_an_error_before_anything_is_trained():
    """A misspelt name would leave the setting as it is, in silence."""
    with pytest.raises(UsageError, match="unknown flag 'cudnn_benchmrk'; did you mean cudnn_benchmark"):
        fit(tiny.recipe(flags={"cudnn_benchmrk": 1}, model=broken))


def test_all_settings_are_restored_after_an_error_too():
    """A technique that raises does not change how the next one computes."""
    before, deterministic = flags.read(), torch.are_deterministic_algorithms_enabled()
    with pytest.raises(RuntimeError, match="in the middle of it"):
        fit(tiny.recipe(loss=broken, flags={"cudnn_benchmark": 1}))
    assert before == flags.read()
    assert deterministic == torch.are_deterministic_algorithms_enabled()


def test_a_score_sees_every_item_and_the_mode_is_restored():
    """In evaluation mode, in batches of which the last is smaller; a network in training is in training again."""
    network, modes = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.9)).train(), []
    part = Split(inputs=torch.ones(70, 2), targets=torch.arange(70))
    network.register_forward_hook(lambda module, _inputs, output: modes.append((module.training, len(output))))

    def counted(outputs, targets):
        return float(len(outputs) + targets.sum())

    assert 70 + 69 * 35 == loop.score(network, part, tiny.recipe(), goal(0.5, score=counted))
    assert [(False, 64), (False, 6)] == modes
    assert network.training


def test_trees_of_inputs_and_targets_train_like_tensors(fitted):
    """A dictionary of tensors goes in, a tuple comes out, and the same network is the result."""

    class Named(tiny.Net):
        def forward(self, x):
            return (super().forward(x["image"]),)

    def named(part):
        return Split(inputs={"image": part.inputs}, targets=(part.targets,))

    def batches(part, generator):
        for chosen in torch.randperm(len(part), generator=generator).split(tiny.BATCH):
            yield Batch(inputs={"image": part.inputs["image"][chosen]}, targets=(part.targets[0][chosen],))

    parts = tiny.splits(0)
    recipe = tiny.recipe(
        data=lambda: Splits(**{name: named(getattr(parts, name)) for name in ("train", "validation", "test")}),
        model=Named,
        batches=batches,
        loss=lambda _trainee, batch, output: nn.functional.cross_entropy(output[0], batch.targets[0]),
    )
    found = fit(recipe, goal=goal(2.0, score=lambda outputs, targets: accuracy(outputs[0], targets[0])))
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(found.network))
    assert all(0 <= record.score <= 1 for record in found.epochs)


def test_losses_see_the_state_of_the_run_and_may_ask_for_a_teacher():
    """``reference`` is handed through to the loss."""
    teacher = tiny.Net()

    def loss(trainee: Trainee, _batch, output):
        return (output - trainee.reference("baseline")(_batch.inputs).detach()).square().mean()

    trained = fit(tiny.recipe(loss=loss), reference={"baseline": teacher}.__getitem__)
    assert isinstance(trained, Trained)


def test_batches_that_yield_nothing_are_told_with_the_number_of_items():
    """A batch larger than the data, say: one sentence, and not a StopIteration from deep inside."""
    with pytest.raises(UsageError, match="yield nothing for 32 training items"):
        tiny.fitted(batches=lambda _train, _generator: iter(()))


# -- constraints and helpers ------------------------------------------------------------------------------------------


class Noted:
    """A constraint that writes down when it is asked."""

    def __init__(self, name, rank, notes):
        self.name, self.rank, self.notes = name, rank, notes

    def begin(self, _network):
        self.notes.append(f"begin {self.name}")

    def restore(self, _network):
        self.notes.append(self.name)


def test_what_is_held_is_restored_by_rank_after_every_step_of_every_later_fine_tuning():
    """Zeros before rounding, whichever was held first; a technique's own ``after_step`` comes before both."""
    notes = []

    def finishing(network, tuner):
        tuner.hold(Noted("rounding", 1, notes))
        tuner.hold(Noted("zeros", 0, notes))
        for own in ("first", "second"):
            tuner.train(network, epochs=1, after_step=lambda _, own=own: notes.append(own))
        return network

    loop.finish(tiny.fitted(), tiny.recipe(finish=finishing), reference=tiny.no_reference)
    each = [["begin zeros", "begin rounding", *[own, "zeros", "rounding"] * 4] for own in ("first", "second")]
    assert each[0] + each[1] == notes


def test_what_is_held_is_restored_once_more_after_the_weights_that_are_kept_were_chosen():
    """In the first training and in fine-tuning; where nothing is chosen nothing has to be restored."""
    notes = []
    chosen = {"after_training": (lambda _: notes.append("chosen"),), "epochs": 1}
    fit(tiny.recipe(constraints=(lambda _: Noted("zeros", 0, notes),), **chosen))
    end = ["chosen", "begin zeros", "zeros"]
    assert ["begin zeros", *["zeros"] * 4, *end] == notes
    notes.clear()
    tune = tuner(**chosen)
    tune.hold(Noted("zeros", 0, notes))
    tune.train(tiny.Net(), epochs=1)
    assert ["begin zeros", *["zeros"] * 4, *end] == notes


def test_fine_tuning_takes_another_loss_where_it_is_given():
    """For that fine-tuning alone."""
    calls = []

    def other(trainee, batch, output):
        calls.append(len(output))
        return tiny.recipe().loss(trainee, batch, output)

    def finishing(network, tuner):
        tuner.train(network, epochs=1, loss=other)
        tuner.train(network, epochs=1)
        return network

    loop.finish(tiny.fitted(), tiny.recipe(finish=finishing), reference=tiny.no_reference)
    assert 5 == len(calls)  # four steps, and one batch to warm up


# -- after epochs -----------------------------------------------------------------------------------------------------


def test_epochs_are_counted_for_whoever_is_called_after_them():
    """From 1; the last call comes before what follows training."""
    calls = []
    recipe = tiny.recipe(
        after_epoch=(lambda trainee: calls.append(trainee.epoch),),
        after_training=(lambda trainee: calls.append(("end", trainee.epoch)),),
    )
    fit(recipe)
    assert [*range(1, tiny.EPOCHS + 1), ("end", tiny.EPOCHS)] == calls


def test_who_asks_to_stop_gets_no_further_epoch():
    """The records end there, and what follows training follows."""
    ends = []

    def stop(trainee):
        trainee.stopped = trainee.epoch == 2

    found = fit(tiny.recipe(after_epoch=(stop,), after_training=(lambda trainee: ends.append(trainee.steps),)))
    assert 2 == len(found.epochs)
    assert [2 * tiny.STEPS // tiny.EPOCHS] == ends


def test_hooks_find_the_validation_split_and_keep_what_they_like_for_one_run():
    """Another run begins with nothing kept."""
    found = []

    def look(trainee):
        trainee.kept["epochs"] = trainee.kept.get("epochs", 0) + 1
        found.append((len(trainee.validation), trainee.kept["epochs"]))

    recipe = tiny.recipe(after_epoch=(look,), epochs=2)
    fit(recipe)
    fit(recipe, seed=1)
    assert [(16, 1), (16, 2)] * 2 == found


def test_what_changes_the_kept_weights_is_scored():
    """The last epoch's validation score is that of the weights that are kept."""

    def zero(trainee):
        with torch.no_grad():
            for parameter in trainee.network.parameters():
                parameter.zero_()

    found = fit(tiny.recipe(after_training=(zero,)), goal=goal(2.0))
    assert 0.5 == found.epochs[-1].score


def test_training_without_epochs_calls_nobody():
    """There is nothing to look at."""
    calls = []
    hooks = (calls.append,)
    fit(tiny.recipe(epochs=0, schedule=cosine, after_epoch=hooks, after_training=hooks))
    assert [] == calls


def test_a_builder_has_gradients_whoever_asks_for_its_network():
    """It may train what it returns."""
    seen = []
    with torch.no_grad():
        loop.built(tiny.recipe(0, model=lambda: seen.append(torch.is_grad_enabled()) or tiny.Net()), 0)
    assert [True] == seen
