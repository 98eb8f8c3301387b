"""A training whose number of ranks changes while it goes on: ranks join and leave at given steps, or are lost.

Each size is a launch of its own that goes on from the last checkpoint (`suite.training.distributed.resuming`). The
batches stay those of one process, whatever number of ranks divides them: so the weights stay those of the undisturbed
training but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from suite.core.errors import UsageError
from suite.training.distributed.launching import LaunchLimits, RankError
from suite.training.distributed.resuming import ResumablePlan, steps_done, train_resuming
from suite.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Train with so many ``ranks`` until ``steps`` of the training are done."""

    ranks: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class ElasticTraining:
    """The ``weights`` by name, and ``sizes``: the ranks of each launch, with the steps that were done at its end."""

    weights: dict[str, Tensor]
    sizes: tuple[Phase, ...]


def train_elastic(
    form: Callable[[int], Recipe], plan: ResumablePlan, phases: Sequence[Phase], limits: LaunchLimits
) -> ElasticTraining:
    """Train ``plan.steps`` steps through ``phases``; ``form(ranks)`` is the recipe of so many ranks.

    If a rank of a phase is lost, the phase goes on with one rank fewer, down to one process; the next phase has the
    ranks that it names again. Raises `UsageError` for phases that do not end with the plan, `RankError` if ranks are
    lost although one process trains.
    """
    _check(plan, phases)
    sizes: list[Phase] = []
    weights: dict[str, Tensor] = {}
    for phase in phases:
        part = replace(plan, steps=phase.steps)
        for ranks in range(phase.ranks, 0, -1):
            try:
                weights = train_resuming(form(ranks), part, limits)
                sizes.append(Phase(ranks=ranks, steps=phase.steps))
                break
            except RankError:
                if ranks == 1:
                    raise
                sizes.append(Phase(ranks=ranks, steps=steps_done(plan.folder)))
    return ElasticTraining(weights=weights, sizes=tuple(sizes))


def _check(plan: ResumablePlan, phases: Sequence[Phase]) -> None:
    ends = [phase.steps for phase in phases]
    if ends != sorted(set(ends)) or not ends or ends[-1] != plan.steps or min(phase.ranks for phase in phases) < 1:
        raise UsageError(
            f"phases of an elastic training need one rank or more and ascending steps up to {plan.steps}, got "
            f"{', '.join(f'{phase.ranks} ranks until step {phase.steps}' for phase in phases) or 'none'}"
        )
