"""Memory that is held and the peak of a call: exact on a CPU."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from fake_accelerator import FakeAccelerator

from suite.measure import device_memory, memory
from suite.measure.memory import inference_memory, peak_bytes, training_memory
from suite.measure.size import parameters
from suite.training.loop import TrainingStep, start
from suite.training.recipe import Batch
from suite.training.serving import Served, serve

FLOATS = 1_000_000
BYTES = 4 * FLOATS


def at_once():
    return torch.empty(FLOATS), torch.empty(FLOATS)


def one_after_the_other():
    for _ in range(3):
        torch.empty(FLOATS)


def freed_before_more():
    first = torch.empty(2 * FLOATS)
    del first
    return torch.empty(FLOATS)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: torch.empty(FLOATS), BYTES),
        (at_once, 2 * BYTES),
        (one_after_the_other, BYTES),
        (freed_before_more, 2 * BYTES),
        (lambda: None, 0),
    ],
)
def test_the_peak_is_what_was_held_at_once(call, expected):
    """To the byte, and the same every time."""
    assert [expected, expected] == [peak_bytes(call, "cpu") for _ in range(2)]


def test_what_was_held_before_does_not_count():
    """Freeing an older tensor makes room that is not this call's."""
    held = [torch.empty(FLOATS)]

    def call():
        held.clear()
        return torch.empty(FLOATS)

    assert peak_bytes(call, "cpu") <= BYTES


class Step:
    """What `training_step` hands back: a call with its training step and its batch beside it."""

    def __init__(self, recipe, *, device, reference, resets):
        assert not resets  # a second copy of the weights would be counted
        self.step = TrainingStep(start(recipe, seed=0, device=device, reference=reference), total_steps=None)
        part = tiny.splits(0).train
        self.batch = Batch(inputs=part.inputs[: tiny.BATCH], targets=part.targets[: tiny.BATCH])
        self()

    def __call__(self):
        return self.step(self.batch)


@pytest.fixture
def train(monkeypatch):
    """Held and peak bytes of training a recipe of the tiny workload."""
    monkeypatch.setattr(memory, "training_step", Step)

    def measure(**changes):
        return by_name(training_memory(tiny.BASELINE_CELL, tiny.recipe(**changes), reference=tiny.no_reference))

    return measure


def by_name(measurements):
    return {one.metric: one for one in measurements}


WEIGHTS = 4 * parameters(tiny.Net())


def test_serving_memory_is_what_is_held_and_the_peak_of_one_call_without_its_inputs():
    """A network that negates its input holds its own weights and one batch more."""
    served = Served(recipe=tiny.recipe(), network=torch.nn.Linear(10, 10), device="cpu", call=torch.neg)
    held, peak = inference_memory(tiny.BASELINE_CELL, served, torch.ones(1000, 100))
    assert ("held_memory_inference", 4 * 110, "B") == (held.metric, held.value, held.unit)
    assert ("peak_memory_inference", 4 * 110 + 4 * 100_000, "B") == (peak.metric, peak.value, peak.unit)
    assert [{"batch": 1000}] * 2 == [held.conditions, peak.conditions]


def test_inputs_of_several_tensors_have_one_batch():
    """Tokens and their mask."""
    assert 7 == memory._items({"tokens": torch.ones(7, 3), "mask": torch.ones(7, 3)})


def test_smaller_weights_are_less_memory_at_the_same_activations():
    """What quantization saves is seen where it is saved."""
    trained = tiny.fitted()
    inputs = tiny.splits(0).train.inputs[: tiny.BATCH]
    plain = by_name(inference_memory(tiny.BASELINE_CELL, serve(trained), inputs))
    half = serve(trained)
    half.network.to(torch.bfloat16)
    small = by_name(inference_memory(tiny.BASELINE_CELL, replace(half, call=serve(trained).call), inputs))
    assert WEIGHTS == plain["held_memory_inference"].value
    assert WEIGHTS * 1.5 == small["held_memory_inference"].value  # with the network that is called beside it


def test_training_holds_weights_gradients_and_the_optimizers_state(train):
    """SGD with momentum: three times the weights; plain SGD: twice; Adam: four times, and a count for each tensor."""
    found = train()
    assert 3 * WEIGHTS == found["held_memory_training"].value
    assert 2 * WEIGHTS == train(optimizer=torch.optim.SGD)["held_memory_training"].value
    adam = train(optimizer=torch.optim.Adam)["held_memory_training"].value
    assert 4 * WEIGHTS + 4 * len(list(tiny.Net().parameters())) == adam
    assert {"batch": tiny.BATCH} == found["held_memory_training"].conditions


def test_the_peak_of_training_includes_what_is_held(train):
    """A step's activations come on top."""
    found = train()
    assert found["peak_memory_training"].value > found["held_memory_training"].value


def test_training_takes_more_memory_than_serving(train):
    """Activations are kept for the way back."""
    trained = tiny.fitted()
    inputs = tiny.splits(0).train.inputs[: tiny.BATCH]
    serving = by_name(inference_memory(tiny.BASELINE_CELL, serve(trained), inputs))
    assert 0 < serving["peak_memory_inference"].value < train()["peak_memory_training"].value


