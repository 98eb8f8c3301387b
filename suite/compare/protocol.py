"""What a worker of one side is asked and answers: frozen records, each a line ``{"class": {"field": value}}`` of JSON.

Of the standard library alone: a worker loads this file of the driver's by its path, since its own side may have another
version of the suite, or no msgspec. So the records are declared once for both ends, and a field that is added to one
travels without another line of code. The driver checks every answer (`suite.compare.process.received`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, get_args


@dataclass(frozen=True, kw_only=True)
class SideRequest:
    """The cell that a worker builds. It writes ``outputs`` if it has to ``describe`` it, and loads ``weights``.

    A worker that describes its cell writes its data to ``data``, if it is named; any other one takes them from there.
    """

    workload: str
    technique: str
    device: str
    batch: int
    metrics: tuple[str, ...] = ()
    load: tuple[str, ...] = ()
    trains: bool = False
    describe: bool = False
    weights: str | None = None
    outputs: str = ""
    data: str = ""


@dataclass(frozen=True, kw_only=True)
class Build(SideRequest):
    """The file that a worker starts with: its cell, the ``folder`` of its files, and both sides' checkouts.

    ``paths`` come first on its import path; ``other_root`` is ``None`` where both sides are one checkout.
    """

    folder: str
    paths: tuple[str, ...]
    root: str
    other_root: str | None


@dataclass(frozen=True, kw_only=True)
class Ready:
    """What a worker says of its cell. It counts ``parameters`` and ``artefact_bytes`` only if it is to describe it."""

    own_weights: bool
    torch: str
    file: str
    forks: bool
    parameters: int | None = None
    artefact_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Begin:
    """Serve the network and make every metric's call, in a child if ``forked``; to be ``timed``, or counted."""

    forked: bool
    timed: bool = True


@dataclass(frozen=True, kw_only=True)
class Calibrate:
    """Say how many calls last ``least`` seconds."""

    metric: str
    least: float


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """So many calls, of so many ``seconds`` each."""

    calls: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Move:
    """Move the served tensors to other addresses."""

    metric: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Time so many calls."""

    metric: str
    calls: int


@dataclass(frozen=True, kw_only=True)
class TimedTurn:
    """Seconds of all calls of a turn, and whether another process had the core meanwhile."""

    seconds: float
    stolen: bool


@dataclass(frozen=True, kw_only=True)
class CountWork:
    """Count the work of one served batch, and of a ``training`` step."""

    training: bool


@dataclass(frozen=True, kw_only=True)
class WorkCounted:
    """By metric: the counts, what they are made of, and why one does not repeat. ``lines`` are those of the keys."""

    values: dict[str, int]
    fingerprints: dict[str, dict[str, int]]
    doubts: dict[str, str]
    lines: dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class CountInstructions:
    """Count the instructions of one call of each metric under callgrind.

    ``library`` has the requests to valgrind, which writes its files beside ``out``.
    """

    library: str
    out: str


@dataclass(frozen=True, kw_only=True)
class InstructionsCounted:
    """By metric, the files of the counts; ``failed`` says by metric why there are none."""

    dumps: dict[str, list[str]]
    failed: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class End:
    """End the child, if there is one."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What was asked for is done, and there is nothing to tell."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The side failed: its message, and the class of what it raised."""

    error: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An image (`suite.compare.preloaded`) has loaded torch, and whether forks are safe."""

    forks: bool


@dataclass(frozen=True, kw_only=True)
class Start:
    """Fork a worker for a ``request`` file, in the folder ``here``, whose import path begins with ``path``.

    With three files: standard input, output and errors.
    """

    request: str
    here: str
    path: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Started:
    """The worker's process."""

    pid: int


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Wait until a worker has ended."""

    pid: int


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Its exit code; negative for a signal."""

    code: int


Question = Begin | Calibrate | Move | Turn | CountWork | CountInstructions | End
QUESTIONS: dict[str, Any] = {kind.__name__: kind for kind in (Build, *get_args(Question), Start, Wait)}


def line(record: object) -> str:
    """A record as a line, without its end."""
    return json.dumps({type(record).__name__: vars(record)})


def parts(text: str | bytes) -> tuple[str, dict[str, Any]]:
    """Class and fields of a record. Raises `ValueError` for what is none."""
    ((name, fields),) = json.loads(text).items()
    return name, {field: tuple(value) if isinstance(value, list) else value for field, value in fields.items()}


def question(text: str | bytes) -> Any:
    """What the driver asked. It sends what this file declares, so nothing but names is checked."""
    name, fields = parts(text)
    return QUESTIONS[name](**fields)
