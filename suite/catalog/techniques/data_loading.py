"""Batches are made ahead by worker processes, while the network trains on the last one.

torch's DataLoader, https://docs.pytorch.org/docs/stable/data.html, around the recipe's own batches: same batches, same
order, so the trained weights stay to the bit. Training takes less time if making a batch is slow and a core is free for
it. The copies between processes cost more than they hide if batches are slices of tensors in memory. So they do if
workers share one core, as in a quiet process on CPUs. On CUDA the batches wait in pinned memory. The timed training
step starts from a finished batch: only ``train_seconds`` changes. Serving stays.
"""

from __future__ import annotations

from dataclasses import replace

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.loading import loaded
from suite.training.recipe import Recipe


@technique(
    slots=("batches",),
    family="batch",
    sweep={"workers": (1, 2), "prefetch": (2, 8)},
    needs=("fork", "training"),
    quick=False,
)
def data_loading(recipe: Recipe, *, workers: int = 1, prefetch: int = 2) -> Recipe:
    """Make batches in ``workers`` processes, each at most ``prefetch`` batches ahead."""
    if min(workers, prefetch) < 1:
        raise UsageError(f"data_loading: workers and prefetch must be 1 or more, got {workers} and {prefetch}")
    return replace(recipe, batches=loaded(recipe.batches, workers=workers, prefetch=prefetch))
