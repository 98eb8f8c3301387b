"""The bench: what is measured for a cell, on how many seeds, and what cells share."""
# the expected value stands on the left

import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny
import torch

from suite.bench import bench as module
from suite.bench.bench import Bench, Plan
from suite.bench.workers.fresh_processes import FreshProcessError, Workers
from suite.catalog.scores import classification
from suite.core.errors import ImplausibleError, OutputError, RegistrationError, TechniqueError, UnavailableError
from suite.core.metrics import measured
from suite.measure import speed
from suite.measure.arms import BASE
from suite.registry import Composition
from suite.training.recipe import Precision

QUICK = Plan(profile="quick", seeds=2)
SHORT = speed.SamplingBudget(batch=0.05, single=0.05, latency=0.02, training=0.05, rounds=1, tolerance=1.0)

pytestmark = pytest.mark.usefixtures("few_draws")


@pytest.fixture
def news():
    return []


@pytest.fixture
def bench(news):
    def reporter(workload, composition):
        return lambda progress: news.append((workload, composition, progress.seed))

    with Bench(registry=tiny.registry(), device="cpu", plan=QUICK, reporter=reporter) as made:
        yield made


def case(bench, technique, workload="halves"):
    return tiny.case_of(bench.registry, technique, workload)


def names(measurements):
    return {measurement.metric for measurement in measurements}


def short(monkeypatch):
    monkeypatch.setattr(speed, "QUICK", SHORT)


def test_quality_compares_with_the_control_of_the_same_seeds(bench, news):
    """The technique's own control is trained for it, and the figures name it."""
    found = bench.measure(case(bench, "halved(epochs=1)"), "quality")
    assert {"longer(epochs=1)"} == {one.control for one in found if one.metric.startswith("accuracy")}
    assert {("halves", "baseline", 0), ("halves", "halved(epochs=1)", 0), ("halves", "longer(epochs=1)", 0)} == set(
        news
    )
    assert {
        "output_error",
        "accuracy",
        "accuracy_worst_seed",
        "accuracy_vs_control",
        "macro_precision",
        "macro_recall",
        "train_seconds",
        "time_to_target",
    } <= names(found)


def test_the_baseline_is_its_own_control(bench):
    """It differs from itself by exactly nothing."""
    found = {measurement.metric: measurement for measurement in bench.measure(case(bench, "baseline"), "quality")}
    assert 0 == found["accuracy_vs_control"].value == found["output_error"].value
    assert (0, 1) == found["accuracy"].seeds


def test_groups_share_the_trained_network(bench, news):
    """Training happens in whichever group comes first."""
    for group in ("size", "quality", "memory"):
        bench.measure(case(bench, "baseline"), group)
    assert 2 * tiny.EPOCHS == len(news)


SIZES = {"parameters", "nonzero_parameters", "artefact_bytes", "entropy_bytes", "macs", "moved_bytes"}
WORK = {"operators", "view_operators", "allocations", "allocated_bytes"}


def test_size_has_its_six_figures(bench):
    """Work is counted where that is asked for."""
    found = {one.metric: one for one in bench.measure(case(bench, "baseline"), "size")}
    assert SIZES == found.keys()
    assert 16 == found["moved_bytes"].conditions["batch"]


def test_size_has_its_six_figures_and_the_counts_of_work(bench):
    """All of them are counts."""
    bench.plan = replace(QUICK, count=True)
    found = bench.measure(case(bench, "baseline"), "size")
    assert SIZES | WORK | {"training_operators"} == names(found)
    assert all(measurement.value == int(measurement.value) > 0 for measurement in found)


def test_instructions_come_from_a_process_of_their_own(bench, monkeypatch):
    """With the training step where the technique changes it."""
    asked = []
    bench.plan = replace(QUICK, count=True, instructions=True)
    answer = lambda _, one, *__, training: asked.append((one.composition.name, training)) or []  # noqa: E731
    monkeypatch.setattr(Workers, "instructions", answer)
    for name in ("baseline", "wrapped"):
        bench.measure(case(bench, name), "size")
    assert [("baseline", True), ("wrapped", False)] == asked


