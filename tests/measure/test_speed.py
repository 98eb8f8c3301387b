"""Speed: which figures a cell gets, what they are ratios of, and that measuring changes nothing."""
# the expected value stands on the left

import itertools
import math
from dataclasses import replace
from statistics import median

import numpy as np
import pytest
import tiny
import torch

from suite.core.machine import flags
from suite.core.records import Cell
from suite.measure import speed
from suite.measure.arms import BASE, IMAGES_LAST, KERNEL, NULL, TECHNIQUE, Arm, serving_arms
from suite.measure.sampler.timing import Sample
from suite.measure.speed import SamplingBudget
from suite.measure.step import training_step
from suite.training.recipe import Batch
from suite.training.serving import serve

SHORT = SamplingBudget(batch=0.1, single=0.05, latency=0.02, training=0.1, rounds=1, tolerance=1.0)
CELL = tiny.BASELINE_CELL
OTHER = Cell(workload="halves", technique="wrapped", device="cpu")


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


@pytest.fixture(scope="module")
def timed(fitted):
    """The baseline against itself."""
    sides = serving_arms(fitted, fitted, is_baseline=True)
    return speed.inference(CELL, sides, batch=16, budget=SHORT)


def test_a_cell_gets_its_figures_of_inference(timed):
    """Two batches against the baseline, one against channels_last and a kernel, and what one side does alone."""
    assert {
        "speedup",
        "speedup_b1",
        "speedup_vs_channels_last",
        "speed_vs_kernel",
        "throughput",
        "latency_p50",
    } == {one.metric for one in timed.measurements} - {"latency_p99"}
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


def test_the_baseline_alone_is_timed_against_a_kernel_like_its_work(timed, fitted):
    """A slowdown of baseline and technique alike shows in no other ratio; which kernel it is is a condition."""
    (found,) = (one for one in timed.measurements if one.metric == "speed_vs_kernel")
    main = timed.samples["inference"]
    assert pytest.approx(median(main.seconds[KERNEL] / main.seconds[TECHNIQUE])) == found.value
    assert ("kernel", "convolution") == (found.control, found.conditions["kernel"])
    assert {} == speed._kernels(replace(CELL, technique="wrapped"), Arm(served=serve(fitted)))


def test_figures_come_from_the_samples_that_are_kept(timed):
    """Ratio, throughput and count of rounds can be computed again from the raw rounds."""
    figures = {one.metric: one for one in timed.measurements}
    main = timed.samples["inference"]
    assert {"inference", "inference_b1"} == set(timed.samples)
    assert {BASE, NULL, TECHNIQUE, IMAGES_LAST, KERNEL} == set(main.seconds)
    ratios = np.sqrt(main.seconds[BASE] * main.seconds[NULL]) / main.seconds[TECHNIQUE]
    assert pytest.approx(median(ratios)) == figures["speedup"].value
    assert pytest.approx(16 / median(main.seconds[TECHNIQUE])) == figures["throughput"].value
    assert main.rounds == figures["speedup"].n == figures["throughput"].n


@pytest.mark.parametrize(("calls", "expected"), [(499, ["latency_p50"]), (500, ["latency_p50", "latency_p99"])])
def test_a_99th_percentile_is_told_from_500_calls_on(calls, expected):
    """Below, it is one of the few slowest calls, and says nothing."""
    found = speed._latency(CELL, np.linspace(1e-3, 2e-3, calls), {"batch": 1})
    assert expected == [one.metric for one in found]
    assert pytest.approx(1.5e-3) == found[0].value
    assert all(calls == one.n for one in found)


def test_figures_say_under_what_they_were_measured(timed):
    """The batch, the threads and the precision of products: an expectation under others is no match."""
    conditions = {one.metric: dict(one.conditions) for one in timed.measurements}
    usual = {"threads": 1, "matmul": torch.get_float32_matmul_precision()}
    for metric in ("speedup", "throughput", "speedup_vs_channels_last"):
        assert {"batch": 16} | usual == conditions[metric]
    for metric in ("speedup_b1", "latency_p50"):
        assert {"batch": 1} | usual == conditions[metric]


