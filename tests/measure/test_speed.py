"""Speed: which figures a cell gets, what they are ratios of, and that measuring changes nothing."""
# the expected value stands on the left

import math
from dataclasses import replace
from statistics import median, stdev

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.measure import speed
from suite.measure.fresh import replicated
from suite.measure.speed import BASE, CHANNELS_LAST, TECHNIQUE, Budget, serving_sides
from suite.metrics import measured
from suite.records import Cell

SHORT = Budget(batch=0.1, single=0.05, latency=0.02, training=0.1)
CELL = tiny.BASELINE_CELL
OTHER = Cell(workload="halves", technique="wrapped", device="cpu")


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


@pytest.fixture(scope="module")
def timed(fitted):
    """The baseline against itself."""
    sides = serving_sides(fitted, fitted, is_baseline=True)
    return speed.inference(CELL, sides, tiny.splits(0).test.inputs, budget=SHORT)


def trained_layouts(fitted, layout):
    return replace(fitted, recipe=replace(fitted.recipe, layout=layout))


def test_a_cell_gets_its_figures_of_inference(timed):
    """Two batch sizes against the baseline, one against eager channels_last, and what one side does alone."""
    assert {
        "speedup",
        "speedup_b1",
        "speedup_vs_channels_last",
        "throughput",
        "latency_p50",
        "latency_p99",
    } == {one.metric for one in timed.measurements}
    assert {CELL} == {one.cell for one in timed.measurements}


def test_the_baseline_against_itself_gives_finite_ratios_with_their_intervals(timed):
    """An A/A test of the sampler: nothing is divided by nothing."""
    for one in timed.measurements:
        assert math.isfinite(one.value)
        assert one.value > 0
    ratios = [one for one in timed.measurements if one.metric.startswith("speedup")]
    assert all(one.low <= one.value <= one.high for one in ratios if one.low is not None)
    against = {one.metric: one.control for one in ratios}
    assert "channels_last" == against.pop("speedup_vs_channels_last")
    assert {"baseline"} == set(against.values())


def test_figures_come_from_the_samples_that_are_kept(timed):
    """Ratio, throughput and count of rounds can be computed again from the raw rounds."""
    figures = {one.metric: one for one in timed.measurements}
    main = timed.samples["inference"]
    assert {"inference", "inference_b1"} == set(timed.samples)
    assert {BASE, TECHNIQUE, CHANNELS_LAST} == set(main.seconds)
    ratios = main.seconds[BASE] / main.seconds[TECHNIQUE]
    assert pytest.approx(median(ratios)) == figures["speedup"].value
    assert pytest.approx(16 / median(main.seconds[TECHNIQUE])) == figures["throughput"].value
    assert main.rounds == figures["speedup"].n == figures["throughput"].n


def test_latency_is_that_of_one_image(timed):
    """The median is no more than the 99th percentile, and both rest on the same calls."""
    p50, p99 = (one for one in timed.measurements if one.metric.startswith("latency"))
    assert p50.value <= p99.value
    assert p50.n == p99.n >= 10


def test_sides_are_the_baseline_the_technique_and_eager_channels_last(fitted):
    """Each serves a copy; the third has the baseline's weights in the other layout."""
    other = tiny.fitted(tiny.recipe(1))
    sides = serving_sides(fitted, other, is_baseline=False)
    states = {name: tiny.state(served.network) for name, served in sides.items()}
    assert tiny.equal_states(tiny.state(fitted.network), states[BASE])
    assert tiny.equal_states(tiny.state(other.network), states[TECHNIQUE])
    assert tiny.equal_states(tiny.state(fitted.network), states[CHANNELS_LAST])
    assert (72, 1, 24, 8) == sides[CHANNELS_LAST].network.conv[2].weight.stride()
    assert "channels_last" == sides[CHANNELS_LAST].recipe.layout
    assert fitted.network.conv[2].weight.is_contiguous()


def test_a_baseline_that_is_channels_last_itself_is_not_compared_with_it_twice(fitted):
    """The metric is then absent."""
    base = trained_layouts(fitted, "channels_last")
    assert {BASE, TECHNIQUE} == set(serving_sides(base, base, is_baseline=True))