def test_instructions_that_valgrind_cannot_count_are_told_and_cost_nothing_else(bench, monkeypatch):
    """Sizes and the other counts stand."""
    bench.plan = replace(QUICK, count=True, instructions=True)

    def fail(*_, **__):
        raise FreshProcessError("ended with -4: unhandled instruction bytes")

    monkeypatch.setattr(Workers, "instructions", fail)
    with pytest.warns(UserWarning, match="unhandled instruction bytes .valgrind knows no AVX-512"):
        found = bench.measure(case(bench, "baseline"), "size")
    assert SIZES <= names(found)


def test_a_step_is_counted_where_the_technique_changes_it(bench):
    """What only follows training has the baseline's step."""
    bench.plan = replace(QUICK, count=True)
    assert SIZES | WORK == names(bench.measure(case(bench, "wrapped"), "size"))


def test_a_compiled_network_is_watched_when_it_is_served_first(bench, monkeypatch):
    """What was compiled then stays known to the group that counts; it is compiled once."""
    seen = []
    bench.plan = replace(QUICK, count=True)

    def watched(serve, inputs):
        served = serve()
        seen.append(inputs(served).shape[0])
        return served, None

    monkeypatch.setattr(module.counts, "compiled_and_served", watched)
    monkeypatch.setattr(Composition, "needs", ("compiler",))
    plain = case(bench, "baseline")
    assert bench._serve(plain.workload, plain.composition) is bench._serve(plain.workload, plain.composition)
    assert [plain.batch] == seen


@pytest.mark.parametrize(
    ("technique", "expected"),
    [
        ("baseline", {"inference", "training"}),
        ("nhwc", {"inference", "training"}),
        ("halved(epochs=1)", {"inference"}),
        ("wrapped", {"inference"}),
    ],
)
def test_training_is_measured_where_the_technique_changes_it(bench, technique, expected):
    """What only follows training has the baseline's training step; a quick run starts no process."""
    found = names(bench.measure(case(bench, technique), "memory"))
    assert {f"{kind}_memory_{stage}" for kind in ("peak", "held") for stage in expected} == found


def test_speed_keeps_its_raw_samples_under_the_names_that_the_figures_carry(bench, monkeypatch):
    """A figure can be traced to its rounds."""
    short(monkeypatch)
    kept = {}

    def keep(owner, name, columns):
        kept[f"{owner}-{name}"] = columns
        return f"{owner}-{name}"

    bench.keep = keep
    found = bench.measure(case(bench, "nhwc"), "speed")
    assert {"train_step_speedup", "speedup", "speedup_b1"} <= names(found)
    assert {measurement.samples for measurement in found} - {None} == set(kept)
    assert all(len(column) for columns in kept.values() for column in columns.values())
    assert {"inference", "inference_b1", "training"} == set(bench.samples)


def test_a_need_that_is_not_met_makes_a_cell_unavailable_with_the_reason(bench, news):
    """What can be learnt is the workload's to say; nothing is trained to find out."""
    with pytest.raises(UnavailableError, match="nothing can be learnt from the data of unlabelled"):
        bench.measure(case(bench, "longer(epochs=1)", "unlabelled"), "size")
    assert [] == news


def test_a_missing_compiler_makes_a_cell_unavailable(bench, monkeypatch):
    """The reason says what to install."""
    monkeypatch.setenv("CXX", "no-such-compiler")

    @bench.registry.technique(slots=("deploy",), needs=("compiler",))
    def compiled(recipe):
        return replace(recipe)

    with pytest.raises(UnavailableError, match=r"needs a C\+\+ compiler.*no-such-compiler"):
        bench.measure(case(bench, "compiled"), "size")


