"""Early stopping: no further epoch once the validation loss says so, and the best epoch's weights are kept.

Prechelt 1998, 'Early Stopping - But When?', https://doi.org/10.1007/3-540-49430-8_3: GL and UP beside plain patience
(PQ needs training losses, which are not recorded). Saves training time where a recipe trains too long, and costs it a
pass through the validation split at every epoch, on the clock. Schedules are planned for all epochs: one that ends
low is cut off high. Serving stays; the test split is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from torch import Tensor

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.recipe import Recipe, Trainee
from suite.training.stopping import CRITERIA, best
from suite.training.validating import validation_loss

KEY = "losses and best weights"


@dataclass
class BestSoFar:
    """The validation losses so far and the weights of the best of them."""

    losses: list[float] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)

    def look(self, trainee: Trainee) -> None:
        self.losses.append(validation_loss(trainee))
        if best(self.losses) == len(self.losses) - 1:
            self.weights = {name: value.clone() for name, value in trainee.network.state_dict().items()}


@technique(
    slots=("after_epoch", "after_training"),
    family="training",
    sweep={"criterion": tuple(CRITERIA)},
    needs=("training", "validation", "validation_loss"),
    quick=False,
)
def early_stopping(recipe: Recipe, *, patience: int = 3, criterion: str = "patience", threshold: float = 5.0) -> Recipe:
    """Stop by ``criterion``: patience and UP count epochs, GL a ``threshold`` in percent of the best loss."""
    if patience < 1:
        raise UsageError(f"early_stopping: patience must be 1 or more, got {patience}")
    if criterion not in CRITERIA:
        raise UsageError(f"early_stopping: criterion must be one of {', '.join(CRITERIA)}, got {criterion!r}")
    if threshold <= 0:
        raise UsageError(f"early_stopping: threshold must be above 0 (percent), got {threshold}")

    def look(trainee: Trainee) -> None:
        watched = trainee.kept.setdefault(KEY, BestSoFar())
        watched.look(trainee)
        trainee.stopped |= CRITERIA[criterion](watched.losses, patience, threshold)

    def restore(trainee: Trainee) -> None:
        if KEY in trainee.kept:
            trainee.network.load_state_dict(trainee.kept[KEY].weights)

    return replace(recipe, after_epoch=(*recipe.after_epoch, look), after_training=(*recipe.after_training, restore))
