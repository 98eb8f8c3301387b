"""Tensor parallelism: two Linear layers in a row are divided, the first by its outputs, the second by its inputs.

Shoeybi et al. 2019, https://arxiv.org/abs/1909.08053: what lies between the two acts on each channel, so that the ranks
communicate once forward and once backward for each pair. Every rank goes through the whole batch. Layers that are in no
pair stay whole, on every rank.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training.distributed.in_ranks import in_ranks
from suite.training.distributed.requirements import has_pairs, needs, whole_gradients
from suite.training.distributed.tensor_pairs import DividedPairs
from suite.training.recipe import Recipe


@technique(
    slots=("launch", "prepare"), family="distributed", sweep={"ranks": (2, 4)},
    needs=needs(has_pairs, whole_gradients), runs=False,
)  # fmt: skip
def tensor_parallel(recipe: Recipe, *, ranks: int = 2) -> Recipe:
    """Train on so many ranks that each hold a part of paired Linear layers."""
    return in_ranks(recipe, "tensor_parallel", ranks, DividedPairs())
