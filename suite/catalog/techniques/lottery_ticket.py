"""Lottery ticket: prune in rounds, each from the early weights again; sparse networks that train as well as the whole.

Frankle & Carbin 2019, https://arxiv.org/abs/1803.03635, rewound to step ``rewind`` as in Frankle et al. 2020,
https://arxiv.org/abs/1912.05671 (0: to initialisation). ``epochs`` is the training of all rounds together, at the full
learning rate; the control trains on for as many at that of fine-tuning. Training costs more, entropy-coded bytes fall;
speed, shapes and parameters stay.
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
def lottery_ticket(
    recipe: Recipe, *, sparsity: float = 0.9375, rounds: int = 4, rewind: int = 20, epochs: int = 40
) -> Recipe:
    """Find a mask of ``sparsity`` in ``rounds`` and train it from the weights after ``rewind`` steps."""
    return tickets.ticket(
        recipe,
        tickets.rewound,
        technique="lottery_ticket",
        sparsity=sparsity,
        rounds=rounds,
        rewind=rewind,
        epochs=epochs,
    )
