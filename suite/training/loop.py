"""The one training loop. Techniques change the recipe, never this file.

A run has two stages: `fit` trains from scratch, `finish` applies what a technique does to the trained network
(pruning, fine-tuning). Compositions that differ only in the second stage share the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from suite.core.errors import TechniqueError, UsageError
from suite.core.machine.energy_window import EnergyReading, together
from suite.core.machine.flags import applied
from suite.core.phases import phase
from suite.core.records import Better
from suite.training.copying import copied
from suite.training.data import test_open, test_sealed
from suite.training.devices import autocast, deterministic, lay_out, place, seed_all, synchronize
from suite.training.distilling import class_dim, soft_loss
from suite.training.energy import NoMeter, meter_of
from suite.training.fingerprints import moved, values
from suite.training.launch import launched
from suite.training.preparing import prepared
from suite.training.recipe import Batch, Constraint, Loss, Recipe, Reference, Split, Splits, Trainee, same
from suite.training.surgery.rebuilding import Several, Taught
from suite.training.trees import Tree, cat, split, to

FINE_TUNE_SHARE = 0.1  # of the peak learning rate, where a recipe does not name one
VALIDATION_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A quality to reach: ``score`` of outputs and targets (trees [N, ...]) at ``value`` or on its ``better`` side."""

    value: float
    better: Better
    score: Callable[[Tree, Tree], float]

    def reached(self, score: float) -> bool:
        return score >= self.value if self.better == "higher" else score <= self.value


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One line of news from a run: the validation score after an epoch."""

    seed: int
    epoch: int
    epochs: int
    score: float | None


Report = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """Training seconds spent up to the end of an epoch, and the validation score there (``None``: not looked).

    ``energy`` is that of the same epochs, ``None`` without a counter.
    """

    seconds: float
    score: float | None
    energy: EnergyReading | None = None


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network after training, with what it cost. ``network`` is in evaluation mode on ``device``.

    ``reused`` says that an earlier run trained it, or what it was fine-tuned from: then its seconds are not this run's.
    ``first_loss`` is that of the very first step, ``None`` where nothing was trained here.
    ``energy`` is that of all stages, with their epochs as its calls, ``None`` if one of them was not read.
    """

    recipe: Recipe
    network: nn.Module
    device: str
    seed: int
    seconds: float
    epochs: tuple[EpochRecord, ...] = ()
    reused: bool = False
    first_loss: float | None = None
    energy: EnergyReading | None = None

    def seconds_to(self, goal: Goal) -> float | None:
        """Training seconds until the validation score first reached the goal; ``None`` if it never did."""
        record = self._first_at(goal)
        return None if record is None else record.seconds

    def energy_to(self, goal: Goal) -> EnergyReading | None:
        """The energy until then; ``None`` as well where it was not read."""
        record = self._first_at(goal)
        return None if record is None else record.energy

    def _first_at(self, goal: Goal) -> EpochRecord | None:
        return next((e for e in self.epochs if e.score is not None and goal.reached(e.score)), None)


@dataclass(kw_only=True)
class FineTuner:
    """The `Tuner` that ``finish`` receives: the same loop at the learning rate of fine-tuning.

    ``trains`` is false where the data carry no meaning: only what a technique does to the structure is wanted.
    """

    recipe: Recipe
    splits: Splits
    device: str
    seed: int
    reference: Reference
    trains: bool = True
    report: Report | None = None
    seconds: float = 0.0
    energies: list[EnergyReading | None] = field(default_factory=list)
    history: list[EpochRecord] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)

    @property
    def example(self) -> Any:
        """One input (a tree of tensors [1, ...]) of the training data on the device, for tracing a network."""
        return place(to(self.splits.train.first(1).inputs, self.device), self.recipe.layout)

    def hold(self, constraint: Constraint) -> None:
        """Keep ``constraint`` during this fine-tuning and those of later techniques, in order of their ``rank``."""
        self.constraints.append(constraint)

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
        if not self.trains or epochs == 0:
            return
        rate = self.recipe.fine_tune_learning_rate or FINE_TUNE_SHARE * self.recipe.learning_rate
        extra = () if after_step is None else (after_step,)
        recipe = replace(
            self.recipe, learning_rate=rate, epochs=epochs, loss=loss or self.recipe.loss,
            callbacks=(*self.recipe.callbacks, *extra),
        )  # fmt: skip
        trainee = start(
            recipe, seed=self.seed, device=self.device, reference=self.reference, network=network,
            held=self.constraints,
        )  # fmt: skip
        records = self._run(trainee)
        self.seconds += records[-1].seconds
        self.energies.append(records[-1].energy)
        self.history.extend(records)

    def _run(self, trainee: Trainee) -> list[EpochRecord]:
        # not the order of the first stage again
        return _train(trainee, self.splits, order=self.seed + 1, report=self.report, goal=None)


