"""The bench: what is measured for a cell, on how many seeds, and what cells share."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny

from suite.errors import UnavailableError
from suite.measure import speed
from suite.records import Cell
from suite.run.bench import Bench, Plan

QUICK = Plan(profile="quick", seeds=2)


def cell(technique, workload="halves"):
    return Cell(workload=workload, technique=technique, device="cpu")


@pytest.fixture
def news():
    return []


@pytest.fixture
def bench(news):
    def reporter(workload, composition):
        return lambda progress: news.append((workload, composition, progress.seed))

    return Bench(registry=tiny.registry(), device="cpu", plan=QUICK, reporter=reporter)


def names(measurements):
    return {measurement.metric for measurement in measurements}


def test_quality_compares_with_the_control_of_the_same_seeds(bench, news):
    """The technique's own control is trained for it, and the figures name it."""
    found = bench.measure(cell("halved(epochs=1)"), "quality")
    assert {"longer(epochs=1)"} == {measurement.control for measurement in found}
    assert {("halves", "baseline", 0), ("halves", "halved(epochs=1)", 0), ("halves", "longer(epochs=1)", 0)} == set(
        news
    )
    assert {
        "accuracy",
        "accuracy_worst_seed",
        "accuracy_vs_control",
        "macro_precision",
        "macro_recall",
        "train_seconds",
        "time_to_target",
    } == names(found)


def test_the_baseline_is_its_own_control(bench):
    """It differs from itself by exactly nothing."""
    found = {measurement.metric: measurement for measurement in bench.measure(cell("baseline"), "quality")}
    assert 0 == found["accuracy_vs_control"].value
    assert (0, 1) == found["accuracy"].seeds


def test_groups_share_the_trained_network(bench, news):
    """Training happens in whichever group comes first."""
    for group in ("size", "quality", "memory"):
        bench.measure(cell("baseline"), group)
    assert 2 * tiny.EPOCHS == len(news)


def test_size_has_its_five_figures(bench):
    """All of them are counts."""
    found = bench.measure(cell("baseline"), "size")
    assert {"parameters", "nonzero_parameters", "artefact_bytes", "entropy_bytes", "macs"} == names(found)
    assert all(measurement.value == int(measurement.value) > 0 for measurement in found)


SERVING = {"held_memory_inference", "peak_memory_inference"}
TRAINING = {"held_memory_training", "peak_memory_training"}


@pytest.mark.parametrize(
    ("technique", "expected"),
    [
        ("baseline", SERVING | TRAINING),
        ("nhwc", SERVING | TRAINING),
        ("halved(epochs=1)", SERVING),
        ("wrapped", SERVING),
    ],
)
def test_training_is_measured_where_the_technique_changes_it(bench, technique, expected):
    """What only follows training has the baseline's training step; a quick run starts no process."""
    assert expected == names(bench.measure(cell(technique), "memory"))


def test_speed_keeps_its_raw_samples_under_the_names_that_the_figures_carry(bench, monkeypatch):
    """A figure can be traced to its rounds."""
    monkeypatch.setattr(speed, "QUICK", speed.Budget(batch=0.05, single=0.05, latency=0.02, training=0.05))
    kept = {}

    def keep(owner, name, columns):
        kept[f"{owner}-{name}"] = columns
        return f"{owner}-{name}"

    bench.keep = keep
    found = bench.measure(cell("nhwc"), "speed")
    assert {"train_step_speedup", "speedup", "speedup_b1"} <= names(found)
    assert {measurement.samples for measurement in found} - {None} == set(kept)
    assert all(len(column) for columns in kept.values() for column in columns.values())


def test_a_need_that_is_not_met_makes_a_cell_unavailable_with_the_reason(bench):
    """Labels are the workload's to have."""
    with pytest.raises(UnavailableError, match="unlabelled has no labels to learn from"):
        bench.measure(cell("longer(epochs=1)", "unlabelled"), "size")


def test_a_missing_compiler_makes_a_cell_unavailable(bench, monkeypatch):
    """The reason says what to install."""
    monkeypatch.setenv("CXX", "no-such-compiler")

    @bench.registry.technique(slots=("deploy",), needs=("compiler",))
    def compiled(recipe):
        return replace(recipe)

    with pytest.raises(UnavailableError, match=r"needs a C\+\+ compiler.*no-such-compiler"):
        bench.measure(cell("compiled"), "size")


def test_a_workload_without_labels_has_no_quality(bench):
    """Speed, size and memory remain."""
    assert ("size", "speed", "memory") == bench.groups(cell("baseline", "unlabelled"))
    assert ("quality", "size", "speed", "memory") == bench.groups(cell("baseline"))


def test_releasing_a_cell_keeps_the_baseline_for_the_next_one(bench, news):
    """The last cell of a workload takes everything with it."""
    bench.measure(cell("nhwc"), "quality")
    bench.release(cell("nhwc"), cell("wrapped"))
    news.clear()
    bench.measure(cell("wrapped"), "quality")
    assert [] == news
    bench.release(cell("wrapped"), None)
    bench.measure(cell("baseline"), "size")
    assert tiny.EPOCHS * [("halves", "baseline", 0)] == news


@pytest.mark.parametrize(
    ("plan", "technique", "expected"),
    [
        (Plan(seeds=5), "baseline", 5),
        (Plan(seeds=5), "nhwc", 5),
        (Plan(profile="quick", seeds=5), "baseline", 3),
        (Plan(profile="quick", seeds=5), "nhwc", 1),
        (Plan(profile="quick", seeds=2), "baseline", 2),
    ],
)
def test_a_quick_plan_has_one_seed_for_each_technique_and_three_for_the_baseline(plan, technique, expected):
    """Never more than were asked for."""
    assert range(expected) == plan.seeds_of(technique)


def test_a_quick_plan_is_short_and_starts_no_processes():
    """The other profiles do."""
    assert not QUICK.fresh
    assert Plan(profile="full").fresh
    assert QUICK.budget.batch < Plan().budget.batch