def test_the_quality_of_a_workload_without_scores_is_that_its_outputs_are_the_networks_own(bench):
    """Speed may not be bought with outputs that have nothing to do with the network's."""
    (found,) = bench.measure(case(bench, "nhwc", "unlabelled"), "quality")
    assert "output_error" == found.metric
    assert 0 <= found.value < 1e-5


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (lambda outputs: 0 * outputs, "1 times the network's own away"),
        (lambda outputs: outputs / 0, r"holds (inf|-inf|nan); outputs must be finite"),
        (lambda outputs: outputs[:, :1], r"shapes \[\(16, 1\)\], the network's own \[\(16, 2\)\]"),
    ],
    ids=["zero", "infinite", "shape"],
)
def test_outputs_that_cannot_be_the_networks_are_an_error_without_scores(bench, wrong, expected):
    """A technique that serves nonsense is as fast as it likes."""

    @bench.registry.technique(slots=("deploy",))
    def nonsense(plain):
        """Serve something else."""
        return replace(plain, deploy=lambda network: lambda inputs: wrong(network(inputs)))

    with pytest.raises(OutputError, match=expected):
        bench.measure(case(bench, "nonsense", "unlabelled"), "quality")


def test_predictions_for_other_items_than_the_controls_are_an_error(bench):
    """A technique that reorders the test set would be compared item by item with other items."""

    @bench.registry.technique(slots=("data",))
    def permuted(plain):
        """Shuffle the test set."""
        found = plain.data()
        order = torch.randperm(len(found.test), generator=torch.Generator().manual_seed(3))
        test = replace(found.test, inputs=found.test.inputs[order], targets=found.test.targets[order])
        return replace(plain, data=lambda: replace(found, test=test))

    with pytest.raises(Exception, match="test item"):
        bench.measure(case(bench, "permuted"), "quality")


def test_a_slot_that_a_technique_changes_without_saying_so_is_an_error(bench):
    """It would share the baseline's training and show its figures."""

    @bench.registry.technique(slots=("deploy",))
    def sly(plain):
        """Train longer and say nothing of it."""
        return replace(plain, epochs=9)

    with pytest.raises(RegistrationError, match=r"'sly' at .*test_bench\.py:\d+ changes epochs .*'deploy', 'epochs'"):
        bench.measure(case(bench, "sly"), "size")


@pytest.fixture
def setting(bench):
    """A technique that turns off oneDNN for the process when it is deployed."""

    def off(network):
        torch.backends.mkldnn.enabled = False
        return network

    @bench.registry.technique(slots=("deploy",))
    def global_switch(plain):
        """Serve without oneDNN, and everything after it too."""
        return replace(plain, deploy=off)

    yield case(bench, "global_switch")
    torch.backends.mkldnn.enabled = True


@pytest.mark.parametrize("group", ["size", "speed", "memory", "quality"])
def test_a_technique_that_changes_a_setting_of_torch_is_an_error_and_the_setting_is_put_back(
    bench, setting, monkeypatch, group
):
    """It would change the baseline beside it and every cell after it."""
    short(monkeypatch)
    with pytest.raises(TechniqueError, match=r"global_switch changed .*mkldnn_enabled 1 -> 0.*slot 'flags'"):
        bench.measure(setting, group)
    assert torch.backends.mkldnn.enabled


def test_a_setting_that_the_recipe_asks_for_is_no_error(bench):
    """The slot `flags` is the way to say it: it is set for that side alone."""

    @bench.registry.technique(slots=("flags",))
    def without_onednn(plain):
        """Serve without oneDNN."""
        return replace(plain, flags={"mkldnn_enabled": 0})

    assert "accuracy" in names(bench.measure(case(bench, "without_onednn"), "quality"))
    assert torch.backends.mkldnn.enabled


