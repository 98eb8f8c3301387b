"""Techniques of several ranks: the weights of one process in float64, or near them; planted faults are seen."""
# the expected value stands on the left

import os
import signal
import time
from dataclasses import replace

import pytest
import rank_samples
import tiny
import torch
import torch.distributed as dist
from rank_samples import EXACT, LOSSLESS, LOSSY, SEQUENCES, Normed, distance, faulty, recipe
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Shard
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

from suite.analysis.distributed.blocks import block, of_a_rank
from suite.core.errors import TechniqueError, UnavailableError
from suite.registry import REGISTRY
from suite.training.distributed import compressing, staged, tensor_pairs
from suite.training.distributed.elastic import Phase, train_elastic
from suite.training.distributed.in_ranks import sharing_batches
from suite.training.distributed.launching import LaunchLimits, RankError, run_ranks
from suite.training.distributed.parity import parity, relative_distances
from suite.training.distributed.resuming import ResumablePlan, train_resuming
from suite.training.distributed.sequence_norms import DividedNorms
from suite.training.distributed.stragglers import slowest
from suite.training.distributed.wraps import FullyShard, data_parallel
from suite.training.recipe import Batch
from suite.training.trees import take

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

KILLS = int(os.environ.get("SUITE_KILLS", "5"))


# -- launching --------------------------------------------------------------------------------------------------------


def summed(rank):
    total = torch.tensor(float(rank.index))
    dist.all_reduce(total)
    return rank.index, float(total)


def killed(rank):
    if rank.index == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    dist.barrier()


def failing(rank):
    if rank.index == 1:
        raise ValueError("no such thing")
    dist.barrier()


def refusing(rank):
    raise TechniqueError(f"not on {rank}")


def hanging(index):
    def work(rank):
        if rank.index == index:
            time.sleep(60)
        dist.all_reduce(torch.ones(3))

    return work


def sleeping(_rank):
    time.sleep(60)


def test_results_come_back_in_the_order_of_the_ranks():
    assert [(0, 3.0), (1, 3.0), (2, 3.0)] == run_ranks(summed, 3)


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (killed, "rank 1 of 2 was killed by SIGKILL"),
        (failing, "rank 1 of 2 failed: ValueError: no such thing"),
        (hanging(0), "rank 0 of 2 hangs: it reaches no collective within 2 s"),
        (hanging(1), "rank 1 of 2 hangs: it reaches no collective within 2 s"),
    ],
)
def test_a_rank_that_fails_or_hangs_is_named(work, said):
    with pytest.raises(RankError, match=said):
        run_ranks(work, 2, LaunchLimits(collective=2))


def test_ranks_that_all_hang_say_where():
    with pytest.raises(RankError, match=r"(?s)rank \d of 2 did not end in time; it was in.*in sleeping"):
        run_ranks(sleeping, 2, LaunchLimits(whole=2))


def test_an_error_of_the_suite_comes_as_it_was_raised():
    with pytest.raises(TechniqueError, match=r"not on rank [01] of 2"):
        run_ranks(refusing, 2)


# -- parity -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", LOSSLESS)
def test_a_lossless_technique_ends_with_the_weights_of_one_process(text):
    """In float64, ten steps."""
    assert distance(text).distance < EXACT


@pytest.mark.parametrize("text", SEQUENCES)
def test_a_divided_sequence_ends_with_the_weights_of_one_process(text):
    assert distance(text, plain=recipe(model=Normed)).distance < EXACT


def test_inputs_without_a_sequence_are_refused():
    """Of two dimensions: there the second one is normalised."""

    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.fc1, self.fc2 = nn.LayerNorm(64), nn.Linear(64, 16), nn.Linear(16, 2)

        def forward(self, x):
            return self.fc2(torch.relu(self.fc1(self.norm(x.flatten(1)))))

    with pytest.raises(UnavailableError, match=r"norm normalises inputs of shape \(8, 64\): they have no sequence"):
        distance("sequence_parallel", steps=1, plain=recipe(model=Rows))


@pytest.mark.parametrize("text", ["ddp", "fsdp2", "zero1", "tensor_parallel", "pipeline"])
def test_a_hundred_steps_end_alike_too(text):
    assert distance(text, steps=100).distance < EXACT


@pytest.mark.parametrize("text", ["ddp", "ddp_accumulation", "zero1", "fsdp2", "pipeline", "ddp(ranks=4)"])
def test_batches_that_the_ranks_do_not_divide_end_alike_too(text):
    """Batches of 7, 5 and 1: shares differ, and at the last of them ranks have no item."""
    assert distance(text, steps=9, plain=recipe(sizes=(7, 5, 1))).distance < EXACT


