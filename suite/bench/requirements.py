"""Why a cell cannot run here: what the device, the workload or the network lacks, found before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from suite.bench.resolved_cell import Case
from suite.core.errors import CompositionError, RegistrationError, UnavailableError, UsageError
from suite.core.machine.needs import NEEDS, missing_need
from suite.registry.declarations import Need
from suite.training.artefacts import FromFiles
from suite.training.devices import lay_out
from suite.training.loop import FineTuner, built, start
from suite.training.optimizers import offers
from suite.training.recipe import Recipe, same
from suite.training.surgery.attention import calls_attention
from suite.training.surgery.axes import takes, takes_width
from suite.training.trees import is_image, leaves
from suite.training.validating import validation_loss

FROM_SCRATCH = frozenset(
    {
        "model",
        "batches",
        "steps_per_epoch",
        "optimizer",
        "schedule",
        "loss",
        "gradients",
        "learning_rate",
        "epochs",
        "callbacks",
        "constraints",
        "micro_batches",
        "after_epoch",
        "after_training",
    }
)
"""Slots that say how a network is trained from its first step: nothing to change where it comes trained."""


def require(case: Case, plain: Recipe) -> None:
    """Raise `UnavailableError` with the reason if the data or a need of the workload or composition are not here."""
    if case.refused is not None:
        raise UnavailableError(case.refused)
    plain.data()  # raises where they are not: now, and not after a network was built or a teacher trained
    _require_training(case)
    _require_files(case, plain)
    needs = dict.fromkeys((*case.workload.needs, *case.composition.needs))
    for need in needs:
        if found := _lacking(need, case, plain):
            raise UnavailableError(found)


def _lacking(need: Need, case: Case, plain: Recipe) -> str | None:
    """Why a need is not met; a need of a technique's own is a function of the case."""
    if not callable(need):
        return OF_WORKLOAD[need](case, plain) if need in OF_WORKLOAD else missing_need(need, case.cell.device)
    found = need(case)
    if found is not None and not isinstance(found, str):
        raise RegistrationError(f"{need!r} must return why {case} cannot run here, or None; it returned {found!r}")
    return found


def require_structure(case: Case, recipe: Recipe) -> None:
    """Raise `UnavailableError` if the technique says that it cannot take such a network, trained or not.

    Its changes before and after training are tried on an untrained network, without training; a rebuilt network is
    built. Any other exception may be due to the untrained weights, and is raised again in the real run.
    """
    if recipe.prepare is not same:
        _try(lambda: start(recipe, seed=0, device=case.cell.device, reference=_nobody))
    if recipe.finish is same and "model" not in case.composition.slots:
        return
    network = lay_out(built(recipe, 0), recipe).to(case.cell.device).eval()
    tuner = FineTuner(
        recipe=recipe, splits=recipe.data(), device=case.cell.device, seed=0, reference=lambda _: network, trains=False
    )
    _try(lambda: recipe.finish(network, tuner))


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except UnavailableError:
        raise
    except Exception:  # noqa: BLE001, S110  # see `require_structure`
        pass


def _nobody(_composition: str) -> nn.Module:
    raise UsageError("nothing is trained yet")


def _require_training(case: Case) -> None:
    changed = sorted(FROM_SCRATCH & case.composition.slots)
    if changed and case.workload.source == "checkpoint":  # of an artefact `_require_files` says more
        raise UnavailableError(
            f"{case.workload.name} comes trained (source='checkpoint'), and {case.composition} changes how it is "
            f"trained ({', '.join(changed)})"
        )


def _require_files(case: Case, plain: Recipe) -> None:
    """A workload of files has no torch module: what serves other files is left."""
    if case.workload.source != "artefact" or case.composition.is_baseline:
        return
    others = sorted(case.composition.slots - {"runtime"})
    if others or not _serves_files(case, plain):
        what = f"changes {', '.join(others)}" if others else "exports one"
        raise UnavailableError(
            f"{case.workload.name} has files and no torch module (source='artefact'), and {case.composition} {what}; "
            "a technique that serves other files can be compared with it (suite.training.artefacts.from_files)"
        )


def _serves_files(case: Case, plain: Recipe) -> bool:
    try:
        return isinstance(case.composition.apply(plain).runtime, FromFiles)
    except CompositionError:  # it changes how torch runs a network
        return False


def _lacks_training(case: Case, _plain: Recipe) -> str | None:
    if case.workload.trains:
        return None
    return f"nothing can be learnt from the data of {case.workload.name} (source='none')"


