"""The slot that says where a network is trained."""
# the expected value stands on the left

from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
import tiny
import torch
import torch.distributed as dist
from torch import nn

from suite.bench.resolved_cell import case
from suite.core.errors import CompositionError, RegistrationError, TechniqueError
from suite.core.metrics import measured
from suite.training.launch import ONE_PROCESS
from suite.training.loop import finish


@dataclass(frozen=True)
class Counted:
    """Trains here, and remembers how often."""

    ranks: int
    trained: list[nn.Module]

    def run(self, train, network):
        self.trained.append(network)
        return train()


def declared(ranks=1, *, takes_ranks=True):
    """A registry with a technique ``together`` that says it launches as many, and launches ``ranks``."""
    registry = tiny.registry()
    trained = []

    def launched(recipe, ranks):
        return replace(recipe, launch=Counted(ranks, trained))

    if takes_ranks:

        @registry.technique(slots=("launch",))
        def together(recipe, ranks=ranks):
            return launched(recipe, ranks)
    else:

        @registry.technique(slots=("launch",))
        def together(recipe):
            return launched(recipe, ranks)

    return registry, trained


def test_the_launch_runs_the_training():
    """It receives the network; what comes back is what the training of one process gives."""
    registry, trained = declared()
    recipe = registry.resolve("together").apply(tiny.recipe())
    found = tiny.fitted(recipe)
    assert [found.network] == trained
    assert tiny.equal_states(tiny.state(tiny.fitted().network), tiny.state(found.network))
    assert tiny.fitted().first_loss == found.first_loss


def test_fine_tuning_is_launched_too():
    """A technique that prunes and trains again does so in all ranks."""
    trained = []

    def tuned(network, tuner):
        tuner.train(network, epochs=1)
        return network

    recipe = replace(tiny.recipe(), launch=Counted(1, trained), finish=tuned)
    finish(tiny.fitted(recipe), recipe, reference=tiny.no_reference)
    assert 2 == len(trained)


def test_a_cell_has_as_many_ranks_as_its_technique_says():
    """They are a part of its name and of the conditions of its measurements."""
    registry, _ = declared(ranks=4)
    halves = registry.workloads["halves"]
    cell = case(registry, halves, "together", "cpu").cell
    assert 4 == cell.ranks
    assert 4 == measured(cell, "parameters", 3).conditions["ranks"]
    one = case(registry, halves, "baseline", "cpu").cell
    assert (1, {}) == (one.ranks, measured(one, "parameters", 3).conditions)


def test_a_launch_of_ranks_that_the_cell_does_not_tell_is_an_error():
    """Its figures would stand under the name of one process."""
    registry, _ = declared(ranks=2, takes_ranks=False)
    with pytest.raises(RegistrationError, match=r"launches 2 ranks, but its cell says 1; give .* parameter `ranks`"):
        registry.resolve("together").apply(tiny.recipe())


def test_two_launches_cannot_both_be_meant():
    registry, _ = declared()

    @registry.technique(slots=("launch",))
    def apart(recipe):
        return replace(recipe, launch=ONE_PROCESS)

    with pytest.raises(CompositionError, match="both replace 'launch'"):
        registry.resolve("together+apart")


# -- a launch that trains otherwise -----------------------------------------------------------------------------------


class Otherwise:
    """Calls ``train`` in a way of its own."""

    ranks = 1

    def __init__(self, way):
        self.run = way


def more(network):
    network.fc1.weight.data.add_(1e-3)


def twice(train, _network):
    first = train()
    train()
    return first


def quietly_twice(train, _network):
    first = train()
    with suppress(TechniqueError):
        train()
    return first


def before(train, network):
    more(network)
    return train()


def after(train, network):
    told = train()
    more(network)
    return told


def quicker(train, _network):
    told = train()
    records, loss = told.value
    return replace(told, value=([replace(one, seconds=1e-9) for one in records], loss))


def forgetful(train, _network):
    train()


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (twice, r"calls train\(\) more than once"),
        (quietly_twice, r"calls train\(\) more than once"),
        (before, r"changes the weights before it calls train\(\)"),
        (after, "leaves other weights or another result"),
        (quicker, "leaves other weights or another result"),
        (forgetful, "must return what train"),
    ],
)
def test_a_launch_that_trains_otherwise_is_an_error(way, said):
    """The seconds of one call would stand for more."""
    with pytest.raises(TechniqueError, match=f"the technique's launch Otherwise {said}"):
        tiny.fitted(launch=Otherwise(way))


@dataclass(frozen=True)
class Forked:
    """Ranks that are forks of this process, joined by gloo. Only rank 0 trains the network that is kept."""

    ranks: int
    folder: str

    def run(self, train, network):
        network.share_memory()
        context = torch.multiprocessing.get_context("fork")
        receive, send = context.Pipe(duplex=False)
        ranks = [context.Process(target=self._rank, args=(rank, network, train, send)) for rank in range(self.ranks)]
        for one in ranks:
            one.start()
        told = receive.recv()
        for one in ranks:
            one.join()
        return told

    def _rank(self, rank, network, train, send):
        dist.init_process_group("gloo", init_method=f"file://{self.folder}/meet", rank=rank, world_size=self.ranks)
        if rank > 0:
            for weight in network.parameters():
                weight.data = weight.clone()
        told = train()
        if rank == 0:
            send.send(told)
        dist.destroy_process_group()


def averaged(trainee):
    """All ranks hold the mean of their weights; a buffer holds how many there are."""
    with torch.no_grad():
        for weight in trainee.network.parameters():
            dist.all_reduce(weight)
            weight.div_(dist.get_world_size())
    count = torch.ones(())
    dist.all_reduce(count)
    trainee.network.count.copy_(count)


def counting():
    network = tiny.recipe().model()
    network.register_buffer("count", torch.zeros(()))
    return network


@pytest.mark.system
@pytest.mark.timeout(120)
def test_two_ranks_train_one_network(tmp_path):
    """Both see the same batches here, so that the mean of their weights is what one process gets."""
    recipe = replace(tiny.recipe(), model=counting)
    alone = tiny.fitted(recipe)
    found = tiny.fitted(replace(recipe, launch=Forked(2, str(tmp_path)), callbacks=(averaged,)))
    assert 2 == found.network.count
    for one, other in zip(alone.network.parameters(), found.network.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert alone.first_loss == found.first_loss
    assert len(alone.epochs) == len(found.epochs)