class TrainingStep:
    """Forward, backward and update of one batch: the unit that training repeats and the sampler times."""

    def __init__(self, trainee: Trainee, *, total_steps: int | None) -> None:
        self.trainee, recipe = trainee, trainee.recipe
        trained = (trainee.network, *trainee.helpers.values())
        parameters = [weight for module in trained for weight in module.parameters() if weight.requires_grad]
        if not parameters:
            raise UsageError(
                "nothing is left to train: the network has no weights, or all are frozen (requires_grad=False)"
            )
        self.optimizer = recipe.optimizer(parameters, recipe.learning_rate)
        self.schedule: LRScheduler | None = None
        if total_steps is not None:
            self.schedule = recipe.schedule(self.optimizer, recipe.learning_rate, total_steps)
        kind = torch.device(trainee.device).type
        self.scaler = torch.amp.GradScaler(kind, enabled=recipe.precision.scale_gradients)

    def __call__(self, batch: Batch) -> Tensor:
        """Train on one batch; returns the detached loss."""
        trainee = self.trainee
        self.optimizer.zero_grad(set_to_none=True)
        loss = trainee.recipe.gradients(trainee, batch, partial(add_gradients, trainee, scaler=self.scaler))
        self._update()
        trainee.steps += 1
        for callback in trainee.recipe.callbacks:
            callback(trainee)
        for constraint in trainee.held:
            constraint.restore(trainee.network)
        return loss

    def _update(self) -> None:
        before = self.scaler.get_scale() if self.scaler.is_enabled() else None  # asking waits for the device
        self.scaler.step(self.optimizer)
        self.scaler.update()
        overflowed = before is not None and self.scaler.get_scale() < before  # then the optimizer did not step
        if self.schedule is not None and not overflowed:
            self.schedule.step()


def add_gradients(trainee: Trainee, batch: Batch, scaler: torch.amp.GradScaler | None = None) -> Tensor:
    """Backward through a batch, in as many parts as the recipe says; returns its detached loss.

    Each part counts by its share of the items, so that losses which are means add up to the batch's mean.
    """
    recipe, losses = trainee.recipe, []
    for part in parts_of(batch, recipe.micro_batches):
        with autocast(recipe.precision, trainee.device):
            output = trainee.forward(place(part.inputs, recipe.layout))
            loss = loss_of(trainee, part, output)
        if part is not batch:
            loss = loss * (len(part) / len(batch))
        (loss if scaler is None else scaler.scale(loss)).backward()
        losses.append(loss.detach())
        del output, loss  # the next part shall not find this one's outputs still there
    return losses[0] if len(losses) == 1 else torch.stack(losses).sum()


def loss_of(trainee: Trainee, batch: Batch, output: Any) -> Tensor:
    """The recipe's loss; of a network that answers more than once, the weighted sum over its answers.

    An answer that another one teaches has the divergence from it as its loss.
    """
    if isinstance(output, Taught):
        return soft_loss(output.answer, output.teacher, 1.0, class_dim(trainee, output.answer))
    if not isinstance(output, Several):
        return trainee.recipe.loss(trainee, batch, output)
    first, *others = (
        weight * loss_of(trainee, batch, answer) for answer, weight in zip(*output, strict=True)
    )  # fmt: skip
    return sum(others, first)


