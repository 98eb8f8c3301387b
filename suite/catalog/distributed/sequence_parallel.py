"""Sequence parallelism: a rank normalises its part of a sequence and divides the Linear layers behind with the others.

Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198, section 4.2.2: tensor parallelism repeats normalisations on
every rank; here each computes, and keeps for backward, a part of the sequence, which is gathered before the pair of
layers. The residual sum stays whole on each rank, so the pair's answers are added up and not scattered again.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks
from suite.training.distributed.requirements import has_norms, needs, whole_gradients
from suite.training.distributed.sequence_norms import DividedNorms
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare"), family="distributed", sweep={"ranks": (2, 4)},
    needs=needs(has_norms, whole_gradients), runs=False,
)  # fmt: skip
def sequence_parallel(recipe: Recipe, *, ranks: int = 2) -> Recipe:
    """Train on so many ranks that divide sequences before paired Linear layers, and these layers."""
    return in_ranks(recipe, "sequence_parallel", ranks, DividedNorms())
