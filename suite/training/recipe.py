"""A recipe: everything that defines one training run and how its result is served, as slots that techniques replace.

Shapes: ``N`` items of a data set, ``B`` of one batch; what follows is the workload's. A *tree* is a tensor [N, ...],
or a tuple, list or dictionary of trees.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from suite.training.data import Batch, Split, Splits
from suite.training.defaults import adamw, cosine, once, shuffled_batches, usual_loss
from suite.training.launch import ONE_PROCESS, Launch
from suite.training.runtime import EAGER, Runtime, coded

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

__all__ = [
    "AFTER_TRAINING", "SAME_NETWORK", "SAME_STEP", "SERIALIZE", "SLOTS", "STAGES", "Backward", "Batch",
    "Constraint", "Gradients", "Loss", "Precision", "Recipe", "Reference", "Split", "Splits", "Trainee", "Tuner",
    "changed_slots", "same", "scaled",
]  # fmt: skip

Reference = Callable[[str], "nn.Module"]
"""Gives the trained network of another composition of the same workload and seed, by its name."""


Loss = Callable[["Trainee", Batch, Any], "Tensor"]
"""Scalar loss of one batch from the run's state, the batch and the network's output."""

Backward = Callable[[Batch], "Tensor"]
"""Goes through a batch once, forward and backward: adds its gradients to the weights', returns its detached loss."""

Gradients = Callable[["Trainee", Batch, Backward], "Tensor"]
"""Computes a step's gradients from the run's state, the batch and what goes through one; returns the detached loss."""


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Autocast data type while training (``None``: no autocast) and whether gradients are scaled.

    Autocast is for training: it casts all weights anew at every call. What is served in another type casts once.
    """

    autocast: torch.dtype | None = None
    scale_gradients: bool = False


def same(value: Any, *_: Any) -> Any:
    """Return the first argument: the slot's 'change nothing'."""
    return value


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that defines one training run and how its result is served. Every field is a slot.

    A technique replaces the slots that it is about with `dataclasses.replace` and declares them. Closures live here,
    so a recipe is never pickled: another process rebuilds it from the cell's canonical name. The seed is no field:
    the suite seeds every run itself.
    """

    data: Callable[[], Splits]
    """Loads the data of this seed; called often, so keep what is loaded."""
    model: Callable[..., nn.Module]
    """Builds the network, for ``source="checkpoint"`` the trained one. May take ``width``: a factor on channels."""
    batches: Callable[[Split, torch.Generator], Iterator[Batch]] = shuffled_batches
    """One epoch of training batches; all randomness comes from the generator."""
    steps_per_epoch: Callable[[int], int] | None = None
    """How many batches ``batches`` yields for that many training items; counted where not given."""
    optimizer: Callable[[Iterable[nn.Parameter], float], Optimizer] = adamw
    """Builds the optimizer from the parameters and the learning rate."""
    schedule: Callable[[Optimizer, float, int], LRScheduler] = cosine
    """Builds the schedule from the optimizer, the peak learning rate and the number of steps."""
    loss: Loss = usual_loss
    """Scalar loss of one batch from the run's state, the batch and the network's output."""
    gradients: Gradients = once
    """Computes the gradients of one step; may change the batch first, or go through it twice."""
    learning_rate: float = 1e-3
    epochs: int = 10
    layout: Literal["contiguous", "channels_last"] = "contiguous"
    """Memory layout of 4-dimensional weights and inputs."""
    precision: Precision = Precision()
    flags: Mapping[str, int | str] = field(default_factory=lambda: MappingProxyType({}))
    """torch's global settings that training and serving run under, by the names of `suite.core.machine.flags`."""
    callbacks: tuple[Callable[[Trainee], None], ...] = ()
    """Called after every optimizer step."""
    constraints: tuple[Callable[[nn.Module], Constraint], ...] = ()
    """What training holds of the weights from before its first step; each makes a `Constraint` of the network."""
    micro_batches: int = 1
    """How many parts of a batch go through the network one after the other; their gradients add up to the batch's."""
    after_epoch: tuple[Callable[[Trainee], None], ...] = ()
    """Called after every epoch, on the training clock; one that sets ``trainee.stopped`` ends the training there."""
    after_training: tuple[Callable[[Trainee], None], ...] = ()
    """Called after the last epoch, on the training clock: may choose which weights are kept."""
    launch: Launch = ONE_PROCESS
    """Runs the training in one process or in several; see `suite.training.launch`."""
    prepare: Callable[[nn.Module], Callable[[Any], Any]] = same
    """Wraps the network for training; the wrapped network stays the one that is kept. Its weights stay or become zero:
    no clock runs yet."""
    fine_tune_learning_rate: float | None = None
    """Peak learning rate while a technique fine-tunes; a tenth of ``learning_rate`` where not given."""
    finish: Callable[[nn.Module, Tuner], nn.Module] = same
    """Changes the trained network while it is still trainable."""
    quantize: Callable[[nn.Module, Any], nn.Module] = same
    """Last change of the weights, from the network and calibration inputs (a tree) of the training data."""
    deploy: Callable[[nn.Module], Callable[[Any], Any]] = same
    """Changes the network that the runtime is given, or wraps it in a function if torch runs it."""
    runtime: Runtime = EAGER
    """Writes the network to files and loads them into what answers requests; see `suite.training.runtime`."""
    serialize: InitVar[Callable[[nn.Module], bytes] | None] = None
    """The former name of `coded`: bytes of the weights. Accepted with a warning, and a part of ``runtime`` then."""

    def __post_init__(self, serialize: Callable[[nn.Module], bytes] | None) -> None:
        if serialize is not None:
            warnings.warn(SERIALIZE, FutureWarning, stacklevel=4)  # who called `dataclasses.replace`
            object.__setattr__(self, "runtime", coded(self.runtime, serialize))


