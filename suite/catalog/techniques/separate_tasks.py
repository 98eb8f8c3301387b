"""Separate tasks: a network for each task, with nothing shared but the data; what sharing must beat.

The contrast of multi-task learning (Caruana 1997, https://doi.org/10.1023/A:1007379606734). As many trunks as tasks,
each with its own first weights and its own task's loss: parameters, bytes and arithmetic of the trunk are multiplied.
Outputs and training stay; the control is the workload's own hard sharing.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery.rebuilding import rebuilt
from suite.training.tasks import Apart, in_lockstep


@technique(slots=("model",), family="multi-task", needs=("training", "tasks"), quick=False)
def separate_tasks(recipe: Recipe) -> Recipe:
    """Train a trunk of its own for each task."""
    return replace(recipe, model=rebuilt(recipe.model, lambda network: in_lockstep(recipe, network, Apart)))
