"""A foreach optimizer: each operation of the update runs over the list of all weights at once.

torch.optim's ``foreach=True``: https://docs.pytorch.org/docs/stable/optim.html. Fewer kernels to launch on
accelerators, where torch chooses it by itself, so that nothing changes there; on CPUs it is off by default and mostly
slower. Results are the plain optimizer's but for rounding; an update holds copies of the weights' size.
"""

from __future__ import annotations

from dataclasses import replace

from suite.registry import technique
from suite.training.optimizers import by
from suite.training.recipe import Recipe


@technique(slots=("optimizer",), family="optimizer", needs=("foreach",), quick=False)
def foreach_optimizer(recipe: Recipe) -> Recipe:
    """Update by operations on lists of weights."""
    return replace(recipe, optimizer=by("foreach", recipe.optimizer))
