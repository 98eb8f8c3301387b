"""A training step of several ranks in the sampler, and a cell of two ranks from the command line."""
# the expected value stands on the left

import json

import pytest
import rank_samples
import tiny
import torch

from suite.core.errors import ImplausibleError
from suite.core.records import Cell
from suite.measure import memory, speed
from suite.measure.ranked_step import RankedStep
from suite.registry import REGISTRY
from suite.training.distributed.launching import RankError
from suite.training.distributed.traffic import ring_bytes

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]

CELL = Cell(workload="halves", technique="ddp(ranks=2)", device="cpu", ranks=2)
NAMES = ("ddp", "zero1", "fsdp2", "tensor_parallel", "pipeline", "ddp_hook(hook='fp16')")


@pytest.fixture
def step(request):
    made = RankedStep(REGISTRY.resolve(request.param).apply(tiny.recipe()), device="cpu", reference=tiny.no_reference)
    yield made
    made.close()


@pytest.mark.parametrize("step", NAMES, indirect=True)
def test_a_step_of_ranks_trains_on_its_batch_and_is_reset(step):
    """What the integrity checks of one process check, in every rank, with the loss of the real training."""
    first = tiny.fitted().first_loss
    for _ in range(3):
        step()
    step.reset()
    step.check("technique", first)
    with pytest.raises(ImplausibleError, match="had a loss of 9"):
        step.check("technique", 9.0)


@pytest.mark.parametrize("step", ["ddp"], indirect=True)
def test_bytes_of_a_step_are_those_of_the_ring_and_of_the_heads_of_messages(step):
    """Gradients in float32, and one loss."""
    payload = 4 * (1 + sum(weight.numel() for weight in tiny.Net().parameters()))
    assert ring_bytes(payload, 2) < step.network_bytes() < 1.5 * ring_bytes(payload, 2)


def test_a_rank_that_fails_is_named_and_all_of_them_end():
    def refuses(_trainee):
        raise OSError("no more")

    ddp = REGISTRY.resolve("ddp").apply(tiny.recipe(callbacks=(refuses,)))
    with pytest.raises(RankError, match="rank 0 of 2 failed: OSError: no more"):
        RankedStep(ddp, device="cpu", reference=tiny.no_reference)


def test_a_cell_of_two_ranks_has_the_speed_of_its_step_and_its_bytes():
    budget = speed.SamplingBudget(training=0.3, rounds=3, longest=1.0)
    torch.set_num_threads(1)
    ddp = REGISTRY.resolve("ddp").apply(tiny.recipe())
    timed = speed.training(CELL, tiny.recipe(), ddp, reference=tiny.no_reference, budget=budget)
    found = {measured.metric: measured for measured in timed.measurements}
    assert {"train_step_speedup", "network_bytes"} == set(found)
    assert all(2 == measured.conditions["ranks"] for measured in found.values())


def test_memory_is_that_of_the_fullest_rank():
    """A rank of FSDP holds less than one process between steps."""
    texts = ("baseline", "fsdp2")
    recipes = [REGISTRY.resolve(text).apply(rank_samples.recipe()) for text in texts]
    cells = (tiny.BASELINE_CELL, CELL)
    one, two = (
        memory.of_the_fullest_rank(cell, recipe, reference=tiny.no_reference)
        for cell, recipe in zip(cells, recipes, strict=True)
    )
    assert two[0].value < one[0].value


def test_the_command_measures_a_cell_of_two_ranks(suite, tmp_path):
    """Accuracy, sizes, and the speed of a training step."""
    ended = suite("bench", "--workload=digits_cnn", "--technique=ddp", "--quick", "--device=cpu", cwd=tmp_path)
    assert "accuracy" in ended.stdout, ended.stderr
    lines = (tmp_path / "reports" / "latest" / "results.jsonl").read_text("utf-8").splitlines()
    metrics = {found["metric"] for line in lines if "metric" in (found := json.loads(line))}
    assert {"accuracy", "parameters", "train_step_speedup", "network_bytes", "peak_memory_training"} <= metrics
