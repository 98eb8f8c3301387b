"""FiLM: one trunk for all tasks, conditioned by a scale and a shift for each task and channel of every layer.

Perez et al. 2018, https://arxiv.org/abs/1709.07871, conditioned on the task. Hardly more parameters and bytes than hard
sharing, but a pass of the trunk for each task: arithmetic is multiplied by them. Outputs and training stay; the control
is hard sharing.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery.rebuilding import rebuilt
from suite.training.tasks import Film, alike, in_lockstep, only_where_it_mixes


@technique(slots=("model",), family="multi-task", needs=("training", "tasks"), quick=False)
def film_conditioning(recipe: Recipe) -> Recipe:
    """Train one trunk whose channels each task scales and shifts."""
    wrap = only_where_it_mixes(Film, otherwise=alike)
    return replace(recipe, model=rebuilt(recipe.model, lambda network: in_lockstep(recipe, network, wrap)))
