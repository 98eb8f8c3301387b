"""A training by ranks that goes on after a failure, from its last checkpoint, also with another number of ranks.

Checkpoints are torch's distributed ones (https://docs.pytorch.org/docs/stable/distributed.checkpoint.html): each rank
writes what it holds, and reads what it is to hold. A checkpoint gets its name when all of it is written. It has
weights, buffers, and the state of optimizer and schedule. Random numbers are seeded for each step, so that they need
none; what a technique keeps beside that (averaged weights, the error of a compressed gradient) begins anew.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from suite.core.errors import UsageError
from suite.training.devices import seed_all
from suite.training.distributed.in_ranks import ForkedRanks
from suite.training.distributed.launching import LaunchLimits, Rank, run_ranks
from suite.training.distributed.whole import whole
from suite.training.launch import ONE_PROCESS
from suite.training.loop import TrainingStep, built, start
from suite.training.recipe import Batch, Recipe

Interrupt = Callable[[Rank, int], None]
"""Called in a rank before each step, with the number of steps that are done."""


@dataclass(frozen=True, kw_only=True)
class ResumablePlan:
    """``steps`` of training whose checkpoints, one after each step, are kept in ``folder``.

    ``interrupt`` may end the rank: it plants faults.
    """

    steps: int
    folder: Path
    seed: int = 0
    interrupt: Interrupt = lambda _rank, _done: None


def train_resuming(recipe: Recipe, plan: ResumablePlan, limits: LaunchLimits) -> dict[str, Tensor]:
    """The weights by name after ``plan.steps`` steps of ``recipe``, trained by its ranks on the CPU.

    Ranks that fail are started again, as often as ``limits`` say, and go on from the last checkpoint. A folder that
    holds a checkpoint of another number of ranks is resumed, too.
    """
    if plan.steps < 1:
        raise UsageError(f"a training needs one step or more, got steps={plan.steps}")
    network = built(recipe, plan.seed)

    def work(rank: Rank) -> list[tuple[str, Any]]:
        state = whole(_train(recipe, plan, rank))
        return [(name, value.numpy()) for name, value in state.items()] if rank.index == 0 else []

    if recipe.launch is ONE_PROCESS:
        return whole(_train(recipe, plan, Rank(index=0, world=1)))
    limits = replace(limits, collective=min(limits.collective, _collective_limit(recipe)))
    found = dict(run_ranks(work, recipe.launch.ranks, limits)[0])
    return {name: torch.from_numpy(found[name]) for name in whole(network)}


def _collective_limit(recipe: Recipe) -> float:
    return recipe.launch.limits.collective if isinstance(recipe.launch, ForkedRanks) else float("inf")


def _train(recipe: Recipe, plan: ResumablePlan, rank: Rank) -> nn.Module:
    trainee = start(recipe, seed=plan.seed, device="cpu", reference=_nobody)
    step = TrainingStep(trainee, total_steps=plan.steps)
    done = load_latest(plan.folder, step)
    for number, batch in enumerate(islice(_batches(recipe, plan.seed), plan.steps)):
        if number >= done:
            plan.interrupt(rank, number)
            seed_all(seed_of_step(plan.seed, number))
            step(batch)
            save(plan.folder, step, number + 1)
    return trainee.network


def seed_of_step(seed: int, done: int) -> int:
    """The seed of all ranks for the step after ``done`` ones; ranks add small numbers to it, so seeds lie far apart."""
    return int(np.random.SeedSequence((seed % 2**64, done)).generate_state(1, np.uint64)[0]) >> 1


def _nobody(composition: str) -> nn.Module:
    raise UsageError(f"a training that resumes has no trained network of {composition}")


def _batches(recipe: Recipe, seed: int) -> Any:
    """The same batches in every attempt."""
    generator, train = torch.Generator().manual_seed(seed), recipe.data().train
    while True:
        batches: list[Batch] = list(recipe.batches(train, generator))
        yield from batches


# -- checkpoints ------------------------------------------------------------------------------------------------------


def save(folder: Path, step: TrainingStep, done: int) -> None:
    """Write what the training of ``step`` needs to go on after ``done`` steps; the checkpoint before it is removed."""
    from torch.distributed.checkpoint.state_dict_saver import save as save_checkpoint

    folder.mkdir(parents=True, exist_ok=True)
    unnamed, alone = folder / "unfinished", not dist.is_initialized()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*single process.*")
        save_checkpoint(_state(step), checkpoint_id=unnamed, no_dist=alone)
    if not alone:
        dist.barrier()
    if alone or dist.get_rank() == 0:
        unnamed.replace(folder / f"after-{done}")
        for older in _finished(folder)[:-1]:
            shutil.rmtree(older)


def load_latest(folder: Path, step: TrainingStep) -> int:
    """Restore the last finished checkpoint into the training of ``step``; returns the number of steps done, or 0."""
    from torch.distributed.checkpoint.state_dict import set_state_dict
    from torch.distributed.checkpoint.state_dict_loader import load as load_checkpoint

    found = _finished(folder)
    if dist.is_initialized():
        dist.barrier()  # no rank removes an older one while another still looks for the last
    if not found:
        return 0
    state = _state(step)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*single process.*")
        load_checkpoint(state, checkpoint_id=found[-1], no_dist=not dist.is_initialized())
    set_state_dict(
        step.trainee.network, step.optimizer, model_state_dict=state["network"], optim_state_dict=state["optimizer"]
    )
    if step.schedule is not None:
        step.schedule.load_state_dict(state["schedule"])
    step.trainee.steps = _number(found[-1])
    return step.trainee.steps


def _state(step: TrainingStep) -> dict[str, Any]:
    from torch.distributed.checkpoint.state_dict import get_state_dict

    network, optimizer = get_state_dict(step.trainee.network, step.optimizer)
    schedule = {} if step.schedule is None else step.schedule.state_dict()
    return {"network": network, "optimizer": optimizer, "schedule": schedule}


def steps_done(folder: Path) -> int:
    """The steps of the last finished checkpoint in a folder; 0 without one."""
    return max(map(_number, _finished(folder)), default=0)


def _finished(folder: Path) -> list[Path]:
    return sorted(folder.glob("after-*"), key=_number)


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.partition("-")[2])
