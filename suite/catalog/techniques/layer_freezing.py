"""Layer freezing: the first layers stop training early, one after the other, and backward passes end before them.

After FreezeOut, Brock et al. 2017, https://arxiv.org/abs/1706.04983, in the form of MosaicML's Composer: from a share
``start`` of the training on the share of frozen layers grows evenly at the end of each epoch, up to ``most``. Rates are
the schedule's; the paper anneals each layer's own. Layers freeze in the order in which the network calls them; running
statistics go on. Later epochs take less time, the timed step is the first one. Serving stays.
"""

from __future__ import annotations

from dataclasses import replace

from suite.core.errors import UsageError
from suite.registry import technique
from suite.training.devices import place
from suite.training.recipe import Recipe, Trainee
from suite.training.surgery.called import called_layers
from suite.training.trees import to

KEY = "frozen weights"


@technique(
    slots=("after_epoch", "after_training"),
    family="training",
    sweep={"start": (0.25, 0.5)},
    needs=("training",),
    conflicts=("compiled_training",),  # whose backward pass would be compiled anew at each epoch
    quick=False,
)
def layer_freezing(recipe: Recipe, *, start: float = 0.5, most: float = 1.0) -> Recipe:
    """Freeze layers after a share ``start`` of the training, up to a share ``most`` of them at its end."""
    for name, value in (("start", start), ("most", most)):
        if not 0 <= value <= 1:
            raise UsageError(f"layer_freezing: {name} must be in [0, 1], got {value}")

    def freeze(trainee: Trainee) -> None:
        past = trainee.epoch / trainee.recipe.epochs - start
        if 0 < past < 1 - start:  # what is over needs no layers frozen
            _freeze(trainee, most * past / (1 - start))

    return replace(
        recipe, after_epoch=(*recipe.after_epoch, freeze), after_training=(*recipe.after_training, _thaw)
    )  # fmt: skip


def _freeze(trainee: Trainee, share: float) -> None:
    """Freeze the weights of the first ``share`` of all layers, but those that a later layer shares."""
    recipe = trainee.recipe
    example = place(to(recipe.data().train.first(2).inputs, trainee.device), recipe.layout)
    layers = called_layers(trainee.network, example)
    count = int(share * len(layers))
    later = {weight for layer in layers[count:] for weight in layer.parameters(recurse=False)}
    frozen = [weight for layer in layers[:count] for weight in layer.parameters(recurse=False)]
    for weight in frozen:
        if weight.requires_grad and weight not in later:
            weight.requires_grad_(False)
            weight.grad = None  # optimizers leave out what has none
            trainee.kept.setdefault(KEY, []).append(weight)


def _thaw(trainee: Trainee) -> None:
    """Let whatever follows train all weights again."""
    for weight in trainee.kept.pop(KEY, []):
        weight.requires_grad_(True)
