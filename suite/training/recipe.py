"""A recipe: everything that defines one training run and how its result is served, as slots that techniques replace.

Shapes: ``N`` items of a data set, ``B`` of one batch; what follows is the workload's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


Reference = Callable[[str], "nn.Module"]
"""Gives the trained network of another composition of the same workload and seed, by its name."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """``inputs`` [N, ...] and ``targets`` [N] of one part of a data set, in memory."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def to(self, device: str) -> Split:
        """The same data on ``device``."""
        return Split(inputs=self.inputs.to(device), targets=self.targets.to(device))


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Disjoint training, validation and test data. Nothing may be chosen on ``test``."""

    train: Split
    validation: Split
    test: Split


@dataclass(frozen=True, kw_only=True)
class Batch:
    """``inputs`` [B, ...] and ``targets`` [B] of one training step."""

    inputs: Tensor
    targets: Tensor


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Autocast data type (``None``: no autocast) and whether gradients are scaled."""

    autocast: torch.dtype | None = None
    scale_gradients: bool = False


def same(value: Any, *_: Any) -> Any:
    """Return the first argument: the slot's 'change nothing'."""
    return value


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that defines one training run and how its result is served.

    A technique replaces the slots that it is about with `dataclasses.replace`. Closures live here, so a
    recipe is never pickled: another process rebuilds it from the cell's canonical name.
    """

    data: Callable[[], Splits]
    """Loads the data of this seed."""
    model: Callable[..., nn.Module]
    """Builds an untrained network; takes ``width`` (a factor on its channels, default 1.0)."""
    batches: Callable[[Split, torch.Generator], Iterator[Batch]]
    """One epoch of training batches; all randomness comes from the generator."""
    steps_per_epoch: Callable[[int], int]
    """How many batches ``batches`` yields for that many training examples."""
    optimizer: Callable[[Iterable[nn.Parameter], float], Optimizer]
    """Builds the optimizer from the parameters and the learning rate."""
    schedule: Callable[[Optimizer, float, int], LRScheduler]
    """Builds the schedule from the optimizer, the peak learning rate and the number of steps."""
    loss: Callable[[Trainee, Batch, Tensor], Tensor]
    """Scalar loss of one batch from the run's state, the batch and the output [B, K]."""
    learning_rate: float
    epochs: int
    seed: int = 0
    fine_tune_learning_rate: float | None = None
    """Peak learning rate while a technique fine-tunes; a tenth of ``learning_rate`` where not given."""
    layout: Literal["contiguous", "channels_last"] = "contiguous"
    """Memory layout of weights and inputs."""
    precision: Precision = Precision()
    callbacks: tuple[Callable[[Trainee], None], ...] = ()
    """Called after every optimizer step."""
    prepare: Callable[[nn.Module], Callable[[Tensor], Tensor]] = same
    """Wraps the network for training; the wrapped network stays the one that is kept."""
    finish: Callable[[nn.Module, Tuner], nn.Module] = same
    """Changes the trained network while it is still trainable."""
    quantize: Callable[[nn.Module, Tensor], nn.Module] = same
    """Last change of the weights, from the network and calibration inputs [N, ...] of the training data."""
    deploy: Callable[[nn.Module], Callable[[Tensor], Tensor]] = same
    """Wraps what is served (compilation, another runtime)."""
    serialize: Callable[[nn.Module], bytes] | None = None
    """Bytes of the artefact that ships; the network's state dictionary where not given."""


@dataclass(kw_only=True)
class Trainee:
    """The state of one run, as losses and callbacks see it.

    ``network`` is what is kept, ``forward`` the prepared (say, compiled) form that training calls. ``reference``
    gives the trained network of another composition of the same workload and seed (a teacher).
    """

    recipe: Recipe
    network: nn.Module
    forward: Callable[[Tensor], Tensor]
    device: str
    reference: Reference
    steps: int = 0


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
        """Where the network lies."""

    @property
    def reference(self) -> Reference:
        """The trained network of another composition of the same workload and seed."""

    @property
    def example(self) -> Tensor:
        """One input [1, ...] of the training data on the device, for tracing a network."""

    def train(self, network: nn.Module, *, epochs: int, after_step: Callable[[Trainee], None] | None = None) -> None:
        """Fine-tune ``network`` in place for ``epochs``, calling ``after_step`` after every optimizer step."""
