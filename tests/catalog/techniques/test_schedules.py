"""Techniques that change training alone: schedules, smoothed labels, large batches."""
# the expected value stands on the left

import math
from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed
from torch import nn

from suite.bench.requirements import require
from suite.bench.resolved_cell import Case
from suite.core.errors import UnavailableError, UsageError
from suite.core.records import Cell
from suite.registry import REGISTRY
from suite.training.loop import steps_per_epoch
from suite.training.recipe import AFTER_TRAINING, Batch, Trainee

SCHEDULES = ["constant_lr", "cosine", "warm_restarts", "one_cycle"]
CHANGES = [*SCHEDULES, "label_smoothing", "large_batch"]
PEAK = 0.4


def rates(text, steps, optimizer=torch.optim.SGD):
    """The learning rate of every step under a schedule."""
    made = optimizer([nn.Parameter(torch.zeros(1))], lr=PEAK)
    schedule = composed(text).schedule(made, PEAK, steps)
    found = []
    for _ in range(steps):
        found.append(made.param_groups[0]["lr"])
        made.step()
        schedule.step()
    return found


# -- schedules --------------------------------------------------------------------------------------------------------


def test_a_constant_rate_is_the_peak_at_every_step():
    """No factor at the start, as torch's own default has."""
    assert [PEAK] * 9 == rates("constant_lr", 9)


def test_the_cosine_goes_from_the_peak_towards_zero():
    """Half a cosine over all steps."""
    expected = [PEAK * (1 + math.cos(math.pi * step / 8)) / 2 for step in range(8)]
    assert pytest.approx(expected) == rates("cosine", 8)


def test_warm_restarts_begin_again_at_the_peak_in_cycles_that_grow():
    """Two cycles of 4 and 8 steps, three of 2, 4 and 8; each a cosine of its own."""
    for text, lengths in (("warm_restarts", (4, 8)), ("warm_restarts(cycles=3)", (2, 4, 8))):
        expected = [PEAK * (1 + math.cos(math.pi * k / length)) / 2 for length in lengths for k in range(length)]
        assert pytest.approx(expected) == rates(text, sum(lengths))


@given(steps=st.integers(1, 60), cycles=st.integers(1, 5), growth=st.integers(1, 3))
def test_no_cycle_begins_that_has_no_room(steps, cycles, growth):
    """However the steps divide there are no more restarts than asked for."""
    found = rates(f"warm_restarts(cycles={cycles},growth={growth})", steps)
    assert found.count(PEAK) <= cycles
    assert PEAK == found[0] == max(found)


@pytest.mark.parametrize("parameter", ["cycles", "growth"])
def test_no_cycles_are_an_error(parameter):
    """The error names the parameter and its value."""
    with pytest.raises(UsageError, match=f"warm_restarts: {parameter} must be 1 or more, got 0"):
        composed(f"warm_restarts({parameter}=0)")


def test_one_cycle_rises_to_the_peak_and_ends_far_below_its_start():
    """Torch's settings: from a 25th of the peak, which comes after 30 % of the steps."""
    found = rates("one_cycle", 100)
    assert pytest.approx(PEAK / 25) == found[0]
    assert 29 == found.index(max(found))
    assert pytest.approx(PEAK) == max(found)
    assert found[-1] < found[0] / 1000


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW, torch.optim.Adagrad])
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_every_schedule_takes_every_optimizer_and_few_steps(name, optimizer, steps):
    """One without momentum, and trainings of a step."""
    found = rates(name, steps, optimizer)
    assert steps == len(found)
    assert all(0 <= rate <= PEAK * (1 + 1e-9) for rate in found)


# -- label smoothing --------------------------------------------------------------------------------------------------


def loss_of(recipe, output, targets):
    identity = nn.Identity()
    trainee = Trainee(
        recipe=recipe, network=identity, forward=identity, device="cpu", seed=0, reference=tiny.no_reference
    )
    return recipe.loss(trainee, Batch(inputs=output, targets=targets), output)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 0.9), st.integers(0, 99))
