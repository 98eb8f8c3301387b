"""A user's repository in a temporary folder, and the real commands run in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from brief_timing import brief

Done = subprocess.CompletedProcess[str]

CALM = ("--partial", "-k", "quality or size")  # groups whose verdicts do not depend on how busy the machine is

LAB = '''"""A small network on 64 generated images, and techniques of every temper."""

import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from suite import Batch, Recipe, Split, Splits, classification, technique, workload


class Net(nn.Module):
    def __init__(self, width=1.0):
        super().__init__()
        channels = max(1, round(8 * width))
        self.conv = nn.Conv2d(1, channels, 3)
        self.fc = nn.Linear(channels * 36, 2)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).flatten(1))


def splits():
    targets = torch.arange(64) % 2
    inputs = torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) + targets[:, None, None, None]
    parts = [Split(inputs=inputs[a:b], targets=targets[a:b]) for a, b in ((0, 32), (32, 48), (48, 64))]
    return Splits(train=parts[0], validation=parts[1], test=parts[2])


def batches(train, generator):
    for chosen in torch.randperm(len(train), generator=generator).split(16):
        yield Batch(inputs=train.inputs[chosen], targets=train.targets[chosen])


def recipe(seed):
    return Recipe(
        data=splits,
        model=Net,
        batches=batches,
        steps_per_epoch=lambda examples: examples // 16,
        optimizer=lambda parameters, rate: torch.optim.SGD(parameters, lr=rate),
        schedule=lambda optimizer, rate, steps: torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0),
        loss=lambda trainee, batch, output: nn.functional.cross_entropy(output, batch.targets),
        learning_rate=0.1,
        epochs=1,
    )


@workload(scores=classification(), techniques=("doubled",))
def tiny(seed: int) -> Recipe:
    """Which of two brightnesses an image has."""
    return recipe(seed)


@workload(source="none", techniques=())
def unlabelled(seed: int) -> Recipe:
    """The same images, their labels taken for noise."""
    return recipe(seed)


def no_data():
    raise ValueError("the images are not where they were")


@workload(scores=classification(), techniques=())
def unreadable(seed: int) -> Recipe:
    """A workload whose data cannot be loaded."""
    return replace(recipe(seed), data=no_data)


@technique(slots=("batches", "steps_per_epoch"), runs=False)
def doubled(plain: Recipe, *, factor: int = 2) -> Recipe:
    """Show every batch several times."""

    def repeated(train, generator):
        for batch in plain.batches(train, generator):
            yield from [batch] * factor

    return replace(plain, batches=repeated, steps_per_epoch=lambda examples: factor * plain.steps_per_epoch(examples))


@technique(slots=("batches",), runs=False)
def breaks(plain: Recipe) -> Recipe:
    """Fail while training."""

    def raising(train, generator):
        raise ValueError("the augmentation has no images left")  # BREAKS HERE
        yield

    return replace(plain, batches=raising)


@technique(slots=("batches",), runs=False)
def hungry(plain: Recipe) -> Recipe:
    """Ask for more memory than there is."""

    def raising(train, generator):
        raise torch.OutOfMemoryError("tried to allocate 2.00 TiB")
        yield

    return replace(plain, batches=raising)


@technique(slots=("batches",), needs=("training",), runs=False)
def taught(plain: Recipe) -> Recipe:
    """Learn something, which not every workload allows."""
    return plain


@technique(slots=("batches",), runs=False)
def patient(plain: Recipe) -> Recipe:
    """Train only once a file called `open` lies in the working directory."""

    def waiting(train, generator):
        while not Path("open").exists():
            time.sleep(0.05)
        yield from plain.batches(train, generator)

    return replace(plain, batches=waiting)
''' + brief(seconds=0.1)


@pytest.fixture(scope="session")
def bench(suite) -> Callable[..., Done]:
    """``bench(*arguments, cwd=...)`` runs ``suite bench`` briefly, on the CPU, with the user's file loaded."""
    return lambda *arguments, **options: suite(
        "bench", "--device=cpu", "--quick", "--load=lab.py", *arguments, **options
    )


@pytest.fixture(scope="session")
def lab_text() -> str:
    """The user's file."""
    return LAB


@pytest.fixture
def lab(tmp_path) -> Path:
    """An empty repository but for the user's file."""
    (tmp_path / "lab.py").write_text(LAB, "utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def measured(tmp_path_factory, bench) -> tuple[Path, Done]:
    """The one whole recording run of the tiny workload that many tests look at; nobody changes its folder."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "lab.py").write_text(LAB, "utf-8")
    done = bench("--workload=tiny", "--expect=record", "--benchmark-json=bench.json", cwd=folder)
    assert 0 == done.returncode, done.stdout + done.stderr
    return folder, done


@pytest.fixture
def recorded(measured, lab) -> Path:
    """A repository with the tiny workload's expectations, less those that depend on how busy the machine is."""
    shutil.copytree(measured[0] / "expectations" / "any", lab / "expectations" / "any")
    return lab


class Running:
    """A bench run in a process group of its own that a test stops in the middle."""

    def __init__(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        with (folder / "output").open("w") as output, _interruptible():
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "suite", "bench", *arguments],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, cell: str, group: str, seconds: float = 120) -> Path:
        """The run's folder, once a group of a cell has ended (and the next one is on its way)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            for path in self.folder.glob("reports/*/results.jsonl"):
                ended = lines(path, "group_end")
                if any(found["cell"]["technique"] == cell and found["group"] == group for found in ended):
                    return path.parent
            time.sleep(0.1)
        raise AssertionError(f"{cell} {group} never came; the run said\n{self.output}")

    def stop(self, number: signal.Signals) -> int:
        """Send the signal to the whole group, as a terminal does; returns the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(timeout=60)

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text("utf-8")


@contextmanager
def _interruptible() -> Iterator[None]:
    """What starts during the body obeys SIGINT, which workers of xdist and jobs in the background leave ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def start(lab, environment) -> Iterator[Callable[..., Running]]:
    """``start(*arguments)`` starts ``suite bench`` in the lab and returns at once; what still runs is killed later."""
    running: list[Running] = []

    def begin(*arguments: str) -> Running:
        running.append(Running(list(arguments), lab, environment))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.stop(signal.SIGKILL)


def lines(path: Path, kind: str) -> list[dict[str, Any]]:
    """The whole lines of a results file that are of one kind."""
    whole = [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
    return [found for found in map(json.loads, whole) if found["type"] == kind]


@pytest.fixture(scope="session")
def records() -> Callable[[Path, str], list[dict[str, Any]]]:
    """``records(results.jsonl, kind)``: the records of one kind that a run has kept so far."""
    return lines


@pytest.fixture(scope="session")
def calm() -> tuple[str, ...]:
    """Arguments that leave out the groups whose figures depend on how busy the machine is."""
    return CALM
