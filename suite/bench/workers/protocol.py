"""Requests to a worker process and its answers: frozen records, sent by `suite.core.transport`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from suite.bench.resolved_cell import Part
from suite.core.records import Cell, Measurement
from suite.measure.speed import SamplingBudget

FIRST_SEED = 1000  # of the order of turns in fresh processes; a run's own process has those from 0


class Speed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Time a cell. ``bounds`` are what its ratios are to be told from, by metric."""

    budget: SamplingBudget
    seed: int
    parts: tuple[Part, ...]
    bounds: Mapping[str, tuple[float, ...]] = {}
    saturating: int | None = None


class ResidentSet(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The rise of the peak resident set while a batch is served, in bytes."""


class FirstCall(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The seconds of the first call, which compiles."""


class Instructions(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Count the instructions of served calls and of a ``training`` step, under valgrind.

    ``library`` has the requests to valgrind, which writes its files beside ``out``.
    """

    library: str
    out: str
    training: bool


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of pickled files: the finished networks, the data, and the outputs that timed calls have to agree with."""

    base: str
    technique: str
    data: str
    judged: str | None = None


Task = Speed | ResidentSet | FirstCall | Instructions


class WorkerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One task for one cell. ``items`` are those of a served batch, if it is not the workload's own."""

    task: Task
    cell: Cell
    sent: Sent
    items: int | None = None
    load: tuple[str, ...] = ()
    flags: Mapping[str, int | str] = {}


class WorkerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements of a `Speed` task, files by metric of `Instructions`, or the one ``value`` of the others."""

    measurements: tuple[Measurement, ...] = ()
    value: float = 0.0
    dumps: Mapping[str, tuple[str, ...]] = {}
