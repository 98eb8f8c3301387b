"""The one training loop. Techniques change the recipe, never this file.

A run has two stages: `fit` trains from scratch, `finish` applies what a technique does to the trained network
(pruning, fine-tuning). Compositions that differ only in the second stage share the first.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from suite.phases import phase
from suite.training.devices import autocast, deterministic, lay_out, place, synchronize
from suite.training.recipe import Batch, Recipe, Reference, Split, Splits, Trainee

FINE_TUNE_SHARE = 0.1  # of the peak learning rate, where a recipe does not name one


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One line of news from a run: the validation accuracy after an epoch."""

    seed: int
    epoch: int
    epochs: int
    accuracy: float | None


Report = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class EpochRecord:
    """Training seconds spent up to the end of an epoch, and the validation accuracy there (``None``: not looked)."""

    seconds: float
    accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network after training, with what it cost. ``network`` is in evaluation mode on ``device``."""

    recipe: Recipe
    network: nn.Module
    device: str
    seconds: float
    epochs: tuple[EpochRecord, ...] = ()

    def seconds_to(self, target: float) -> float | None:
        """Training seconds until the validation accuracy first reached ``target``; ``None`` if it never did."""
        reached = (e.seconds for e in self.epochs if e.accuracy is not None and e.accuracy >= target)
        return next(reached, None)


@dataclass(kw_only=True)
class FineTuner:
    """The `Tuner` that ``finish`` receives: the same loop at the learning rate of fine-tuning.

    ``trains`` is false where only the structure of the network is wanted (a timing process that loads the weights).
    """

    recipe: Recipe
    splits: Splits
    device: str
    reference: Reference
    trains: bool = True
    report: Report | None = None
    seconds: float = 0.0
    history: list[EpochRecord] = field(default_factory=list)

    @property
    def example(self) -> Tensor:
        """One input [1, ...] of the training data on the device, for tracing a network."""
        return place(self.splits.train.inputs[:1].to(self.device), self.recipe.layout)

    def train(self, network: nn.Module, *, epochs: int, after_step: Callable[[Trainee], None] | None = None) -> None:
        """Fine-tune ``network`` in place for ``epochs``, calling ``after_step`` after every optimizer step."""
        if not self.trains or epochs == 0:
            return
        rate = self.recipe.fine_tune_learning_rate or FINE_TUNE_SHARE * self.recipe.learning_rate
        extra = () if after_step is None else (after_step,)
        recipe = replace(self.recipe, learning_rate=rate, epochs=epochs, callbacks=(*self.recipe.callbacks, *extra))
        trainee = start(recipe, device=self.device, reference=self.reference, network=network)
        _warm_up(trainee, self.splits.train)
        generator = torch.Generator().manual_seed(recipe.seed + 1)  # not the order of the first stage again
        records = _epochs(trainee, self.splits, generator, report=self.report, target=None)
        self.seconds += records[-1].seconds
        self.history.extend(records)


class TrainingStep:
    """Forward, backward and update of one batch: the unit that training repeats and the sampler times."""

    def __init__(self, trainee: Trainee, *, total_steps: int | None) -> None:
        self.trainee, recipe = trainee, trainee.recipe
        parameters = [parameter for parameter in trainee.network.parameters() if parameter.requires_grad]
        self.optimizer = recipe.optimizer(parameters, recipe.learning_rate)
        self.schedule: LRScheduler | None = None
        if total_steps is not None:
            self.schedule = recipe.schedule(self.optimizer, recipe.learning_rate, total_steps)
        kind = torch.device(trainee.device).type
        self.scaler = torch.amp.GradScaler(kind, enabled=recipe.precision.scale_gradients)

    def __call__(self, batch: Batch) -> Tensor:
        """Train on one batch; returns the detached loss."""
        trainee, recipe = self.trainee, self.trainee.recipe
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(recipe.precision, trainee.device):
            output = trainee.forward(place(batch.inputs, recipe.layout))
            loss = recipe.loss(trainee, batch, output)
        self.scaler.scale(loss).backward()
        self._update()
        trainee.steps += 1
        for callback in recipe.callbacks:
            callback(trainee)
        return loss.detach()

    def _update(self) -> None:
        if self.schedule is None or not self.scaler.is_enabled():  # asking for the scale waits for the device
            self.scaler.step(self.optimizer)
            self.scaler.update()
            if self.schedule is not None:
                self.schedule.step()
            return
        scale = self.scaler.get_scale()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        skipped = self.scaler.get_scale() < scale  # gradients overflowed: the optimizer did not step
        if not skipped:
            self.schedule.step()


def start(recipe: Recipe, *, device: str, reference: Reference, network: nn.Module | None = None) -> Trainee:
    """The state before the first step: the seeded network (or ``network``) on the device, prepared for training."""
    if network is None:
        torch.manual_seed(recipe.seed)  # built on the CPU: the same weights on every device
        network = recipe.model()
    network = lay_out(network.to(device), recipe)
    network.train()
    forward = recipe.prepare(network)
    return Trainee(recipe=recipe, network=network, forward=forward, device=device, reference=reference)


def fit(recipe: Recipe, *, device: str, reference: Reference, target: float | None, report: Report | None) -> Trained:
    """First stage: train the recipe's network from scratch."""
    with deterministic():
        splits = recipe.data()
        trainee = start(recipe, device=device, reference=reference)
        _warm_up(trainee, splits.train)
        torch.manual_seed(recipe.seed)  # compiling draws numbers: dropout must not differ from the control's
        generator = torch.Generator().manual_seed(recipe.seed)
        records = _epochs(trainee, splits, generator, report=report, target=target)
    seconds = records[-1].seconds if records else 0.0
    return Trained(recipe=recipe, network=trainee.network.eval(), device=device, seconds=seconds, epochs=tuple(records))