def _lacks_validation(case: Case, plain: Recipe) -> str | None:
    if plain.data().validation is not None:
        return None
    return f"the data of {case.workload.name} have no validation split"


def _lacks_validation_loss(case: Case, plain: Recipe) -> str | None:
    """Some networks answer otherwise in evaluation than their loss wants: detectors with boxes, not maps."""
    trainee = start(plain, seed=0, device="cpu", reference=_nobody)
    validation = plain.data().validation
    trainee.validation = None if validation is None else validation.first(2)
    try:
        validation_loss(trainee)
    except Exception as error:  # noqa: BLE001  # a user's loss may raise anything
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        return f"the loss of {case.workload.name} cannot judge what the network answers in evaluation ({said})"
    return None


def _lacks_width(case: Case, plain: Recipe) -> str | None:
    if takes_width(plain):
        return None
    return f"the model of {case.workload.name} takes no width=, a factor on its channels"


def _lacks_depth(case: Case, plain: Recipe) -> str | None:
    if takes(plain, "depth"):
        return None
    return f"the model of {case.workload.name} takes no depth=, a factor on its layers"


def _lacks_images(case: Case, plain: Recipe) -> str | None:
    if is_image(plain.data().train.inputs):
        return None
    return f"the inputs of {case.workload.name} are no images: one floating tensor [N, C, H, W]"


def _lacks_floats(case: Case, plain: Recipe) -> str | None:
    if all(leaf.is_floating_point() for leaf in leaves(plain.data().train.inputs)):
        return None
    return f"the inputs of {case.workload.name} are not floating-point numbers"


def _lacks_classes(case: Case, plain: Recipe) -> str | None:
    targets = plain.data().train.targets
    if isinstance(targets, Tensor) and targets.dim() == 1 and not targets.is_floating_point():
        return None
    return f"the targets of {case.workload.name} are no classes: one tensor [N] of whole numbers"


def _lacks_class_scores(case: Case, plain: Recipe) -> str | None:
    """Classes of whole items, or of each of their places, as of the bytes of a text."""
    if _lacks_classes(case, plain) is None:
        return None
    targets, outputs = plain.data().train.first(2).targets, None
    if isinstance(targets, Tensor) and not targets.is_floating_point():
        with torch.no_grad():
            outputs = built(plain, 0).eval()(plain.data().train.first(2).inputs)
        if isinstance(outputs, Tensor) and targets.dim() + 1 == outputs.dim():
            return None
    return f"{case.workload.name} has no class scores: one tensor of whole-number targets, and one score for each class"


def _lacks_attention(case: Case, plain: Recipe) -> str | None:
    if calls_attention(built(plain, 0), plain.data().train.first(2).inputs):  # norms train on two or more
        return None
    return f"the network of {case.workload.name} never calls torch's scaled_dot_product_attention"


def _lacks_kernel(kernel: str) -> Callable[[Case, Recipe], str | None]:
    def lacks(_case: Case, plain: Recipe) -> str | None:
        optimizer = _optimizer(plain)
        return None if offers(optimizer, kernel) else f"{type(optimizer).__name__} has no {kernel} kernels"

    return lacks


def _lacks_adam(case: Case, plain: Recipe) -> str | None:
    optimizer = _optimizer(plain)
    if type(optimizer) in (torch.optim.Adam, torch.optim.AdamW):
        return None
    return f"the optimizer of {case.workload.name} is {type(optimizer).__name__}, neither Adam nor AdamW"


def _optimizer(plain: Recipe) -> torch.optim.Optimizer:
    return plain.optimizer(built(plain, 0).parameters(), plain.learning_rate)


def _lacks_tasks(case: Case, plain: Recipe) -> str | None:
    targets = plain.data().train.targets
    if isinstance(targets, dict) and len(targets) > 1:
        return None
    return f"the targets of {case.workload.name} are no dictionary of several tasks"


OF_WORKLOAD: Mapping[str, Callable[[Case, Recipe], str | None]] = {
    "training": _lacks_training,
    "validation": _lacks_validation,
    "validation_loss": _lacks_validation_loss,
    "width": _lacks_width,
    "depth": _lacks_depth,
    "images": _lacks_images,
    "float_inputs": _lacks_floats,
    "classes": _lacks_classes,
    "class_scores": _lacks_class_scores,
    "attention": _lacks_attention,
    "foreach": _lacks_kernel("foreach"),
    "fused": _lacks_kernel("fused"),
    "adam": _lacks_adam,
    "tasks": _lacks_tasks,
}
KNOWN = (*NEEDS, *OF_WORKLOAD)