@pytest.mark.parametrize(("text", "most"), LOSSY.items())
def test_a_lossy_technique_stays_within_its_tolerance_and_is_not_lossless(text, most):
    assert EXACT < distance(text).distance < most


def test_the_layouts_are_those_of_the_technique():
    """A rank of FSDP holds half of the weights, one of a pipeline has gradients of its stage alone."""
    whole = sum(weight.numel() for weight in tiny.Net().parameters())
    sharded, stages = distance("fsdp2", steps=1).layouts, distance("pipeline", steps=1).layouts
    assert whole == sum(layout.weights for layout in sharded) == sum(layout.updated for layout in stages)


def test_a_comparison_with_itself_is_an_error():
    """Two ranks that each train the whole batch in a plain network, as one process does."""
    with pytest.raises(TechniqueError, match="compared with itself"):
        parity(recipe(), faulty(lambda network: network, "tensor_parallel"), steps=1)


# -- planted faults ---------------------------------------------------------------------------------------------------


def unsharded(network):
    """One tensor is left out: its gradient stays in its rank."""
    return fully_shard(network, ignored_params={network.fc1.bias})


class Ungrouped(FullyShard):
    """Groups of ranks do not reduce their gradients between them."""

    def __call__(self, network):
        form = super().__call__(network)
        network.set_requires_all_reduce(requires_all_reduce=False)
        return form


class Unadded(RowwiseParallel):
    """Each rank goes on with what its own part of the inputs gives."""

    @staticmethod
    def _prepare_output_fn(_layouts, _local, _module, outputs, _mesh):
        return outputs.to_local() if hasattr(outputs, "to_local") else outputs


def unadded_pairs(network):
    mesh = dist.init_device_mesh("cpu", (2,))
    return parallelize_module(network, mesh, {"fc1": ColwiseParallel(), "fc2": Unadded()})


def every_rank_apart(_right, plain):
    return sharing_batches(plain).gradients


class KeptApart(DividedNorms):
    """Gradients of the normalisation stay in their rank, which knows its part of the sequence alone."""

    def __call__(self, network):
        form, norm = super().__call__(network), network.norm
        mesh = norm.weight.device_mesh
        for name, weight in list(norm.named_parameters()):
            norm.register_parameter(name, nn.Parameter(weight.to_local().detach().clone()))
        norm.register_forward_pre_hook(lambda _norm, given: (given[0].to_local(),))
        norm.register_forward_hook(lambda _norm, _given, part: DTensor.from_local(part, mesh, [Shard(1)]))
        return form


def zero_without_sync(right, _plain):
    def optimizer(parameters, rate):
        made = right.optimizer(parameters, rate)
        if type(made).__name__ == "ZeroRedundancyOptimizer":
            made._sync_params = lambda: None
        return made

    return optimizer


def caught(change, plain=None):
    """Whether a comparison sees the fault: an error that says so, or weights far from those of one process."""
    try:
        return parity(plain or recipe(), change, steps=10).distance > 1e-6
    except RankError as error:
        return "other values" in str(error)


def test_a_tensor_that_is_not_reduced_is_named():
    with pytest.raises(RankError, match=r"other values of fc1\.bias than rank 0: its gradient is not reduced"):
        parity(recipe(), faulty(rank_samples.unreduced), steps=3)


