"""A workload that trains in milliseconds, with a registry of its own and techniques that need nothing.

64 generated images [1, 8, 8] of two classes: the left or the right half is bright.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite.bench.resolved_cell import Case, case
from suite.catalog.scores import classification
from suite.core.records import Cell
from suite.registry import Registry
from suite.training.loop import Trained, fit
from suite.training.recipe import Batch, Recipe, Split, Splits, Trainee

torch.set_num_threads(1)  # a second thread costs more than networks of this size take

BATCH = 8
EPOCHS = 3
STEPS = 4 * EPOCHS  # 32 training images
BASELINE_CELL = Cell(workload="halves", technique="baseline", device="cpu")


class Net(nn.Module):
    """Two convolutions and two Linear layers; inputs [B, 1, 8, 8], outputs [B, 2]."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        channels, hidden = (max(1, round(width * size)) for size in (8, 16))
        self.conv = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3))
        self.fc1 = nn.Linear(channels * 9, hidden)
        self.fc2 = nn.Linear(hidden, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.max_pool2d(torch.relu(self.conv(x)), 2)
        return self.fc2(torch.relu(self.fc1(torch.flatten(x, 1))))


def splits(seed: int) -> Splits:
    """32 training, 16 validation and 16 test images of a seed."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(64) % 2
    inputs = 0.3 * torch.randn(64, 1, 8, 8, generator=generator)
    inputs[targets == 0, :, :, :4] += 1
    inputs[targets == 1, :, :, 4:] += 1
    parts = (Split(inputs=inputs[part], targets=targets[part]) for part in (slice(32), slice(32, 48), slice(48, 64)))
    return Splits(**dict(zip(("train", "validation", "test"), parts, strict=True)))


def batches(train: Split, generator: torch.Generator) -> Any:
    for chosen in torch.randperm(len(train), generator=generator).split(BATCH):
        yield Batch(inputs=train.inputs[chosen], targets=train.targets[chosen])


def recipe(seed: int = 0, **changes: Any) -> Recipe:
    """The plain recipe of the tiny workload, with some of its slots replaced."""
    plain = Recipe(
        data=lambda: splits(seed),
        model=Net,
        batches=batches,
        steps_per_epoch=lambda examples: examples // BATCH,
        optimizer=lambda parameters, rate: torch.optim.SGD(parameters, lr=rate, momentum=0.9),
        schedule=lambda optimizer, rate, steps: torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps),
        loss=lambda _trainee, batch, output: F.cross_entropy(output, batch.targets),
        learning_rate=0.1,
        epochs=EPOCHS,
    )
    return replace(plain, **changes)


def trainee(plain: Recipe, network: nn.Module) -> Trainee:
    """A run of ``plain`` with a network that nobody prepares."""
    return Trainee(recipe=plain, network=network, forward=network, device="cpu", seed=0, reference=no_reference)


def no_reference(composition: str) -> nn.Module:
    raise AssertionError(f"nobody should ask for {composition}")


def fitted(plain: Recipe | None = None, *, seed: int = 0, **changes: Any) -> Trained:
    """The tiny network after its first stage."""
    recipe_of = plain or recipe(seed, **changes)
    return fit(recipe_of, seed=seed, device="cpu", reference=no_reference, goal=None, report=None)


def state(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the weights."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def equal_states(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two sets of weights have the same names, shapes and bits."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def registry() -> Registry:  # noqa: C901  # declarations, one after the other
    """The workload ``halves`` and a technique for each stage of a recipe."""
    made = Registry()

    @made.workload(scores=classification(), target=0.9, batch={"cpu": 16}, digest=lambda: "halves-1")
    def halves(seed: int) -> Recipe:
        """Which half is bright."""
        return recipe(seed)

    @made.workload(source="none", batch=16)
    def unlabelled(seed: int) -> Recipe:
        """The same images, their labels taken for noise: nothing is trained."""
        return recipe(seed)

    @made.technique(slots=())
    def baseline(plain: Recipe) -> Recipe:
        """Change nothing."""
        return plain

    @made.technique(slots=("layout",))
    def nhwc(plain: Recipe) -> Recipe:
        """Keep weights and inputs in NHWC order."""
        return replace(plain, layout="channels_last")

    @made.technique(slots=("finish",), control="longer(epochs={epochs})")
    def halved(plain: Recipe, *, epochs: int = 1) -> Recipe:
        """Halve all weights and fine-tune."""

        def finish(network: nn.Module, tuner: Any) -> nn.Module:
            network = plain.finish(network, tuner)
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.mul_(0.5)
            tuner.train(network, epochs=epochs)
            return network

        return replace(plain, finish=finish)

    @made.technique(slots=("finish",), needs=("training",), runs=False)
    def longer(plain: Recipe, *, epochs: int = 1) -> Recipe:
        """Fine-tune and change nothing else."""

        def finish(network: nn.Module, tuner: Any) -> nn.Module:
            network = plain.finish(network, tuner)
            tuner.train(network, epochs=epochs)
            return network

        return replace(plain, finish=finish)

    @made.technique(slots=("deploy",))
    def wrapped(plain: Recipe) -> Recipe:
        """Serve through a plain function."""
        return replace(plain, deploy=lambda network: network.__call__)

    return made


def case_of(made: Registry, technique: str, workload: str = "halves") -> Case:
    """A resolved cell of a registry on the CPU."""
    return case(made, made.find_workload(workload), technique, "cpu")
