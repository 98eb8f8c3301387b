"""Measurements in fresh processes: what one process cannot know about itself."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, stdev

import msgspec

from suite.bench.resolved_cell import Case
from suite.bench.workers.payload import Parcels
from suite.bench.workers.protocol import (
    FirstCall,
    Instructions,
    ResidentSet,
    Sent,
    Speed,
    Task,
    WorkerAnswer,
    WorkerRequest,
)
from suite.core.errors import SuiteError
from suite.core.machine import flags, quiet
from suite.core.metrics import measured
from suite.core.phases import phase
from suite.core.records import Measurement
from suite.core.stats.intervals import mean_interval
from suite.core.transport import from_line, to_line
from suite.measure import counts
from suite.measure.counting import instructions
from suite.measure.integrity.outputs import Judged
from suite.training.loop import Trained

TIMEOUT = 1800.0  # seconds; a hung compiler must not hang a gate
RSS_SPREAD = 0.35  # the same network rises by 21.6 MB in some processes and by 27.1 in others, in runs of either
APART = 1.5  # times: a ratio of one process over that of another, from which on they did not measure the same thing
LEAST_PROCESSES = 3  # a spread of two says nothing


class FreshProcessError(SuiteError):
    """A worker process ended without an answer."""


@dataclass(kw_only=True)
class Workers:
    """Starts worker processes for one case after the other; its folder holds what they are sent until it is closed.

    ``load`` are the users' modules that a worker has to import to know the case's names. ``starting`` is called before
    each process starts, with its number and what it measures.
    """

    load: Sequence[str] = ()
    starting: Callable[[str], None] = lambda _what: None
    _folder: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="suite-")
    )
    _parcels: Parcels = field(init=False)

    def __post_init__(self) -> None:
        self._parcels = Parcels(folder=Path(self._folder.name))

    def close(self) -> None:
        """Remove what was sent."""
        self._folder.cleanup()

    def forget(self, workload: str | None) -> None:
        """Let go of all networks but the baseline of ``workload``; what was written of them stays."""
        self._parcels.forget(workload)

    def speed(
        self,
        case: Case,
        base: Trained,
        technique: Trained,
        task: Speed,
        *,
        processes: int,
        judged: Mapping[str, Judged] | None = None,
    ) -> list[dict[str, Measurement]]:
        """The timed metrics of a task, in ``processes`` fresh quiet processes, one after the other.

        Each has a seed of its own, from the task's upwards. Their timed calls have to agree with ``judged``, as this
        process's have.
        """
        sent = self._parcels.of(case, base, technique, judged)
        turns = self._announced("speed", processes)
        answers = [self._ask(case, msgspec.structs.replace(task, seed=task.seed + turn), sent) for turn in turns]
        kept_nowhere = [[replace(found, samples=None) for found in answer.measurements] for answer in answers]
        return [{found.metric: found for found in measurements} for measurements in kept_nowhere]

    def rss(self, case: Case, base: Trained, technique: Trained, *, processes: int) -> Measurement:
        """Rise of the peak resident set while serving, the median of ``processes`` with the default allocator.

        Where a block lands is that allocator's business: one process in several holds more.
        """
        sent = self._parcels.of(case, base, technique)
        turns = self._announced("resident set", processes)
        rises = [self._ask(case, ResidentSet(), sent, default_allocator=True).value for _ in turns]
        middle = median(rises)
        spread = stdev(rises) / middle if middle and processes >= LEAST_PROCESSES else None
        return measured(
            case.cell, "peak_rss_rise", middle, conditions={"batch": case.batch}, processes=processes, noise=spread,
            margin=RSS_SPREAD * middle,
        )  # fmt: skip

    def compile(self, case: Case, base: Trained, technique: Trained) -> list[Measurement]:
        """Seconds of the first call with an empty and then with a filled compiler cache."""
        sent = self._parcels.of(case, base, technique)
        with tempfile.TemporaryDirectory(dir=self._folder.name, ignore_cleanup_errors=True) as cache:
            extra = {"TORCHINDUCTOR_CACHE_DIR": cache, "TRITON_CACHE_DIR": str(Path(cache) / "triton")}
            turns = self._announced("first call", 2)
            cold, warm = (self._ask(case, FirstCall(), sent, extra=extra).value for _ in turns)
        return [
            measured(case.cell, "compile_seconds_cold", cold, conditions={"batch": case.batch}),
            measured(case.cell, "compile_seconds_warm", warm, conditions={"batch": case.batch}),
        ]

    def instructions(self, case: Case, base: Trained, technique: Trained, *, training: bool) -> list[Measurement]:
        """Instructions of served calls and of a ``training`` step. Raises `UnavailableError` without valgrind."""
        sent = self._parcels.of(case, base, technique)
        with tempfile.TemporaryDirectory(dir=self._folder.name) as name:
            folder = Path(name)
            out = folder / "callgrind"
            task = Instructions(library=str(instructions.library(folder)), out=str(out), training=training)
            self.starting("instructions under valgrind")
            answer = self._ask(case, task, sent, under=instructions.command(out), extra=instructions.VARIABLES)
            return counts.instructions_of(case.cell, answer.dumps, case.batch)

    def _announced(self, what: str, processes: int) -> Iterator[int]:
        """The numbers from 0 of so many processes, each said before it starts."""
        for turn in range(processes):
            self.starting(f"{what}, fresh process {turn + 1} of {processes}")
            yield turn

    def _ask(
        self,
        case: Case,
        task: Task,
        sent: Sent,
        *,
        default_allocator: bool = False,
        extra: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
    ) -> WorkerAnswer:
        path = Path(self._folder.name) / "request"
        settings = {name: value for name, value in flags.read().items() if name != "threads"}  # its environment's
        request = WorkerRequest(
            task=task, cell=case.cell, sent=sent, items=case.items, load=tuple(self.load), flags=settings
        )  # fmt: skip
        path.write_text(to_line(request), "utf-8")
        environment = self._environment(case, default_allocator=default_allocator)
        with phase("fresh_process"), _reported_hanging(case):
            done = subprocess.run(  # noqa: S603  # our own module
                [*under, sys.executable, "-P", "-m", "suite.bench.workers.worker", str(path)],
                env={**environment, **(extra or {})}, capture_output=True, text=True, timeout=TIMEOUT, check=False,
            )  # fmt: skip
        answer = path.with_suffix(".answer")
        if done.returncode != 0 or not answer.exists():
            raise FreshProcessError(
                f"a fresh process for {case} ended with {done.returncode}: {_last_line(done.stderr)}"
            )
        found = from_line(answer.read_text("utf-8"), WorkerAnswer)
        answer.unlink()
        return found

    def _environment(self, case: Case, *, default_allocator: bool) -> dict[str, str]:
        accelerator = not case.cell.device.startswith("cpu")
        environment = quiet.environment(os.environ, threads=quiet.threads(), accelerator=accelerator)
        environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)  # users' modules may need it
        return quiet.default_environment(environment) if default_allocator else environment


@contextmanager
def _reported_hanging(case: Case) -> Iterator[None]:
    try:
        yield
    except subprocess.TimeoutExpired as error:
        raise FreshProcessError(
            f"a fresh process for {case} was ended after {error.timeout:g} s without an answer"
        ) from error


def replicated(own: Sequence[Measurement], processes: Sequence[Mapping[str, Measurement]]) -> list[Measurement]:
    """Each timed metric as the mean over this process and the fresh ones, with ``s`` over processes as its noise.

    The interval is Student's t of the processes' medians: between processes a ratio of two networks moves by more
    than its interval within one. Ratios are averaged as logarithms: no bound of one is negative. Processes that differ
    by more than half are suspect. A process under other conditions (threads, batch) measured something else; whether
    one of them took a cell for launch-bound makes no other machine of it.
    """
    return [_replicated(one, list(_alike(one, processes))) for one in own]


def _alike(one: Measurement, processes: Sequence[Mapping[str, Measurement]]) -> Iterator[Measurement]:
    found = (process[one.metric] for process in processes if one.metric in process)
    return (other for other in found if _own(other.conditions) == _own(one.conditions))


def _own(conditions: Mapping[str, int | str]) -> dict[str, int | str]:
    """Conditions but for the host, the same one in all processes of a run."""
    return {name: value for name, value in conditions.items() if name != "host"}


def _replicated(one: Measurement, others: Sequence[Measurement]) -> Measurement:
    values = [one.value, *(other.value for other in others)]
    if len(values) < LEAST_PROCESSES or not all(math.isfinite(value) for value in values):
        return one
    suspects = [m.suspect for m in (one, *others) if m.suspect]
    middle, low, high, noise = _mean_of(values)
    doubts = [suspects[0]] if len(suspects) > len(values) / 2 else []
    if min(values) > 0 and max(values) / min(values) > APART:
        doubts.append(f"processes of the same cell differ: {min(values):.3g} to {max(values):.3g}")
    return replace(
        one, value=middle, low=low, high=high, confidence=0.99, processes=len(values), noise=noise,
        suspect="; ".join(doubts) or None,
    )  # fmt: skip


def _mean_of(values: Sequence[float]) -> tuple[float, float, float, float | None]:
    """Mean, its 99 % interval, and the relative standard deviation; of logarithms, where all values are positive."""
    if min(values) > 0:
        logs = [math.log(value) for value in values]
        low, high = mean_interval(logs, 0.99)
        return math.exp((low + high) / 2), math.exp(low), math.exp(high), stdev(logs)
    low, high = mean_interval(values, 0.99)
    middle = (low + high) / 2
    return middle, low, high, stdev(values) / abs(middle) if middle else None


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