def untrained(recipe: Recipe, *, device: str, reference: Reference) -> Trained:
    """The network as the recipe builds it: for workloads without labels and for processes that load weights."""
    trainee = start(replace(recipe, prepare=lambda network: network), device=device, reference=reference)
    return Trained(recipe=recipe, network=trainee.network.eval(), device=device, seconds=0.0)


def finish(
    fitted: Trained, recipe: Recipe, *, reference: Reference, trains: bool = True, report: Report | None = None
) -> Trained:
    """Second stage: what ``recipe.finish`` does to a copy of the fitted network."""
    network = copy.deepcopy(fitted.network)
    tuner = FineTuner(
        recipe=recipe, splits=recipe.data(), device=fitted.device, reference=reference, trains=trains, report=report
    )
    with deterministic():
        torch.manual_seed(recipe.seed)
        network = lay_out(recipe.finish(network, tuner), recipe).eval()
    later = tuple(replace(record, seconds=record.seconds + fitted.seconds) for record in tuner.history)
    return Trained(
        recipe=recipe,
        network=network,
        device=fitted.device,
        seconds=fitted.seconds + tuner.seconds,
        epochs=fitted.epochs + later,
    )


@torch.no_grad()
def accuracy(network: nn.Module, split: Split, recipe: Recipe, *, batch: int = 64) -> float:
    """Share of a split that ``network`` classifies correctly, in evaluation mode, under the recipe's precision."""
    was_training = network.training
    network.eval()
    device = split.inputs.device.type
    right = 0
    with autocast(recipe.precision, device):
        for inputs, targets in zip(split.inputs.split(batch), split.targets.split(batch), strict=True):
            output = network(place(inputs, recipe.layout))
            right += int((output.argmax(1) == targets).sum())
    network.train(was_training)
    return right / len(split)


def _epochs(
    trainee: Trainee, splits: Splits, generator: torch.Generator, *, report: Report | None, target: float | None
) -> list[EpochRecord]:
    recipe, train = trainee.recipe, splits.train.to(trainee.device)
    validation = splits.validation.to(trainee.device)
    step = TrainingStep(trainee, total_steps=recipe.epochs * recipe.steps_per_epoch(len(train)))
    records: list[EpochRecord] = []
    seconds, reached = 0.0, target is None
    for epoch in range(1, recipe.epochs + 1):
        with phase("training"):
            seconds += _one_epoch(step, train, generator)
            score = None if reached else accuracy(trainee.network, validation, recipe)
        reached = reached or (score is not None and target is not None and score >= target)
        records.append(EpochRecord(seconds=seconds, accuracy=score))
        if report:
            report(Progress(seed=recipe.seed, epoch=epoch, epochs=recipe.epochs, accuracy=score))
    return records


def _one_epoch(step: TrainingStep, train: Split, generator: torch.Generator) -> float:
    trainee = step.trainee
    trainee.network.train()
    began = perf_counter()
    for batch in trainee.recipe.batches(train, generator):
        step(batch)
    synchronize(trainee.device)
    return perf_counter() - began


def _warm_up(trainee: Trainee, train: Split) -> None:
    """Let everything lazy happen on one batch outside the training clock: a network compiles, a teacher is trained.

    Weights, buffers and gradients are left as they were.
    """
    buffers = {name: value.clone() for name, value in trainee.network.named_buffers()}
    generator = torch.Generator().manual_seed(trainee.recipe.seed)
    batch = next(iter(trainee.recipe.batches(train.to(trainee.device), generator)))
    with phase("compiling"), autocast(trainee.recipe.precision, trainee.device):
        output = trainee.forward(place(batch.inputs, trainee.recipe.layout))
        trainee.recipe.loss(trainee, batch, output).backward()
    trainee.network.zero_grad(set_to_none=True)
    for name, value in trainee.network.named_buffers():
        value.copy_(buffers[name])
