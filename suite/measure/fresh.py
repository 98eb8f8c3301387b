"""Measurements in fresh processes: what one process cannot know about itself."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median, stdev
from typing import Any

import torch

from suite.errors import SuiteError
from suite.intervals import mean_interval
from suite.machine import quiet
from suite.measure.speed import Budget
from suite.metrics import measured
from suite.phases import phase
from suite.records import Cell, Measurement
from suite.training.loop import Trained

PARTS = ("train", "validation", "test")
TIMEOUT = 1800.0  # seconds; a hung compiler must not hang a gate


class FreshProcessError(SuiteError):
    """A worker process ended without an answer."""


@dataclass(kw_only=True)
class Workers(AbstractContextManager["Workers"]):
    """Starts worker processes for one cell after the other; its folder holds weights and requests while it is open.

    ``load`` are the users' modules that a worker has to import to know the cell's names.
    """

    load: Sequence[str] = ()
    _folder: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="suite-")
    )

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def speed(
        self,
        cell: Cell,
        base: Trained,
        technique: Trained,
        *,
        batch: int,
        training: bool,
        budget: Budget,
        processes: int,
        saturating: int | None = None,
    ) -> list[dict[str, Measurement]]:
        """The timed metrics of ``processes`` fresh quiet processes, one after the other."""
        request = {"task": "speed", "batch": batch, "training": training, "saturating": saturating}
        request |= {"budget": asdict(budget)}
        weights = self._save(base, technique)
        answers = [self._ask(cell, request | {"seed": 1000 + k}, weights) for k in range(processes)]
        return [_measurements(cell, answer["measurements"]) for answer in answers]

    def rss(self, cell: Cell, base: Trained, technique: Trained, *, batch: int) -> Measurement:
        """Rise of the peak resident set while serving, in a process with the default allocator."""
        answer = self._ask(cell, {"task": "rss", "batch": batch}, self._save(base, technique), default_allocator=True)
        return measured(cell, "peak_rss_rise", answer["rise"])

    def compile(
        self, cell: Cell, base: Trained, technique: Trained, *, batch: int, training: bool
    ) -> list[Measurement]:
        """Seconds of the first call with an empty and then with a filled compiler cache."""
        weights = self._save(base, technique)
        request = {"task": "compile", "batch": batch, "training": training}
        with tempfile.TemporaryDirectory(dir=self._folder.name, ignore_cleanup_errors=True) as cache:
            extra = {"TORCHINDUCTOR_CACHE_DIR": cache, "TRITON_CACHE_DIR": str(Path(cache) / "triton")}
            cold, warm = (self._ask(cell, request, weights, extra=extra)["first_call"] for _ in range(2))
        return [measured(cell, "compile_seconds_cold", cold), measured(cell, "compile_seconds_warm", warm)]

    def _save(self, base: Trained, technique: Trained) -> Path:
        path = Path(self._folder.name) / "weights.pt"
        splits = base.recipe.data()  # sent along: loading them again can cost more than the timing
        data = {part: (getattr(splits, part).inputs, getattr(splits, part).targets) for part in PARTS}
        weights = {"base": base.network.state_dict(), "technique": technique.network.state_dict()}
        torch.save({**weights, "data": data}, path)
        return path

    def _ask(
        self,
        cell: Cell,
        request: Mapping[str, Any],
        weights: Path,
        *,
        default_allocator: bool = False,
        extra: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        path = Path(self._folder.name) / "request.json"
        full = {**request, "cell": asdict(cell), "load": list(self.load), "weights": str(weights)}
        path.write_text(json.dumps(full), "utf-8")
        environment = quiet.environment(os.environ, threads=quiet.threads())
        environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)  # users' modules may need it
        if default_allocator:
            environment = quiet.default_environment(environment)
        with phase("fresh_process"), _reported_hanging(cell):
            done = subprocess.run(  # noqa: S603  # our own module
                [sys.executable, "-P", "-m", "suite.run.worker", str(path)],
                env={**environment, **(extra or {})}, capture_output=True, text=True, timeout=TIMEOUT, check=False,
            )  # fmt: skip
        answer = path.with_suffix(".answer")
        if done.returncode != 0 or not answer.exists():
            raise FreshProcessError(
                f"a fresh process for {cell} ended with {done.returncode}: {_last_line(done.stderr)}"
            )
        found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
        answer.unlink()
        return found


@contextmanager
def _reported_hanging(cell: Cell) -> Iterator[None]:
    try:
        yield
    except subprocess.TimeoutExpired as error:
        raise FreshProcessError(
            f"a fresh process for {cell} was ended after {error.timeout:g} s without an answer"
        ) from error


def replicated(own: Sequence[Measurement], processes: Sequence[Mapping[str, Measurement]]) -> list[Measurement]:
    """Each timed metric as the median over this process and the fresh ones, with ``s`` over processes as its noise.

    The interval is Student's t of the processes' medians: between processes a ratio of two networks moves by more
    than its interval within one.
    """
    return [_replicated(one, [p[one.metric] for p in processes if one.metric in p]) for one in own]


def _replicated(one: Measurement, others: Sequence[Measurement]) -> Measurement:
    values = [one.value, *(other.value for other in others)]
    if len(values) < 3:  # noqa: PLR2004  # a spread of two says nothing
        return one
    middle = median(values)
    low, high = mean_interval(values, 0.99)
    spread = (high - low) / 2
    suspects = [m.suspect for m in (one, *others) if m.suspect]
    return replace(
        one, value=middle, low=middle - spread, high=middle + spread, confidence=0.99, processes=len(values),
        noise=stdev(values) / abs(middle) if middle and math.isfinite(middle) else None,
        suspect=suspects[0] if suspects else None,
    )  # fmt: skip


def _measurements(cell: Cell, rows: Sequence[Mapping[str, Any]]) -> dict[str, Measurement]:
    return {row["metric"]: measured(cell, row["metric"], row["value"], **_details(row)) for row in rows}


def _details(row: Mapping[str, Any]) -> dict[str, Any]:
    details = {key: row[key] for key in ("low", "high", "n", "suspect")}
    return {**details, "confidence": 0.99 if row["low"] is not None else None}


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
