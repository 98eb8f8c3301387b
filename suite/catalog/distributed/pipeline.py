"""Pipeline parallelism: each rank holds consecutive operations of the network; parts of a batch follow each other.

GPipe (Huang et al. 2019, https://arxiv.org/abs/1811.06965) goes forward through all parts first; 1F1B (Narayanan et al.
2019, https://arxiv.org/abs/1806.03377) goes backward as early as it can and so holds fewer activations. Activations and
their gradients are all that is sent within a step. Weights are those of one process but for rounding; they are
collected after each epoch.
"""

from __future__ import annotations

from dataclasses import replace

from suite.core.errors import UsageError, unknown
from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks
from suite.training.distributed.requirements import has_stages, needs, whole_gradients
from suite.training.distributed.staged import SCHEDULES, Stages, collected, through_stages
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare", "gradients", "after_epoch"), family="distributed", sweep={"schedule": tuple(SCHEDULES)},
    needs=needs(has_stages, whole_gradients), conflicts=("accumulation", "amp_bf16", "amp_fp16", "sam", "mixup"),
    runs=False,
)  # fmt: skip
def pipeline(recipe: Recipe, *, ranks: int = 2, schedule: str = "1f1b", parts: int = 4) -> Recipe:
    """Train in as many stages as ranks, in ``parts`` parts of a batch, by the schedule gpipe or 1f1b."""
    if schedule not in SCHEDULES:
        raise unknown("schedule of pipeline", schedule, SCHEDULES)
    if parts < 1:
        raise UsageError(f"pipeline: parts must be 1 or more, got {parts}")
    staged = in_ranks(recipe, "pipeline", ranks, Stages(schedule, parts))
    return replace(staged, gradients=through_stages(recipe), after_epoch=(collected, *recipe.after_epoch))