def test_smoothed_labels_are_torchs_own_and_smoothing_adds_up(smoothing, already, seed):
    """`cross_entropy(label_smoothing=...)`, also on a loss that smooths: what is left of certainty multiplies."""
    torch.manual_seed(seed)
    output, targets = torch.randn(5, 4), torch.randint(4, (5,))
    plain = tiny.recipe(loss=lambda _t, batch, out: F.cross_entropy(out, batch.targets, label_smoothing=already))
    both = 1 - (1 - smoothing) * (1 - already)
    expected = F.cross_entropy(output, targets, label_smoothing=both)
    found = loss_of(composed(f"label_smoothing(smoothing={smoothing!r})", plain), output, targets)
    torch.testing.assert_close(expected, found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("value", [1.0, -0.5])
def test_a_smoothing_out_of_range_is_an_error(value):
    """All of a target cannot be spread."""
    with pytest.raises(UsageError, match=rf"label_smoothing: smoothing must be in \[0, 1\), got {value}"):
        composed(f"label_smoothing(smoothing={value})")


def test_labels_of_a_network_with_several_outputs_are_not_smoothed():
    """Which of them would be the classes' is not said."""
    recipe = composed("label_smoothing", tiny.recipe())
    with pytest.raises(UsageError, match=r"outputs must be one tensor of class scores, got tuple"):
        recipe.loss(None, None, (torch.zeros(1, 2), torch.zeros(1, 2)))


def case_of(text, plain):
    composition, found = REGISTRY.resolve(text), tiny.registry().find_workload("halves")
    cell = Cell(workload="halves", technique=composition.name, device="cpu")
    return Case(
        cell=cell, workload=replace(found, recipe=lambda _: plain), composition=composition,
        control=REGISTRY.control(composition),
    )  # fmt: skip


def test_smoothing_needs_classes():
    """Values have no labels to smooth."""
    plain = samples.head_first()
    with pytest.raises(UnavailableError, match="no class scores"):
        require(case_of("label_smoothing", plain), plain)
    assert require(case_of("label_smoothing", tiny.recipe()), tiny.recipe()) is None


# -- large batches ----------------------------------------------------------------------------------------------------


def epoch_of(recipe):
    return list(recipe.batches(recipe.data().train, torch.Generator().manual_seed(3)))


@pytest.mark.parametrize(("factor", "sizes"), [(1, [8] * 4), (2, [16, 16]), (3, [24, 8]), (4, [32]), (9, [32])])
def test_large_batches_hold_the_same_items_in_the_same_order(factor, sizes):
    """Nothing is dropped: what is left over is a smaller batch."""
    plain, recipe = tiny.recipe(), composed(f"large_batch(factor={factor})")
    small, large = epoch_of(plain), epoch_of(recipe)
    assert sizes == [len(batch) for batch in large]
    assert len(sizes) == steps_per_epoch(recipe, recipe.data().train)
    for part in ("inputs", "targets"):
        one, other = (torch.cat([getattr(batch, part) for batch in found]) for found in (small, large))
        assert torch.equal(one, other)


def test_large_batches_of_trees_and_of_steps_that_nobody_counted():
    """A dictionary of inputs; the usual batches of 64 of a recipe that does not say how many there are."""
    recipe = composed("large_batch(factor=4)", samples.pair())
    assert recipe.steps_per_epoch is None
    (batch,) = epoch_of(recipe)
    assert {"a": (16, 6), "b": (16, 3)} == {name: tuple(value.shape) for name, value in batch.inputs.items()}


@pytest.mark.parametrize(("rule", "expected"), [("auto", 4.0), ("linear", 4.0), ("sqrt", 2.0), ("none", 1.0)])
def test_the_rate_grows_with_the_batch_by_its_rule(rule, expected):
    """Four times the batch of SGD: four times, twice or once the peak."""
    peaks = (max(rates(text, 90)) for text in (f"constant_lr+large_batch(factor=4,rule={rule!r})", "constant_lr"))
    assert pytest.approx(expected) == next(peaks) / next(peaks)


def test_batches_as_large_as_before_have_the_recipes_schedule():
    """Nothing is to be warmed up."""
    plain = tiny.recipe()
    assert plain.schedule is composed("large_batch(factor=1)", plain).schedule


@pytest.mark.parametrize(
    ("given", "said"), [("factor=0", "1 or more, got 0"), ("rule='cubic'", "auto, linear, sqrt, none, got")]
)
def test_a_factor_and_a_rule_that_nobody_knows_are_errors(given, said):
    """They name what there is."""
    with pytest.raises(UsageError, match=f"large_batch: {given.partition('=')[0]} must be .*{said}"):
        composed(f"large_batch({given})")


# -- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_training_leaves_the_network_and_what_follows(name):
    """Its control is the baseline: the same training budget, the same network."""
    plain = tiny.recipe()
    recipe = composed(name, plain)
    assert [getattr(plain, slot) for slot in AFTER_TRAINING] == [getattr(recipe, slot) for slot in AFTER_TRAINING]
    assert plain.model is recipe.model
    assert "baseline" == REGISTRY.control(REGISTRY.resolve(name)).name


@pytest.mark.parametrize(
    "text", [*CHANGES, "warm_restarts+label_smoothing+large_batch(factor=2)", "large_batch+narrow"]
)
def test_what_changes_training_trains_alone_and_with_others(text):
    """To finite weights, the same every time."""
    first, second = (tiny.fitted(composed(text)).network for _ in range(2))
    assert tiny.equal_states(tiny.state(first), tiny.state(second))
    assert all(bool(torch.isfinite(weight).all()) for weight in first.parameters())
    same_as_plain = tiny.equal_states(tiny.state(first), tiny.state(tiny.fitted().network))
    assert (text == "one_cycle") == same_as_plain  # the tiny recipe's own schedule
