"""Ten attacks on the harness, each planted as a technique or in the harness itself, and what the run says of them.

Each goes through the real bench on the tiny workload. The honest twins are the workload's own techniques, which the
tests of the bench measure without a word.
"""
# the expected value stands on the left

import gc
import threading
import time
from dataclasses import replace

import pytest
import tiny
import torch

from suite.bench import bench as bench_module
from suite.bench.bench import Bench, Plan
from suite.core.errors import ImplausibleError, OutputError, SuiteError, TechniqueError
from suite.measure import speed
from suite.measure.arms import BASE, TECHNIQUE
from suite.measure.sampler import timing
from suite.measure.sampler.options import Instruments

SHORT = speed.SamplingBudget(batch=0.1, single=0.05, latency=0.02, training=0.05, rounds=1, tolerance=1.0)

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("few_draws")]


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(speed, "QUICK", SHORT)
    with Bench(registry=tiny.registry(), device="cpu", plan=Plan(profile="quick", seeds=1)) as made:
        yield made


def deployed(bench, deploy):
    """What the bench says of a technique that serves in this way, group by group until one raises."""

    @bench.registry.technique(slots=("deploy",))
    def attack(plain):
        """Serve otherwise."""
        return replace(plain, deploy=deploy)

    case = tiny.case_of(bench.registry, "attack")
    for group in ("quality", "size", "speed"):
        bench.measure(case, group)


def test_1_an_answer_that_is_kept_is_no_answer(bench):
    """The first batch's outputs for everything of that shape at that address."""

    def deploy(network):
        kept = {}

        def call(inputs):
            key = inputs.data_ptr()
            if key not in kept:
                kept[key] = network(inputs)
            return kept[key]

        return call

    with pytest.raises(ImplausibleError, match="the outputs of the technique do not follow its inputs"):
        deployed(bench, deploy)


def test_1_an_answer_that_is_kept_by_content_is_none_either(bench):
    """The same bytes, the same answer: all rounds but the first serve nobody."""

    def deploy(network):
        kept = {}

        def call(inputs):
            key = inputs.numpy().tobytes()
            if key not in kept:
                time.sleep(2e-3)  # as if the network were not as small as here
                kept[key] = network(inputs)
            return kept[key]

        return call

    with pytest.raises(
        ImplausibleError, match="technique is at least 2 times as fast on inputs that it has been given before"
    ):
        deployed(bench, deploy)


def test_2_inputs_that_are_changed_in_place_are_not_what_is_timed(bench):
    """Every call makes the next one's batch darker."""

    def deploy(network):
        return lambda inputs: network(inputs.mul_(0.999))

    with pytest.raises(ImplausibleError, match="the technique changes the inputs that it is given"):
        deployed(bench, deploy)


def test_3_work_that_another_thread_does_is_noticed(bench):
    """Two calls' worth of products run beside the clock, in a thread that never waits."""
    stop = threading.Event()

    def toil():
        one = torch.randn(400, 400)
        while not stop.is_set():
            one @ one

    def deploy(network):
        threading.Thread(target=toil, daemon=True).start()
        return network

    try:
        with pytest.raises(ImplausibleError, match="s of work went to other threads while halves-attack-cpu was timed"):
            deployed(bench, deploy)
    finally:
        stop.set()


def test_4_an_answer_that_is_yet_to_be_computed_is_none(bench):
    """An object that computes when somebody looks; even quality refuses it."""

    class Later:
        def __init__(self, network, inputs):
            self.ask = lambda: network(inputs)

    with pytest.raises(SuiteError, match="Later"):
        deployed(bench, lambda network: lambda inputs: Later(network, inputs))


def test_5_swapped_arms_answer_like_the_other_side(bench, monkeypatch):
    """A harness that mixes up its sides: each is held against the network whose quality was tested."""
    sides = bench_module.serving_arms

    def swapped(base, technique, *, is_baseline):
        found = sides(base, technique, is_baseline=is_baseline)
        return {**found, BASE: found[TECHNIQUE], TECHNIQUE: found[BASE]}

    monkeypatch.setattr(bench_module, "serving_arms", swapped)
    case = tiny.case_of(bench.registry, "halved(epochs=1)")
    with pytest.raises(
        ImplausibleError, match="the baseline at batch 16 answer otherwise than the network whose outputs were"
    ):
        bench.measure(case, "speed")