def test_releasing_a_cell_keeps_the_baseline_for_the_next_one(bench, news):
    """The last cell of a workload takes everything with it."""
    bench.measure(case(bench, "nhwc"), "quality")
    bench.release(case(bench, "nhwc"), case(bench, "wrapped"))
    news.clear()
    bench.measure(case(bench, "wrapped"), "quality")
    assert [] == news
    bench.release(case(bench, "wrapped"), None)
    bench.measure(case(bench, "baseline"), "size")
    assert tiny.EPOCHS * [("halves", "baseline", 0)] == news


def test_a_checkpoint_that_nobody_trains_is_tested_once(bench):
    """Its outputs do not depend on the seed; a technique that fine-tunes it does."""

    @bench.registry.workload(source="checkpoint", scores=classification(), batch=16)
    def bought(seed):
        """Comes trained."""
        return tiny.recipe(seed)

    bench.plan = Plan(profile="default", seeds=2)
    seeds = {name: bench._seeds(case(bench, name, "bought")) for name in ("wrapped", "longer(epochs=1)")}
    assert {"wrapped": range(1), "longer(epochs=1)": range(2)} == seeds


@pytest.mark.parametrize(
    ("plan", "baseline", "expected"),
    [
        (Plan(seeds=5), True, 5),
        (Plan(seeds=5), False, 5),
        (Plan(profile="quick", seeds=5), True, 3),
        (Plan(profile="quick", seeds=5), False, 1),
        (Plan(seeds=2, few=True), True, 2),
        (Plan(profile="quick", seeds=4, few=False), False, 4),  # asked for by name
        (Plan(few=True), True, 3),
        (Plan(few=True), False, 1),
    ],
)
def test_a_plan_of_few_seeds_has_one_for_each_technique_and_three_for_the_baseline(plan, baseline, expected):
    """Never more than were asked for."""
    assert range(expected) == plan.seeds_of(baseline=baseline)


def test_a_quick_run_looks_half_as_long_at_networks_of_the_baselines_architecture(bench):
    """But not at the baseline, whose copies are what the run is trusted by."""

    @bench.registry.technique(slots=("epochs",))
    def same(plain):
        """Train for one epoch."""
        return replace(plain, epochs=1)

    for plan, usual, short in ((QUICK, speed.QUICK, speed.SAME), (Plan(), speed.DEFAULT, speed.QUICK)):
        assert short == plan.serving_budget(case(bench, "same"))
        assert [usual] * 2 == [plan.serving_budget(case(bench, name)) for name in ("baseline", "wrapped")]


def test_a_quick_plan_is_short_and_starts_no_processes_unless_it_is_asked_for_them():
    """The other profiles do."""
    assert not QUICK.fresh
    assert Plan(profile="quick", processes=2).fresh
    assert Plan(profile="full").fresh
    assert QUICK.budget.batch < Plan().budget.batch


# -- fresh processes, faked -------------------------------------------------------------------------------------------


class FakeWorkers:
    """Answers at once what a worker process would measure, and remembers what it was asked."""

    def __init__(self, asked):
        self.asked = asked

    def speed(self, found, _base, _technique, task, *, processes, judged):  # noqa: ARG002  # as of the real ones
        self.asked.append(("speed", str(found), processes, task.saturating, task.budget, dict(task.bounds), task.parts))
        conditions = {"batch": 16, "threads": torch.get_num_threads(), "matmul": "highest"}
        names = {"inference": "speedup", "training": "train_step_speedup"}
        return [
            {names[part]: measured(found.cell, names[part], 3.0 + k, conditions=conditions) for part in task.parts}
            for k in range(processes)
        ]

    def rss(self, found, *_networks, processes):
        self.asked.append(("rss", str(found), processes))
        return measured(found.cell, "peak_rss_rise", 1.0)

    def compile(self, found, *_networks):
        self.asked.append(("compile", str(found)))
        return [measured(found.cell, "compile_seconds_cold", 1.0)]

    def forget(self, workload):
        self.asked.append(("forget", workload))

    def close(self):
        self.asked.append(("close",))


@pytest.fixture
def asked(monkeypatch):
    calls = []
    monkeypatch.setattr(module, "Workers", lambda load, starting: FakeWorkers(calls) if load and starting else None)
    return calls


