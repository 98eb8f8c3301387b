"""A network as a chain of stages, one for each rank, through which the parts of a batch follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, fx, nn

from suite.core.errors import UnavailableError
from suite.training.devices import place
from suite.training.distributed.in_ranks import RankForm
from suite.training.loop import loss_of
from suite.training.recipe import Backward, Batch, Gradients, Recipe, Trainee
from suite.training.surgery.segments import CALLS, Coarse
from suite.training.trees import take

SCHEDULES: Mapping[str, str] = {"gpipe": "ScheduleGPipe", "1f1b": "Schedule1F1B"}


# -- cutting ----------------------------------------------------------------------------------------------------------


def stages_of(network: nn.Module, count: int) -> list[nn.Module]:
    """``network`` as ``count`` stages with its own weights, each of which reads one tensor of the stage before.

    Raises `UnavailableError` if it is no such chain, or if two stages share a weight.
    """
    from torch.fx.passes.split_module import split_module

    graph = _graph(network)
    operations = [node for node in graph.nodes if node.op in CALLS]
    begins = _begins(operations, count)
    number = {node: sum(begin <= index for begin in begins) for index, node in enumerate(operations)}
    split = split_module(fx.GraphModule(network, graph), network, lambda node: number[node])
    calls = {str(node.target): node for node in split.graph.nodes if node.op == "call_module"}
    stages = [split.get_submodule(name) for name in calls]
    if len(stages) != count or any(len(call.args) != 1 for call in calls.values()):
        raise UnavailableError("a stage of the network reads a weight without its layer (tied layers, positions)")
    _check_weights(stages)
    return stages


def _graph(network: nn.Module) -> fx.Graph:
    try:
        return Coarse().trace(network)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UnavailableError(f"the network's operations cannot be followed to cut it into stages ({said})") from error


def _begins(calls: list[fx.Node], count: int) -> list[int]:
    """Where stages 1, 2, ... begin: near equal numbers of operations, where one value alone goes on."""
    allowed = [index for index in range(1, len(calls)) if _crossing(calls, index) == {calls[index - 1]}]
    begins: list[int] = []
    for stage in range(1, count):
        free = [index for index in allowed if not begins or index > begins[-1]]
        if len(free) < count - stage:
            raise UnavailableError(f"the network has {len(allowed)} places where one value alone goes on, too few to "
                                   f"cut it into {count} stages")  # fmt: skip
        wanted = stage * len(calls) / count
        begins.append(min(free[: len(free) - (count - stage - 1)], key=lambda index: abs(index - wanted)))
    return begins


def _crossing(calls: list[fx.Node], index: int) -> set[fx.Node]:
    """The values that are computed before ``index`` and read from there on."""
    later = set(calls[index:])
    crossing = {node for node in calls[:index] if later & set(node.users)}
    inputs = {node for node in calls[index:] for node in node.all_input_nodes if node.op == "placeholder"}
    return crossing | inputs


def _check_weights(stages: list[nn.Module]) -> None:
    weights = [{id(weight) for weight in stage.parameters()} for stage in stages]
    if len(set().union(*weights)) < sum(map(len, weights)):
        raise UnavailableError("two stages of the network share a weight (tied layers), which each rank would update")
    if not all(weights):
        raise UnavailableError("a stage of the network has no weights: it has too few layers for as many ranks")


# -- training ---------------------------------------------------------------------------------------------------------


class Stages:
    """Makes the form of a network whose stages are ranks, for parts of a batch that follow a named schedule."""

    def __init__(self, schedule: str, parts: int) -> None:
        self.schedule, self.parts = schedule, parts

    def __call__(self, network: nn.Module) -> OwnStage:
        return OwnStage(network, self.schedule, self.parts)


class OwnStage:
    """This rank's stage of ``network``, and what the whole network answers (once its weights were collected)."""

    def __init__(self, network: nn.Module, schedule: str, parts: int) -> None:
        self.network, self.schedule, self.parts = network, schedule, parts
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.stages = stages_of(network, self.world)
        self._schedules: dict[tuple[int, int], Any] = {}
        self._step: tuple[Trainee, Batch] | None = None

    def __call__(self, inputs: Any) -> Any:
        return self.network(inputs)

    def backward(self, trainee: Trainee, batch: Batch) -> Tensor:
        """Gradients of this rank's weights; returns the batch's detached loss."""
        count = parts_for(len(batch), self.parts, self.world)
        schedule = self._scheduled(count, len(batch))
        self._step = (trainee, batch)
        losses: list[Tensor] = []
        if self.rank == 0:
            schedule.step(place(batch.inputs, trainee.recipe.layout))
        elif self.rank == self.world - 1:
            schedule.step(target=torch.arange(len(batch)), losses=losses)
        else:
            schedule.step()
        return self._told(losses, trainee)

    def collect(self) -> None:
        """Give every rank the weights and buffers that another one trained."""
        with torch.no_grad():
            for owner, stage in enumerate(self.stages):
                for tensor in (*stage.parameters(), *stage.buffers()):
                    dist.broadcast(tensor.detach(), src=owner)

    def _told(self, losses: list[Tensor], trainee: Trainee) -> Tensor:
        dtype = next(self.network.parameters()).dtype
        total = torch.zeros((), dtype=dtype, device=trainee.device)
        for loss in losses:
            total += loss.detach()
        dist.broadcast(total, src=self.world - 1)
        return total

    def _scheduled(self, count: int, items: int) -> Any:
        """The schedule for batches of so many items: its buffers have their shapes."""
        from torch.distributed import pipelining

        if (count, items) not in self._schedules:
            device = next(self.network.parameters()).device
            stage = pipelining.PipelineStage(self.stages[self.rank], self.rank, self.world, device)
            name = self.schedule if count >= self.world else "gpipe"  # 1F1B wants as many parts as stages
            kind = getattr(pipelining, SCHEDULES[name])
            self._schedules[count, items] = kind(stage, count, loss_fn=self._loss, scale_grads=False)
        return self._schedules[count, items]

    def _loss(self, output: Any, places: Tensor) -> Tensor:
        """The loss of the part with these ``places`` in the batch, by its share of the items."""
        assert self._step is not None  # noqa: S101  # a step is going on
        (trainee, batch), chosen = self._step, slice(int(places[0]), int(places[-1]) + 1)
        part = Batch(inputs=take(batch.inputs, chosen), targets=take(batch.targets, chosen))
        return loss_of(trainee, part, output) * (len(part) / len(batch))


def parts_for(items: int, wanted: int, stages: int) -> int:
    """How many parts of equal size a batch is taken in: buffers that receive them have one shape.

    Near ``wanted``, and as many as ``stages`` or more where the number of items has such a divisor.
    """
    divisors = [count for count in range(1, items + 1) if items % count == 0]
    return min([count for count in divisors if count >= stages] or divisors, key=lambda count: abs(count - wanted))


def through_stages(recipe: Recipe) -> Gradients:
    """The slot ``gradients``: through the stages in a rank, the recipe's own way outside of a launch."""

    def gradients(trainee: Trainee, batch: Batch, backward: Backward) -> Tensor:
        form = _form(trainee)
        return recipe.gradients(trainee, batch, backward) if form is None else form.backward(trainee, batch)

    return gradients


def collected(trainee: Trainee) -> None:
    """The slot ``after_epoch``: what looks at the network next finds the weights of all stages."""
    if (form := _form(trainee)) is not None:
        form.collect()


def _form(trainee: Trainee) -> OwnStage | None:
    form = trainee.forward.wrapped if isinstance(trainee.forward, RankForm) else None
    return form if isinstance(form, OwnStage) else None