def test_a_slower_technique_has_a_ratio_below_one(fitted):
    """baseline / technique: higher is better."""

    def deploy(network):
        def call(inputs):
            for _ in range(20):
                network(inputs)
            return network(inputs)

        return call

    slow = replace(fitted, recipe=replace(fitted.recipe, deploy=deploy))
    sides = serving_arms(fitted, slow, is_baseline=False)
    found = speed.inference(OTHER, sides, batch=16, budget=SHORT).measurements
    assert all(one.value < 0.5 for one in found if one.metric.startswith("speedup"))


def test_training_has_one_paired_figure():
    """The baseline's step over the technique's."""
    timed = speed.training(CELL, tiny.recipe(), tiny.recipe(), reference=tiny.no_reference, budget=SHORT)
    (one,) = timed.measurements
    assert ("train_step_speedup", "baseline") == (one.metric, one.control)
    assert math.isfinite(one.value)
    assert {"training"} == set(timed.samples)
    assert {"baseline", "technique", "null"} == set(timed.samples["training"].seconds)
    assert math.isfinite(one.null)
    assert tiny.BATCH == one.conditions["batch"]


def half_batches(train, generator):
    """Batches of half the size."""
    for chosen in torch.randperm(len(train), generator=generator).split(tiny.BATCH // 2):
        yield Batch(inputs=train.inputs[chosen], targets=train.targets[chosen])


@pytest.fixture
def sampled(monkeypatch):
    """A sampler that calls each side once and finds that all its calls take as long as they say."""
    seen = {}

    def timed(cell, timed, **_more):
        del cell
        calls, resets = timed.calls, timed.resets()
        for name, call in calls.items():
            resets[name]()
            call()
        seen.update(calls=calls, resets=resets)
        taken = {name: np.full(40, seen["seconds"].get(name, 1.0)) for name in calls}
        return Sample(
            seconds=taken, repeats=dict.fromkeys(calls, 1), faults={}, order=np.zeros((40, 2), int),
            block=np.zeros(40, int), rounds=40, elapsed=1.0,
        )  # fmt: skip

    monkeypatch.setattr(speed, "_timed", timed)
    seen["seconds"] = {}
    return seen


@pytest.mark.parametrize(("seconds", "expected"), [(0.5, 1.0), (1.0, 0.5), (0.25, 2.0)])
def test_a_training_step_is_compared_by_example(sampled, seconds, expected):
    """Half the batch in half the time is no faster; both ends of the interval are scaled alike."""
    sampled["seconds"] = {TECHNIQUE: seconds}
    timed = speed.training(
        CELL, tiny.recipe(), tiny.recipe(batches=half_batches), reference=tiny.no_reference, budget=SHORT
    )
    (one,) = timed.measurements
    assert pytest.approx(expected) == one.value
    assert (pytest.approx(expected), pytest.approx(expected)) == (one.low, one.high)


def test_settings_of_one_side_are_not_inherited_by_the_other(fitted):
    """Every side is timed under its own settings in every turn, and afterwards all is as before."""
    own = replace(fitted, recipe=replace(fitted.recipe, flags={"mkldnn_enabled": 0}))
    seen = {BASE: set(), TECHNIQUE: set(), NULL: set()}

    def noting(name):
        def call(_inputs):
            seen[name].add(torch.backends.mkldnn.enabled)

        return call

    sides = {
        name: Arm(served=replace(serve(one), call=noting(name))) for name, one in ((BASE, fitted), (TECHNIQUE, own))
    }
    before = flags.read()
    calls = {name: (lambda side=side: side.served(None)) for name, side in sides.items()}
    resets = speed._Calls(calls={}, settings={name: side.flags for name, side in sides.items()}).resets()
    for name in (BASE, TECHNIQUE, BASE, TECHNIQUE, BASE):
        resets[name]()
        calls[name]()
    flags.write(before)
    assert ({True}, {False}) == (seen[BASE], seen[TECHNIQUE])


def test_a_sample_puts_the_settings_back(fitted):
    """What is measured next is measured under what the process had."""
    own = replace(fitted, recipe=replace(fitted.recipe, flags={"mkldnn_enabled": 0}))
    before = flags.read()
    speed._sample(CELL, serving_arms(fitted, own, is_baseline=False), 4, seconds=0.02, seed=0, budget=SHORT)
    assert before == flags.read()


@pytest.fixture
def on_accelerator(monkeypatch):
    """``on_accelerator({side: share})``: the sides take so much of the device, which is this processor."""
    seen = {"host_bound": [], "flags": []}

    def sampler(calls, options, **_):
        seen["host_bound"].append(options.host_bound)
        taken = {name: np.full(40, 1.0) for name in calls}
        return Sample(
            seconds=taken, repeats={}, faults={}, order=np.zeros((40, 2), int), block=np.zeros(40, int), rounds=40,
            elapsed=1.0,
        )  # fmt: skip

    def install(shares):
        order = itertools.cycle(shares.values())

        def share(_call, _device):
            seen["flags"].append(flags.read()["mkldnn_enabled"])
            return next(order)

        monkeypatch.setattr(speed, "device_share", share)
        monkeypatch.setattr(speed, "sample", sampler)
        monkeypatch.setattr(speed, "check", lambda *_, **__: None)
        monkeypatch.setattr(speed, "check_learning", lambda *_: None)
        monkeypatch.setattr(speed, "synchronize", lambda _: None)
        monkeypatch.setattr(speed, "training_step", lambda recipe, **_: FakeStep(recipe))
        return seen

    return install


class FakeStep:
    """As much of a timed training step as is asked."""

    suspect = None

    def __init__(self, recipe):
        self.flags, self.items = recipe.flags, tiny.BATCH

    def __call__(self):
        return None

    def reset(self):
        return None


CUDA_CELL = replace(OTHER, device="cuda")


@pytest.mark.parametrize(
    ("base", "technique", "waits"), [(0.9, 0.8, False), (0.9, 0.3, True), (0.3, 0.9, True), (0.5, 0.5, False)]
)
def test_a_ratio_depends_on_the_host_where_one_of_its_sides_waits_for_it(
    fitted, on_accelerator, base, technique, waits
):
    """Serving at every batch and training alike; the host's thread is then watched for preemptions."""
    seen = on_accelerator({BASE: base, TECHNIQUE: technique})
    sides = serving_arms(fitted, fitted, is_baseline=False)
    found = speed.inference(CUDA_CELL, sides, batch=16, budget=SHORT, saturating=32).measurements
    found += speed.training(
        CUDA_CELL, tiny.recipe(), tiny.recipe(), reference=tiny.no_reference, budget=SHORT
    ).measurements
    assert {waits} == {"host" in one.conditions for one in found}
    assert [waits] * 4 == seen["host_bound"]
    assert [technique] == [one.value for one in found if one.metric == "device_share"]


def test_the_share_of_device_time_is_that_of_each_sides_own_settings(fitted, on_accelerator):
    """It decides whether the host counts among the conditions."""
    seen = on_accelerator({BASE: 0.9, TECHNIQUE: 0.9})
    own = replace(fitted, recipe=replace(fitted.recipe, flags={"mkldnn_enabled": 0}))
    speed.inference(CUDA_CELL, serving_arms(fitted, own, is_baseline=False), batch=4, budget=SHORT)
    assert [1, 0] * 2 == seen["flags"]


@pytest.mark.usefixtures("sampled")
def test_a_saturating_batch_that_is_known_brings_a_third_ratio(fitted):
    """With the batch among its conditions."""
    timed = speed.inference(CELL, serving_arms(fitted, fitted, is_baseline=True), batch=16, budget=SHORT, saturating=32)
    found = {one.metric: one for one in timed.measurements}
    assert 32 == found["speedup_saturated"].conditions["batch"]
    assert "inference_saturated" in timed.samples


def test_a_step_that_is_suspect_makes_its_ratio_so(monkeypatch):
    """Ranks that share a core."""
    technique = tiny.recipe()

    def suspect(recipe, device, reference, _running):
        step = training_step(recipe, device=device, reference=reference)
        object.__setattr__(step, "suspect", "shared" if recipe is technique else None)
        return step

    monkeypatch.setattr(speed, "_step", suspect)
    timed = speed.training(CELL, tiny.recipe(), technique, reference=tiny.no_reference, budget=SHORT)
    assert "shared" in timed.measurements[0].suspect
    assert "shared" in timed.samples["training"].suspect