@pytest.fixture
def timed_at_once(monkeypatch):
    """What this process would time, known beforehand."""
    conditions = {"batch": 16, "threads": torch.get_num_threads(), "matmul": "highest"}

    def timed(name):
        def answer(cell, *_sides, **_terms):
            return speed.Timed(measurements=(measured(cell, name, 1.0, conditions=conditions),), samples={})

        return answer

    monkeypatch.setattr(speed, "inference", timed("speedup"))
    monkeypatch.setattr(speed, "training", timed("train_step_speedup"))


@pytest.mark.usefixtures("timed_at_once")
def test_a_replicated_timing_counts_this_process_and_the_fresh_ones(bench, asked):
    """Three processes are this one and two workers; a quick plan of one process starts none."""
    bench.plan = Plan(profile="default", seeds=1, processes=3)
    found = {one.metric: one for one in bench.measure(case(bench, "wrapped"), "speed")}
    assert 3 == found["speedup"].processes
    assert [("speed", "halves-wrapped-cpu", 2, None, speed.REPLICA, {}, ("inference",))] == asked
    bench.plan = Plan(profile="quick", seeds=1)
    bench.measure(case(bench, "wrapped"), "speed")
    assert 1 == len(asked)


@pytest.mark.usefixtures("timed_at_once")
@pytest.mark.parametrize(
    ("slots", "changes", "parts"),
    [
        (("precision",), {"precision": Precision(autocast=torch.bfloat16)}, ("training",)),
        (("epochs",), {"epochs": 1}, ()),
        (("flags",), {"flags": {"threads": 1}}, ("inference", "training")),
    ],
    ids=["training", "nothing but more of the same", "both"],
)
def test_processes_time_what_a_technique_can_change_and_nothing_else(bench, asked, slots, changes, parts):
    """Other weights in the same network take the same time; one short look suffices, and its memory is the same."""

    @bench.registry.technique(slots=slots)
    def changed(plain):
        """Train otherwise."""
        return replace(plain, **changes)

    bench.plan = Plan(profile="default", seeds=1, processes=3)
    found = {one.metric: one for one in bench.measure(case(bench, "changed"), "speed")}
    bench.measure(case(bench, "changed"), "memory")
    assert found["speedup"].processes == (3 if "inference" in parts else 1)
    assert ("train_step_speedup" in found) is ("training" in parts)
    assert parts == next((call[-1] for call in asked if call[0] == "speed"), ())
    assert ("rss" in [call[0] for call in asked]) is ("inference" in parts)


def test_a_repeat_asks_one_fresh_process_for_the_saturating_batch_too(bench, asked):
    """A resumed run knows it from stored expectations; without it a regression there could not be confirmed."""
    bench.saturating["halves"] = 512
    bounds = {"speedup": (2.0,)}
    found = bench.repeat(case(bench, "wrapped"), bounds)
    assert 3.0 == found["speedup"].value
    assert [("speed", "halves-wrapped-cpu", 1, 512, speed.QUICK, bounds, ("inference",))] == asked


def test_what_compiles_is_timed_compiling_in_processes_of_its_own(bench, asked, monkeypatch):
    """And the rise of the resident set needs one; both are left out of quick runs."""
    monkeypatch.setattr(Plan, "budget", property(lambda _: SHORT))
    monkeypatch.setattr(module.requirements, "missing_need", lambda *_: None)

    @bench.registry.technique(slots=("deploy",), needs=("compiler",))
    def compiled(plain):
        """Call it compiled."""
        return replace(plain)

    bench.plan = Plan(profile="default", seeds=1)
    assert "compile_seconds_cold" in names(bench.measure(case(bench, "compiled"), "speed"))
    assert "peak_rss_rise" in names(bench.measure(case(bench, "compiled"), "memory"))
    assert ["compile", "rss"] == [call[0] for call in asked]
    assert 1 == asked[-1][-1]