def parts_of(batch: Batch, count: int) -> Iterator[Batch]:
    """At most ``count`` consecutive parts of a batch, of equal size but for the last; the batch itself for one."""
    if count == 1:
        yield batch
        return
    size = -(-len(batch) // count)
    for inputs, targets in zip(split(batch.inputs, size), split(batch.targets, size), strict=True):
        yield Batch(inputs=inputs, targets=targets)


def start(
    recipe: Recipe, *, seed: int, device: str, reference: Reference, network: nn.Module | None = None,
    held: Iterable[Constraint] = (),
) -> Trainee:  # fmt: skip
    """The state before the first step: the seeded network (or ``network``) on the device, prepared for training.

    ``held`` are constraints beside the recipe's own; all of them begin.
    """
    network = lay_out(built(recipe, seed) if network is None else network, recipe).to(device)
    network.train()
    constraints = _begun(network, [*(make(network) for make in recipe.constraints), *held])
    return Trainee(
        recipe=recipe, network=network, forward=prepared(network, recipe), device=device, seed=seed,
        reference=reference, held=constraints,
    )  # fmt: skip


def _begun(network: nn.Module, constraints: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """The constraints in order of their rank, ready for the weights of ``network``."""
    ordered = tuple(sorted(constraints, key=lambda held: held.rank))
    for constraint in ordered:
        constraint.begin(network)
    return ordered


def built(recipe: Recipe, seed: int) -> nn.Module:
    """The network of a seed, built on the CPU so that it has the same weights on every device.

    A builder may train what it returns, whoever asks for it, but on no test data.
    """
    with test_open():
        recipe.data()  # a builder that asks for them finds them loaded
    seed_all(seed)
    with torch.enable_grad(), test_sealed("building the network"):
        network = recipe.model()
    if not isinstance(network, nn.Module):
        raise TypeError(f"the recipe's model must build a torch.nn.Module, it returned {network!r}")
    return network


def fit(
    recipe: Recipe, *, seed: int, device: str, reference: Reference, goal: Goal | None, report: Report | None
) -> Trained:
    """First stage: train the recipe's network from scratch."""
    with deterministic(), applied(recipe.flags):
        trainee = start(recipe, seed=seed, device=device, reference=reference)
        with test_open():
            splits = recipe.data()
        with test_sealed("training"):
            records = _train(trainee, splits, order=seed, report=report, goal=goal)
    seconds = records[-1].seconds if records else 0.0
    made = _trained(recipe, trainee.network, device, seed, seconds=seconds, epochs=tuple(records))
    first_loss = None if trainee.first_loss is None else float(trainee.first_loss)
    return replace(made, first_loss=first_loss, energy=records[-1].energy if records else None)


def untrained(recipe: Recipe, *, seed: int, device: str) -> Trained:
    """The network as the recipe builds it: a trained one from a checkpoint, or one that nobody trains."""
    return _trained(recipe, lay_out(built(recipe, seed), recipe).to(device), device, seed)


def finish(
    fitted: Trained, recipe: Recipe, *, reference: Reference, trains: bool = True, report: Report | None = None
) -> Trained:
    """Second stage: what ``recipe.finish`` does to a copy of the fitted network."""
    if recipe.finish is same:
        return replace(fitted, recipe=recipe)  # nothing changes it, so nothing has to be copied
    with test_open():
        splits = recipe.data()
    tuner = FineTuner(
        recipe=recipe, splits=splits, device=fitted.device, seed=fitted.seed, reference=reference,
        trains=trains, report=report,
    )  # fmt: skip
    with deterministic(), applied(recipe.flags):
        seed_all(fitted.seed)
        with test_sealed("finishing"):
            network = lay_out(recipe.finish(copied(fitted.network), tuner), recipe)
    later = tuple(replace(record, seconds=record.seconds + fitted.seconds) for record in tuner.history)
    made = _trained(
        recipe, network, fitted.device, fitted.seed, seconds=fitted.seconds + tuner.seconds,
        epochs=fitted.epochs + later,
    )  # fmt: skip
    return replace(made, energy=together([*([fitted.energy] if fitted.epochs else []), *tuner.energies]))


def _trained(
    recipe: Recipe, network: nn.Module, device: str, seed: int, *, seconds: float = 0.0, epochs: Any = ()
) -> Trained:
    network.zero_grad(set_to_none=True)  # kept networks would hold the last step's gradients too
    return Trained(recipe=recipe, network=network.eval(), device=device, seed=seed, seconds=seconds, epochs=epochs)


@torch.no_grad()
def score(network: nn.Module, part: Split, recipe: Recipe, goal: Goal) -> float:
    """The goal's score of ``network`` on a split, in evaluation mode, under the recipe's precision."""
    was_training = network.training
    network.eval()
    with autocast(recipe.precision, str(next(iter(network.parameters())).device)):
        outputs = [network(place(inputs, recipe.layout)) for inputs in split(part.inputs, VALIDATION_BATCH)]
    network.train(was_training)
    return goal.score(cat(outputs), part.targets)


def steps_per_epoch(recipe: Recipe, train: Split) -> int:
    """How many batches an epoch has; counted on one, where the recipe does not say."""
    if recipe.steps_per_epoch is not None:
        return recipe.steps_per_epoch(len(train))
    return sum(1 for _ in recipe.batches(train, torch.Generator().manual_seed(0)))


def first_batch(recipe: Recipe, train: Split, generator: torch.Generator) -> Batch:
    """The first batch of an epoch. Raises `UsageError` where there is none."""
    batch = next(iter(recipe.batches(train, generator)), None)
    if batch is None:
        raise UsageError(f"the recipe's batches yield nothing for {len(train)} training items; is a batch larger?")
    return batch


def first_step(recipe: Recipe, *, device: str, reference: Reference) -> tuple[TrainingStep, Batch]:
    """The step of a training of seed 0 that begins now, without a schedule, and the batch that it begins with.

    The trainee has its validation data, as in training: nothing tells the one from the other.
    """
    trainee = start(recipe, seed=0, device=device, reference=reference)
    step = TrainingStep(trainee, total_steps=None)
    data = recipe.data()
    if data.validation is not None:
        trainee.validation = data.validation.to(device)
    return step, first_batch(recipe, data.train.to(device), torch.Generator().manual_seed(0))


def _train(
    trainee: Trainee, splits: Splits, *, order: int, report: Report | None, goal: Goal | None
) -> list[EpochRecord]:
    """Warm up, then train for all epochs with the batches that a generator seeded with ``order`` chooses."""

    def train() -> tuple[list[EpochRecord], float | None]:
        items = splits.train.to(trainee.device)
        trainee.validation = None if splits.validation is None else splits.validation.to(trainee.device)
        _warm_up(trainee, items)
        seed_all(order)  # compiling draws numbers: dropout must not differ from the control's
        records = _epochs(trainee, items, torch.Generator().manual_seed(order), report=report, goal=goal)
        return records, None if trainee.first_loss is None else float(trainee.first_loss)

    records, first_loss = launched(trainee.recipe.launch, train, trainee.network)
    trainee.first_loss = first_loss
    return records


def _epochs(
    trainee: Trainee, train: Split, generator: torch.Generator, *, report: Report | None, goal: Goal | None
) -> list[EpochRecord]:
    recipe, validation = trainee.recipe, trainee.validation
    step = TrainingStep(trainee, total_steps=recipe.epochs * steps_per_epoch(recipe, train))
    meter = meter_of(trainee.device, recipe.launch)
    records: list[EpochRecord] = []
    seconds, found = 0.0, None
    while trainee.epoch < recipe.epochs and not trainee.stopped:
        looks = goal is not None and validation is not None and not (found is not None and goal.reached(found))
        with phase("training"):
            meter.go_on()
            seconds += _one_epoch(step, train, generator, meter)
            energy = meter.reading(len(records) + 1)
            if looks:
                meter.pause()
            found = score(trainee.network, validation, recipe, goal) if looks and validation and goal else found
        records.append(EpochRecord(seconds=seconds, score=found if looks else None, energy=energy))
        if report:
            report(Progress(seed=trainee.seed, epoch=trainee.epoch, epochs=recipe.epochs, score=records[-1].score))
    return records


def _one_epoch(step: TrainingStep, train: Split, generator: torch.Generator, meter: NoMeter) -> float:
    trainee = step.trainee
    trainee.network.train()
    began = perf_counter()
    for batch in trainee.recipe.batches(train, generator):
        loss = step(batch)
        if trainee.first_loss is None:
            trainee.first_loss = loss  # read when the training has ended: reading waits for the device
        meter.look()
    trainee.epoch += 1
    _end_epoch(trainee)
    synchronize(trainee.device)
    return perf_counter() - began


def _end_epoch(trainee: Trainee) -> None:
    recipe = trainee.recipe
    for hook in recipe.after_epoch:
        hook(trainee)
    if trainee.stopped or trainee.epoch == recipe.epochs:
        _choose(trainee)


def _choose(trainee: Trainee) -> None:
    """Let the recipe choose the weights that are kept; what is held then holds of these."""
    for hook in trainee.recipe.after_training:
        hook(trainee)
    if trainee.recipe.after_training:
        for constraint in _begun(trainee.network, trainee.held):
            constraint.restore(trainee.network)


def _warm_up(trainee: Trainee, train: Split) -> None:
    """Let everything lazy happen on one batch outside the training clock: a network compiles, a teacher is trained.

    Buffers and gradients are left as they were. Raises `TechniqueError` if weights are not.
    """
    weights = values(trainee.network)
    buffers = {name: value.clone() for name, value in trainee.network.named_buffers()}
    generator = torch.Generator().manual_seed(trainee.seed)
    batch = first_batch(trainee.recipe, train, generator)
    with phase("compiling"):
        trainee.recipe.gradients(trainee, batch, partial(add_gradients, trainee))
    trainee.network.zero_grad(set_to_none=True)
    for name, value in trainee.network.named_buffers():
        value.copy_(buffers[name])
    changed = moved(weights, trainee.network)
    if changed is not None:
        raise TechniqueError(f"{changed} changes when one batch warms the network up, before the training clock runs")