FAULTS = {
    "ddp: an unweighted last batch": (faulty(loss=rank_samples.unweighted), recipe(sizes=(7,))),
    "ddp_accumulation: parts that count like the whole": (
        faulty(text="ddp_accumulation", loss=rank_samples.unweighted), None
    ),
    "zero1: updated weights stay in their rank": (faulty(text="zero1", optimizer=zero_without_sync), None),
    "fsdp2: a tensor is not reduced": (faulty(unsharded, "fsdp2"), None),
    "hsdp: groups do not reduce": (faulty(Ungrouped(parts=2), "hsdp"), None),
    "tensor_parallel: parts are not added": (faulty(unadded_pairs, "tensor_parallel"), None),
    "fsdp2_offload: a tensor is not reduced": (faulty(unsharded, "fsdp2_offload"), None),
    "tp_fsdp2: neighbours take different items": (faulty(text="tp_fsdp2", gradients=every_rank_apart), None),
    "sequence_parallel: gradients of the normalisation stay in their rank": (
        faulty(KeptApart(), "sequence_parallel"), recipe(model=Normed)
    ),
    "pipeline: stale weights of the other stage": (
        faulty(text="pipeline", after_epoch=lambda _right, plain: plain.after_epoch), None
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name):
    change, plain = FAULTS[name]
    assert caught(change, plain)


@pytest.mark.parametrize("text", LOSSY)
def test_a_wrong_scale_leaves_the_tolerance_of_a_lossy_technique(text):
    change = faulty(text=text, loss=lambda right, _plain: lambda *given: 2 * right.loss(*given))
    assert LOSSY[text] < parity(recipe(), change, steps=10).distance


def test_a_hook_that_does_not_compress_is_an_error(monkeypatch):
    """The statistics say so, whatever it is called."""
    from torch.distributed.algorithms.ddp_comm_hooks import default_hooks

    plain = {**compressing.HOOKS, "fp16": lambda _columns: (None, default_hooks.allreduce_hook)}
    monkeypatch.setattr(compressing, "HOOKS", plain)
    with pytest.raises(TechniqueError, match=r"with fp16 a rank sent \d+% of the uncompressed gradients' bytes"):
        distance("ddp_hook(hook='fp16')")


def test_powersgd_of_matrices_that_are_too_small_is_an_error():
    """Its own statistics: nothing was compressed."""
    with pytest.raises(TechniqueError, match="powersgd sends all elements"):
        distance("ddp_hook(hook='powersgd',rank=64)")


# -- batch normalisation, random numbers ------------------------------------------------------------------------------


class Normalised(nn.Module):
    """A layer that normalises by the batch; inputs [B, 1, 8, 8]."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))

    def forward(self, x):
        return self.layers(x)


def interleaved(plain):
    """The gradients of one process that normalises each half of a batch by itself, as two ranks do."""

    def gradients(trainee, batch, backward):
        middle = len(batch) // 2
        halves = [
            Batch(inputs=take(batch.inputs, part), targets=take(batch.targets, part))
            for part in (slice(middle), slice(middle, None))
        ]
        losses = [backward(half) for half in halves]
        for weight in trainee.network.parameters():
            weight.grad /= 2
        return sum(losses) / 2

    return replace(plain, gradients=gradients)


def test_ranks_normalise_their_own_share():
    """Weights are those of one process that goes through the halves one by one, not of one that sees whole batches."""
    plain = recipe(model=lambda: Normalised())  # noqa: PLW0108  # takes no width
    ddp = REGISTRY.resolve("ddp").apply
    ours = tiny.fitted(ddp(plain)).network
    halves, whole = tiny.fitted(interleaved(plain)).network, tiny.fitted(plain).network
    near, far = (
        max(value for name, value in relative_distances(other, ours).items() if name.endswith(("weight", "bias")))
        for other in (halves, whole)
    )
    assert near < 1e-4
    assert far > 1e-2


def stale_buffers(network):
    return torch.nn.parallel.DistributedDataParallel(network, forward_sync_buffers=False)


@pytest.mark.parametrize(("wrap", "same"), [(data_parallel, True), (stale_buffers, False)])
def test_buffers_of_all_ranks_are_those_of_rank_0_at_each_forward(wrap, same, tmp_path):
    """Stale ones, which no rank sends, are seen by comparing the ranks."""

    def note(trainee):
        network = trainee.network
        trainee.forward(torch.zeros(2, 1, 8, 8))  # the same on all ranks
        torch.save(network.layers[2].running_mean.clone(), tmp_path / f"{dist.get_rank()}.pt")

    plain = recipe(model=lambda: Normalised(), callbacks=(note,), epochs=1)  # noqa: PLW0108
    tiny.fitted(faulty(wrap)(plain))
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert same == torch.equal(first, second)


def test_ranks_draw_different_random_numbers(tmp_path):
    """Dropout masks of two shares are independent; the batches are the same."""

    def note(trainee):
        torch.save(torch.rand(3), tmp_path / f"{trainee.steps}-{dist.get_rank()}.pt")

    tiny.fitted(REGISTRY.resolve("ddp").apply(recipe(callbacks=(note,), epochs=1)))
    assert not torch.equal(torch.load(tmp_path / "1-0.pt"), torch.load(tmp_path / "1-1.pt"))


def test_the_ranks_of_a_stage_or_a_pair_are_found_before_anything_trains():
    """The same functions refuse a network."""
    assert 2 == len(staged.stages_of(tiny.Net(), 2))
    assert [("fc1", "fc2")] == tensor_pairs.pairs_of(tiny.Net(), 2)


# -- checkpoints and restarts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["fsdp2", "ddp"])
def test_a_checkpoint_is_resumed_by_another_number_of_ranks(text, tmp_path):
    """Two ranks, then four, then one process: the weights of one process all along."""
    plain = recipe(model=lambda **axes: tiny.Net(**axes).double(), data=doubled)
    two, four = (REGISTRY.resolve(f"{text}(ranks={ranks})").apply(plain) for ranks in (2, 4))
    for form, steps in ((two, 2), (four, 4), (plain, 6)):
        found = train_resuming(form, ResumablePlan(steps=steps, folder=tmp_path / "several"), LaunchLimits())
    alone = train_resuming(plain, ResumablePlan(steps=6, folder=tmp_path / "one"), LaunchLimits())
    assert EXACT > max(float((found[name] - alone[name]).norm() / alone[name].norm()) for name in alone)


def doubled():
    found = tiny.splits(0)
    part = replace(found.train, inputs=found.train.inputs.double())
    return replace(found, train=part)


def test_every_kill_is_survived_and_changes_no_weight(tmp_path):
    """One rank after the other is killed; SUITE_KILLS says how often, 100 in `nox -s distributed`. Units drop out."""

    def kill(rank, done):
        if rank.attempt < KILLS and done == rank.attempt + 1 and rank.index == rank.attempt % rank.world:
            os.kill(os.getpid(), signal.SIGKILL)

    ddp, steps = REGISTRY.resolve("ddp").apply(recipe(model=rank_samples.Dropping)), KILLS + 3
    limits = LaunchLimits(restarts=KILLS)
    calm = train_resuming(ddp, ResumablePlan(steps=steps, folder=tmp_path / "calm"), limits)
    struck = train_resuming(ddp, ResumablePlan(steps=steps, folder=tmp_path / "struck", interrupt=kill), limits)
    assert tiny.equal_states(calm, struck)
    assert [f"after-{steps}"] == os.listdir(tmp_path / "struck")  # noqa: PTH208  # names


# -- elastic changes of size, slow ranks ------------------------------------------------------------------------------


def of_ranks(ranks):
    plain = recipe(model=lambda **axes: tiny.Net(**axes).double(), data=doubled)
    return plain if ranks == 1 else REGISTRY.resolve(f"ddp(ranks={ranks})").apply(plain)


def undisturbed(folder, steps):
    return train_resuming(of_ranks(1), ResumablePlan(steps=steps, folder=folder), LaunchLimits())


def furthest(one, other):
    return max(float((one[name] - other[name]).norm() / one[name].norm()) for name in one)


def test_a_training_goes_from_one_rank_to_two_and_back(tmp_path):
    """With the weights of one process on the same batches."""
    phases = [Phase(ranks=1, steps=2), Phase(ranks=2, steps=5), Phase(ranks=1, steps=7)]
    found = train_elastic(of_ranks, ResumablePlan(steps=7, folder=tmp_path / "elastic"), phases, LaunchLimits())
    assert tuple(phases) == found.sizes
    assert furthest(undisturbed(tmp_path / "calm", 7), found.weights) < EXACT


@pytest.mark.parametrize("fault", ["killed", "hanging"])
def test_a_lost_rank_leaves_the_training_to_the_others_until_it_is_back(fault, tmp_path):
    """Two ranks until one is lost at step 3, one until step 5, two again."""

    def lose(rank, done):
        if (rank.world, rank.index, done) == (2, 1, 3):
            os.kill(os.getpid(), signal.SIGKILL) if fault == "killed" else time.sleep(60)

    phases = [Phase(ranks=2, steps=5), Phase(ranks=2, steps=7)]
    plan = ResumablePlan(steps=7, folder=tmp_path / "elastic", interrupt=lose)
    found = train_elastic(of_ranks, plan, phases, LaunchLimits(collective=2))
    assert (Phase(ranks=2, steps=3), Phase(ranks=1, steps=5), Phase(ranks=2, steps=7)) == found.sizes
    assert furthest(undisturbed(tmp_path / "calm", 7), found.weights) < EXACT


def test_a_slow_rank_is_named_although_all_ranks_end_their_steps_together():
    """Rank 1 sleeps in each step, by far longer than a step of this network takes."""

    def slow(trainee, batch, output):
        if dist.is_initialized() and dist.get_rank() == 1:
            time.sleep(0.2)
        return tiny.recipe().loss(trainee, batch, output)

    plain = recipe(loss=slow)
    ddp = REGISTRY.resolve("ddp").apply(plain)
    found = block(ddp, 2, steps=3, part=of_a_rank(plain, 2))
    straggler = slowest(found.own, found.step)
    assert (1, True) == (straggler.rank, straggler.is_slow)
    assert "rank 1 of 2 is slow" in str(straggler)
    together = [sum(seconds) for seconds in found.seconds]
    assert max(together) < 2 * min(together)  # which says nothing of who was slow