def test_6_a_clock_that_was_replaced_disagrees_with_another(bench, monkeypatch):
    """Half as fast: everything would take half as long."""
    monkeypatch.setitem(Instruments.__init__.__kwdefaults__, "clock", lambda: time.perf_counter() / 2)
    with pytest.raises(timing.ClockError, match="the clock says"):
        bench.measure(tiny.case_of(bench.registry, "wrapped"), "speed")


def test_7_half_of_the_batch_is_not_the_batch(bench):
    """The second half gets the first half's answers."""

    def deploy(network):
        def call(inputs):
            half = network(inputs[: max(1, len(inputs) // 2)])
            return torch.cat([half, half])[: len(inputs)]

        return call

    with pytest.raises(ImplausibleError, match="serves a part of the batch"):
        deployed(bench, deploy)


def test_8_a_batch_of_another_size_is_told(bench, monkeypatch):
    """Quality is tested on whole batches; once timing starts only one item is served."""
    calls = []
    monkeypatch.setattr(timing, "_calibrate", lambda plan, _: calls.append(1) or dict.fromkeys(plan.arms, 1))

    def deploy(network):
        return lambda inputs: network(inputs[:1]) if calls else network(inputs)

    with pytest.raises(ImplausibleError, match="got 16 items and answered"):
        deployed(bench, deploy)


def test_9_a_stale_artefact_has_nothing_to_do_with_the_weights(bench):
    """Compiled before the weights were trained: what is served is another network, though its parts are all there."""

    torch.manual_seed(0)
    stale = tiny.Net().eval()
    with pytest.raises(OutputError, match="times the network's own away from them, and no score of halves may excuse"):
        deployed(bench, lambda _: stale)


def test_10_a_finish_that_changes_nothing_is_told(bench):
    """A pruning of nothing has the baseline's accuracy and would pass for a fine one."""

    @bench.registry.technique(slots=("finish",), control="baseline")
    def pruned(plain):
        """Prune, it says."""

        def finish(network, tuner):
            return plain.finish(network, tuner).eval()

        return replace(plain, finish=finish)

    with pytest.raises(ImplausibleError, match="pruned says that it finishes the network, and every weight is"):
        bench.measure(tiny.case_of(bench.registry, "pruned"), "size")


# -- what is timed is what was judged --------------------------------------------------------------------------------


def test_11_zeros_for_single_items_are_seen_at_batch_1(bench):
    """Honest at the batch whose quality is tested."""

    def deploy(network):
        return lambda inputs: torch.zeros(1, 2) if len(inputs) == 1 else network(inputs)

    with pytest.raises(ImplausibleError, match="the technique at batch 1 answer otherwise than the network whose"):
        deployed(bench, deploy)


def test_12_zeros_while_the_collector_is_off_are_seen(bench):
    """As it is while the clock runs: the outputs of timed turns themselves are compared."""

    def deploy(network):
        return lambda inputs: network(inputs) if gc.isenabled() else torch.zeros(len(inputs), 2)

    with pytest.raises(ImplausibleError, match="answer otherwise than the network whose outputs were tested"):
        deployed(bench, deploy)


def test_13_a_network_that_changes_after_it_was_judged_is_seen(bench):
    """A counter: right while quality and size are measured, something else from a later call on."""

    def deploy(network):
        calls = []

        def call(inputs):
            calls.append(1)
            return network(inputs) * (1 if len(calls) < 12 else 3)

        return call

    with pytest.raises(ImplausibleError, match="otherwise than"):
        deployed(bench, deploy)


def test_14_one_kept_answer_is_seen_although_orders_alternate(bench):
    """A cache of one entry is quick only if the same batch comes twice in a row, as it does in every timed turn."""

    def deploy(network):
        last = [torch.empty(0), None]

        def call(inputs):
            if last[0].shape != inputs.shape or not torch.equal(last[0], inputs):
                time.sleep(2e-3)  # as if the network were not as small as here
                last[:] = inputs.clone(), network(inputs)
            return last[1]

        return call

    with pytest.raises(ImplausibleError, match="times as fast on inputs that it has been given before"):
        deployed(bench, deploy)


class Promise(torch.Tensor):
    """A plain tensor to all who ask, but for its type."""


def test_15_a_tensor_subclass_that_the_baseline_does_not_return_is_refused(bench):
    """It may compute when somebody looks, which nobody does while the clock runs."""
    with pytest.raises(
        ImplausibleError, match=r"returned test_system_attacks\.Promise, and the baseline's return plain"
    ):
        deployed(bench, lambda network: lambda inputs: network(inputs).as_subclass(Promise))


def test_16_hooks_on_the_network_that_a_technique_may_refer_to_do_not_slow_the_baseline(bench):
    """It is given a copy."""
    calls = []

    @bench.registry.technique(slots=("finish",))
    def attack(plain):
        """Slow down what it is compared with."""

        def finish(network, tuner):
            tuner.reference("baseline").register_forward_hook(lambda *_: calls.append(1))
            next(network.parameters()).data.add_(1e-6)
            return network

        return replace(plain, finish=finish)

    bench.measure(tiny.case_of(bench.registry, "attack"), "speed")
    assert not calls


@pytest.mark.parametrize("group", ["quality", "speed"])
def test_17_a_method_of_torch_that_is_replaced_is_an_error_and_is_put_back(bench, group):
    """Every Linear layer slower but its own."""
    plainly = torch.nn.Linear.forward

    def deploy(network):
        torch.nn.Linear.forward = lambda self, x: plainly(self, 1 * x)
        return network

    @bench.registry.technique(slots=("deploy",))
    def attack(plain):
        """Serve otherwise."""
        return replace(plain, deploy=deploy)

    with pytest.raises(ImplausibleError, match=r"it replaced torch\.nn\.modules\.linear\.Linear\.forward"):
        bench.measure(tiny.case_of(bench.registry, "attack"), group)
    assert torch.nn.Linear.forward is plainly


def test_18_weights_of_the_baseline_that_a_technique_changes_are_seen(bench):
    """By whatever way it got hold of them."""
    workload = bench.registry.workloads["halves"]
    base = bench.store.get(workload, bench.registry.baseline, 0)

    def deploy(network):
        next(base.network.parameters()).data.add_(0.5)
        return network

    @bench.registry.technique(slots=("deploy",))
    def attack(plain):
        """Serve otherwise."""
        return replace(plain, deploy=deploy)

    with pytest.raises(ImplausibleError, match="changed the network that it is compared with: its weights changed"):
        bench.measure(tiny.case_of(bench.registry, "attack"), "size")


def test_19_a_baseline_that_is_slower_than_in_other_cells_is_suspect(bench, monkeypatch):
    """Whatever slowed it: a ratio to it says nothing."""
    cells = [tiny.case_of(bench.registry, name) for name in ("baseline", "halved(epochs=1)")]
    bench.measure(cells[0], "speed")
    monkeypatch.setattr(bench_module, "SLOWED", 1e-9)
    found = {one.metric: one for one in bench.measure(cells[1], "speed")}
    assert "times as long as in another cell of this run" in found["speedup"].suspect


@pytest.mark.parametrize("slot", ["finish", "quantize"])
def test_20_the_test_part_cannot_be_read_before_it_is_tested_on(bench, slot):
    """Nor through the recipe's own data; training data can."""

    @bench.registry.technique(slots=(slot,))
    def attack(plain):
        """Look at what it is judged by."""

        def look(network, _):
            assert len(plain.data().train.inputs)
            plain.data().test.targets.sum()
            return network

        return replace(plain, **{slot: look})

    with pytest.raises(TechniqueError, match="reads the test part of the data"):
        bench.measure(tiny.case_of(bench.registry, "attack"), "quality")


def test_21_a_timed_step_that_does_less_than_a_step_of_the_training_is_seen(bench, monkeypatch):
    """It still learns, and from all of its batch; only the loss of the very first step tells."""
    calls = []
    monkeypatch.setattr(timing, "_calibrate", lambda plan, _: calls.append(1) or dict.fromkeys(plan.arms, 1))

    @bench.registry.technique(slots=("loss",))
    def attack(plain):
        """Another loss while it is timed."""

        def loss(trainee, batch, output):
            return plain.loss(trainee, batch, output) * (0.9 if calls else 1.0)

        return replace(plain, loss=loss)

    with pytest.raises(ImplausibleError, match="the timed step is not the training step"):
        bench.measure(tiny.case_of(bench.registry, "attack"), "speed")


def test_22_a_timed_step_has_the_validation_data_that_a_step_of_the_training_has(bench):
    """Their absence would tell one from the other."""
    seen = []

    @bench.registry.technique(slots=("loss",))
    def attack(plain):
        """Look at what tells."""

        def loss(trainee, batch, output):
            seen.append(trainee.validation is None)
            return plain.loss(trainee, batch, output)

        return replace(plain, loss=loss)

    bench.measure(tiny.case_of(bench.registry, "attack"), "speed")
    assert {False} == set(seen)