@pytest.mark.parametrize(("bound", "processes"), [(2.0, [1]), (0.5, [1, 3])])
def test_a_resident_set_beyond_its_bound_is_asked_of_three_processes(bench, asked, bound, processes):
    """One in several holds more: a gate looks again before it fails by it."""
    bench.plan = Plan(profile="default", seeds=1)
    bench.measure(case(bench, "nhwc"), "memory", {"peak_rss_rise": (bound,)})
    assert processes == [call[-1] for call in asked]


@pytest.mark.parametrize(("processes", "expected"), [(1, 1), (2, 3)])
def test_what_is_stored_of_the_resident_set_is_a_median_of_three(bench, asked, processes, expected):
    """A gate asks one process: its bound is as wide as processes differ."""
    bench.plan = Plan(profile="default", seeds=1, processes=processes)
    bench.measure(case(bench, "wrapped"), "memory")
    assert [("rss", "halves-wrapped-cpu", expected)] == asked


def test_the_worker_processes_end_with_the_bench(bench, asked):
    """What they were sent goes with them."""
    with bench:
        bench.repeat(case(bench, "wrapped"))
    assert ("close",) == asked[-1]


def test_on_a_cpu_no_saturating_batch_is_searched(bench):
    """One core is saturated by a single image."""
    assert bench._saturating(case(bench, "baseline"), {}) is None


def test_a_saturating_batch_is_searched_once_for_a_workload(bench, monkeypatch):
    """All its cells are timed at the same one."""
    searched = []
    monkeypatch.setattr(module, "saturating_batch", lambda base, batch: searched.append((base, batch)) or 256)
    monkeypatch.setattr(module.device_memory, "forget_peak", lambda _device: None)
    bench.device = "cuda"
    sides = {BASE: SimpleNamespace()}
    assert [256, 256] == [bench._saturating(case(bench, name), sides) for name in ("baseline", "wrapped")]
    assert [(sides[BASE], 16)] == searched


def test_the_workers_let_go_of_a_cells_networks_with_the_bench(bench, asked):
    """The baseline is sent again for the next cell of the workload."""
    first, second = case(bench, "baseline"), case(bench, "wrapped")
    bench.repeat(first)
    bench.release(first, second)
    bench.release(second, None)
    assert [("forget", "halves"), ("forget", None)] == asked[1:]


def test_memory_is_counted_after_training(bench, news, monkeypatch):
    """A resumed run trains only now; on an accelerator the trained network would count as held by the served one."""
    trained = []
    monkeypatch.setattr(module.device_memory, "allocated", lambda _device: trained.append(len(news)) or 0)
    bench.measure(case(bench, "halved(epochs=1)"), "memory")
    assert len(news) > 0
    assert len(news) == trained[0]


def test_circles_are_collected_before_an_accelerators_memory_is_given_back(bench, monkeypatch):
    """Compiled networks hold themselves; what they hold could not be given to a worker process."""
    circle = type("Circle", (), {})()
    circle.itself, gone = circle, weakref.ref(circle)
    del circle
    found = []
    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: found.append(gone()))
    bench.device = "cuda"
    bench._free_device()
    assert [None] == found


def test_a_default_run_knows_what_the_machine_can_multiply(bench, monkeypatch):
    """A quick one has no seconds for it; a machine that multiplies once a second could not have served anything."""
    short(monkeypatch)
    asked = []
    monkeypatch.setattr(
        module, "ceilings", lambda device: asked.append(device) or SimpleNamespace(gemm={"float32": 1.0})
    )
    bench.measure(case(bench, "baseline"), "speed")
    assert [] == asked
    bench.plan = Plan(profile="default", seeds=1)
    monkeypatch.setattr(speed, "DEFAULT", SHORT)
    with pytest.raises(ImplausibleError, match="the fastest matrix products here do 1;"):
        bench.measure(case(bench, "baseline"), "speed")
    assert ["cpu"] == asked
