"""Cross-stitch: a trunk for each task, and cross-stitch units that learn how much each takes of the others.

Misra et al. 2016, https://arxiv.org/abs/1604.03539: after every layer a task's activations become a learned mix of all
tasks', at first 0.9 its own. One unit for each layer, not for each channel; norms are each task's own. Parameters,
bytes and arithmetic of the trunk are multiplied by the tasks. Outputs and training stay; the control is hard sharing.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.recipe import Recipe
from suite.training.surgery.rebuilding import rebuilt
from suite.training.tasks import Apart, CrossStitch, in_lockstep, only_where_it_mixes


@technique(slots=("model",), family="multi-task", needs=("training", "tasks"), quick=False)
def cross_stitch(recipe: Recipe) -> Recipe:
    """Train a trunk for each task, mixing their activations after every layer by learned shares."""
    wrap = only_where_it_mixes(CrossStitch, otherwise=Apart)
    return replace(recipe, model=rebuilt(recipe.model, lambda network: in_lockstep(recipe, network, wrap)))