def test_memory_repeats_exactly(train):
    """Two passes of one step agree to the byte, so that a bound can be tight."""
    first, second = ({name: one.value for name, one in train().items()} for _ in range(2))
    assert first == second


@pytest.fixture
def device(monkeypatch):
    return FakeAccelerator(monkeypatch)


CUDA_CELL = replace(tiny.BASELINE_CELL, device="cuda")


def test_on_a_fake_accelerator_everything_above_what_was_there_is_held(device):
    """A compiler's packed copies too; the placed inputs are not the network's."""
    device.bytes = 5000
    before = memory.allocated("cuda")
    device.use(0, kept=700 + 40)  # serving it: weights of 700 bytes, and inputs of 40
    served = Served(recipe=tiny.recipe(), network=torch.nn.Identity(), device="cpu", call=lambda _: device.use(300))
    found = by_name(inference_memory(CUDA_CELL, served, torch.ones(10), allocated_before=before))
    assert (700, 1000) == tuple(found[f"{name}_memory_inference"].value for name in ("held", "peak"))


def serving_held(device, **change):
    """Held and peak bytes of a network of 700 bytes whose serving also changes the device so; inputs are of 40."""
    before = memory.allocated("cuda")
    device.use(0, kept=700 + 40)
    for name, value in change.items():
        setattr(device, name, value)
    served = Served(recipe=tiny.recipe(), network=torch.nn.Identity(), device="cpu", call=lambda _: None)
    found = by_name(inference_memory(CUDA_CELL, served, torch.ones(10), allocated_before=before))
    return tuple(found[f"{name}_memory_inference"].value for name in ("held", "peak"))


def test_on_a_fake_accelerator_what_a_graph_keeps_is_held(device):
    """Its pool counts as free though nothing but a replay can use it, and a replay allocates nothing.

    Of the pool's 4096 bytes 96 are handed out and counted already; pools of other devices and of no graph are others'.
    """
    pools = [
        segment(total_size=4096, allocated_size=96, segment_pool_id=(0, 1)),
        segment(total_size=2048, allocated_size=0, segment_pool_id=(0, 0)),
        segment(total_size=1024, allocated_size=0, segment_pool_id=(0, 2), device=1),
    ]
    assert (700 + 4000, 700 + 4000) == serving_held(device, segments=pools)


def segment(**changes):
    """A segment of the allocator's snapshot."""
    return {"device": 0, **changes}


def test_on_a_fake_accelerator_libraries_workspaces_are_nobodys(device):
    """cuBLAS keeps 32 MiB from its first product on; recording a graph frees it, which saves no technique anything."""
    device.workspace = 32 << 20
    assert (700, 700) == serving_held(device)
    memory.allocated("cuda")
    assert (700, 700) == serving_held(device, bytes=device.bytes + 740 - device.workspace, has_workspace=False)


def test_on_a_fake_accelerator_training_holds_what_the_step_left_there_but_for_its_batch(device, monkeypatch):
    """Its own counters, read before and after the step was made; a batch is no part of what is held on CPUs either."""
    device.bytes = 5000
    given = Batch(inputs=torch.ones(50), targets=torch.ones(25, dtype=torch.long))

    class Made:
        batch = given

        def __call__(self):
            device.use(100)

    def training_step(*_, **__):
        device.use(0, kept=900 + 4 * 50 + 8 * 25)
        return Made()

    monkeypatch.setattr(memory, "training_step", training_step)
    found = by_name(training_memory(CUDA_CELL, tiny.recipe(), reference=tiny.no_reference))
    assert (900, 1000) == tuple(found[f"{name}_memory_training"].value for name in ("held", "peak"))


def test_an_accelerator_without_counters_has_no_peak_and_what_can_be_reached_is_held(monkeypatch):
    """MPS: the figure is left out, and no cell fails for it."""

    def refuse(*_):
        raise RuntimeError("Allocator for mps is not a DeviceAllocator.")

    for name in ("memory_allocated", "max_memory_allocated", "reset_peak_memory_stats", "empty_cache"):
        monkeypatch.setattr(torch.accelerator, name, refuse)
    cell = replace(tiny.BASELINE_CELL, device="mps")
    assert 0 == memory.allocated("mps")
    device_memory.forget_peak("mps")
    device_memory.empty_cache()
    served = Served(recipe=tiny.recipe(), network=torch.nn.Linear(10, 10), device="cpu", call=torch.neg)
    (held,) = inference_memory(cell, served, torch.ones(10), allocated_before=0)
    assert ("held_memory_inference", 4 * 110) == (held.metric, held.value)


def test_a_cpu_has_no_counter_of_what_is_allocated():
    """Its tensors are counted instead."""
    assert 0 == memory.allocated("cpu")


def test_the_product_that_makes_libraries_allocate_runs_backward_wherever_it_is_asked_for():
    """Gradients are computed by another thread, which has a workspace of its own."""
    with torch.inference_mode():
        device_memory._let_libraries_allocate("cpu")
    with torch.no_grad():
        device_memory._let_libraries_allocate("cpu")