SERIALIZE = (
    "the slot 'serialize' is a part of the slot 'runtime' now: declare 'runtime', and write "
    "replace(recipe, runtime=coded(recipe.runtime, serialize)) with coded from suite.training.runtime"
)
SLOTS = tuple(found.name for found in fields(Recipe))
AFTER_TRAINING = ("fine_tune_learning_rate", "finish", "quantize", "deploy", "runtime")
"""Slots that leave the first stage of training alone: compositions that differ only here share it."""
SAME_STEP = (
    *("steps_per_epoch", "schedule", "learning_rate", "epochs", "after_epoch", "after_training"),
    *AFTER_TRAINING,
)
"""Slots that leave the work of a training step as it is: they change which steps are taken, or what follows them."""
SAME_NETWORK = (
    *("steps_per_epoch", "schedule", "learning_rate", "epochs", "batches", "launch"),
    *("micro_batches", "optimizer", "loss", "gradients", "precision", "callbacks", "constraints"),
    *("after_epoch", "after_training", "prepare"),
)
"""Slots of training alone: what is served is the same network with other weights."""
STAGES = ("finish", "quantize", "deploy")
"""What follows training, in the order in which it happens."""


def changed_slots(before: Recipe, after: Recipe) -> tuple[str, ...]:
    """The slots that hold another object."""
    return tuple(name for name in SLOTS if getattr(before, name) is not getattr(after, name))


def scaled(model: Callable[..., nn.Module], factor: float) -> Callable[..., nn.Module]:
    """``model`` with its channels scaled by ``factor``; takes a ``width`` itself, so that it can be scaled again."""
    return lambda width=1.0: model(width=width * factor)


@dataclass(kw_only=True)
class Trainee:
    """The state of one run, as losses and callbacks see it.

    ``network`` is what is kept, ``forward`` the prepared (say, compiled) form that training calls. ``reference`` gives
    the trained network of another composition of the same workload and seed (a teacher). ``validation`` is on the
    device. ``epoch`` counts finished epochs. ``helpers`` are modules by name that are trained beside the network and
    thrown away after it; a loss adds its own when it is first called. Callbacks store state between calls in ``kept``,
    each under its own key: recipes serve several runs. Setting ``stopped`` ends training after the epoch.
    ``first_loss`` is the detached loss of the very first step, as a number once the training has ended.
    ``held`` are the constraints of this run, lowest rank first.
    """

    recipe: Recipe
    network: nn.Module
    forward: Callable[[Any], Any]
    device: str
    seed: int
    reference: Reference
    steps: int = 0
    epoch: int = 0
    validation: Split | None = None
    kept: dict[object, Any] = field(default_factory=dict)
    stopped: bool = False
    helpers: dict[str, nn.Module] = field(default_factory=dict)
    held: tuple[Constraint, ...] = ()
    first_loss: Tensor | float | None = None


class Constraint(Protocol):
    """What a technique promised of the weights and training has to keep: masks, rounding.

    It is restored after every optimizer step, when all callbacks were called, and again after ``after_training``: what
    that chooses (an average, the best epoch) undoes nothing that is held.
    """

    @property
    def rank(self) -> int:
        """Lower ones are restored first: 0 for what zeroes weights, 1 for what rounds them."""

    def begin(self, network: nn.Module) -> None:
        """Make ready for a training of ``network``; its layers, or its weights alone, may be others than before."""

    def restore(self, network: nn.Module) -> None:
        """Make the promise hold again after an optimizer step, in place."""


class Tuner(Protocol):
    """What ``finish`` works with: the data, and the one training loop at the learning rate of fine-tuning."""

    @property
    def recipe(self) -> Recipe:
        """The whole recipe, with what every technique of the composition changed."""

    @property
    def splits(self) -> Splits:
        """The data of this seed."""

    @property
    def device(self) -> str:
        """The device of the network."""

    @property
    def seed(self) -> int:
        """The seed of this run."""

    @property
    def reference(self) -> Reference:
        """The trained network of another composition of the same workload and seed."""

    @property
    def example(self) -> Any:
        """One input (a tree of tensors [1, ...]) of the training data on the device, for tracing a network."""

    @property
    def constraints(self) -> Sequence[Constraint]:
        """What earlier techniques hold while they and others fine-tune."""

    def hold(self, constraint: Constraint) -> None:
        """Keep ``constraint`` during this fine-tuning and those of later techniques, in order of their ``rank``."""

    def train(
        self,
        network: nn.Module,
        *,
        epochs: int,
        after_step: Callable[[Trainee], None] | None = None,
        loss: Loss | None = None,
    ) -> None:
        """Fine-tune ``network`` in place for ``epochs``, on ``loss`` where it is not the recipe's.

        After every optimizer step ``after_step`` is called and then everything that is held is restored, which it is
        again after what chooses the weights that are kept.
        """
