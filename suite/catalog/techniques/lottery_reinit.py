"""Lottery ticket with new numbers: the mask that rewinding finds, on weights drawn anew before the last round.

The contrast of Frankle & Carbin 2019, https://arxiv.org/abs/1803.03635: the same mask and the same training; only the
weights that won are lost. Rounds before the last rewind as in Frankle et al. 2020, https://arxiv.org/abs/1912.05671.
"""

from __future__ import annotations

from suite.registry import technique
from suite.training import invariants
from suite.training.recipe import Recipe
from suite.training.surgery import tickets


@technique(
    slots=("callbacks", "fine_tune_learning_rate", "finish"),
    family="pruning",
    control="extra_epochs(epochs={epochs})",
    sweep={"sparsity": (0.75, 0.9375, 0.984375)},
    needs=("training",),
    quick=False,
    promises=invariants.sparse,
)
def lottery_reinit(
    recipe: Recipe, *, sparsity: float = 0.9375, rounds: int = 4, rewind: int = 20, epochs: int = 40
) -> Recipe:
    """Find a mask of ``sparsity`` in ``rounds`` that rewind to step ``rewind``, and train it from other weights."""
    return tickets.ticket(
        recipe,
        tickets.redrawn,
        technique="lottery_reinit",
        sparsity=sparsity,
        rounds=rounds,
        rewind=rewind,
        epochs=epochs,
    )