def test_a_slower_technique_has_a_ratio_below_one(fitted):
    """baseline / technique: higher is better."""

    def deploy(network):
        def call(inputs):
            for _ in range(20):
                network(inputs)
            return network(inputs)

        return call

    slow = replace(fitted, recipe=replace(fitted.recipe, deploy=deploy))
    sides = serving_sides(fitted, slow, is_baseline=False)
    found = speed.inference(OTHER, sides, tiny.splits(0).test.inputs, budget=SHORT).measurements
    assert all(one.value < 0.5 for one in found if one.metric.startswith("speedup"))


def watched(**changes):
    """A recipe that hands out the networks it builds."""
    built = []

    def model(width=1.0):
        built.append(tiny.Net(width))
        return built[-1]

    return tiny.recipe(model=model, **changes), built


def test_a_training_step_leaves_the_weights_as_they_are():
    """Every round computes on the same numbers: the learning rate is zero, whatever the optimizer keeps."""
    recipe, built = watched(optimizer=lambda parameters, rate: torch.optim.AdamW(parameters, lr=rate))
    step = speed.training_step(recipe, device="cpu", reference=tiny.no_reference)
    before = tiny.state(built[0])
    first, second = float(step()), float(step())
    assert first == second
    assert tiny.equal_states(before, tiny.state(built[0]))
    assert all(parameter.grad is not None for parameter in built[0].parameters())


def test_a_training_step_is_one_batch_of_the_recipe():
    """Forward and backward on the recipe's first batch, in its layout and with its loss."""
    shapes = []
    plain = tiny.recipe()

    def loss(trainee, batch, output):
        shapes.append(tuple(batch.inputs.shape))
        return plain.loss(trainee, batch, output)

    step = speed.training_step(tiny.recipe(loss=loss), device="cpu", reference=tiny.no_reference)
    warm = len(shapes)
    step()
    assert warm + 1 == len(shapes)
    assert {(tiny.BATCH, 1, 8, 8)} == set(shapes)


def test_training_has_one_paired_figure():
    """The baseline's step over the technique's."""
    timed = speed.training(CELL, tiny.recipe(), tiny.recipe(), reference=tiny.no_reference, budget=SHORT)
    (one,) = timed.measurements
    assert ("train_step_speedup", "baseline") == (one.metric, one.control)
    assert math.isfinite(one.value)
    assert {"training"} == set(timed.samples)


# -- over processes ---------------------------------------------------------------------------------------------------


def speedup(value, **more):
    return measured(OTHER, "speedup", value, **({"low": value - 0.01, "high": value + 0.01, "n": 100} | more))


def over(values, **more):
    own, *others = values
    (one,) = replicated([speedup(own, **more)], [{"speedup": speedup(value)} for value in others])
    return one


@given(values=st.lists(st.floats(0.1, 10), min_size=3, max_size=9))
def test_a_replicated_figure_is_the_median_over_processes_with_their_spread(values):
    """The noise is relative to the value; the interval is centred on it and counts this process too."""
    one = over(values)
    assert median(values) == one.value
    assert len(values) == one.processes
    assert pytest.approx(stdev(values) / median(values)) == one.noise
    assert pytest.approx(one.value) == (one.low + one.high) / 2
    assert one.low <= one.value <= one.high


def test_the_interval_over_processes_is_students_t():
    """Three processes at 1, 2 and 3: 9.925 standard errors at 99 %."""
    one = over([1.0, 2.0, 3.0])
    assert pytest.approx((2 - 9.925 / math.sqrt(3), 2 + 9.925 / math.sqrt(3)), abs=1e-3) == (one.low, one.high)
    assert 0.99 == one.confidence


@pytest.mark.parametrize("values", [[1.0], [1.0, 3.0]])
def test_fewer_than_three_processes_say_nothing_of_a_spread(values):
    """The figure stays what this process measured, with the interval within it."""
    assert speedup(1.0) == over(values)


def test_a_metric_that_no_other_process_has_stays_as_it_is():
    """Every figure is replicated by itself."""
    own = [speedup(2.0), measured(OTHER, "latency_p50", 0.1)]
    others = [{"speedup": speedup(value)} for value in (2.1, 2.2)]
    found = replicated(own, others)
    assert ["speedup", "latency_p50"] == [one.metric for one in found]
    assert (2.1, own[1]) == (found[0].value, found[1])


def test_one_suspect_process_makes_the_figure_suspect():
    """The first reason is passed on."""
    others = [{"speedup": speedup(2.0, suspect="page faults")}, {"speedup": speedup(2.0)}]
    (one,) = replicated([speedup(2.0)], others)
    assert "page faults" == one.suspect
    assert over([2.0, 2.0, 2.0]).suspect is None
