"""What a page shows of one run: its records and the rows of its trade-off table, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suite.core.composition import BASELINE, parse
from suite.core.errors import CompositionError
from suite.core.records import CellFailure, Expectation, Measurement, RunHeader, Verdict
from suite.report.columns import Row
from suite.report.endings import exit_problem, run_end, unfinished
from suite.report.frames import PLAIN, records, tidy
from suite.report.results.folder import RunFolder
from suite.report.same_seeds import same_seeds
from suite.report.sweeps import SweepBlock, blocks
from suite.report.tradeoffs import tradeoffs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

UNKNOWN = "unknown"  # family and runtime in runs of versions that did not store them
EAGER = "eager"


@dataclass(frozen=True, slots=True)
class JudgedMeasurement:
    """A measurement of a run with its verdict; ``label`` names the run on the page."""

    run: RunContent
    label: str
    measurement: Measurement
    verdict: Verdict | None

    @property
    def stored(self) -> Expectation | None:
        return None if self.verdict is None else self.verdict.expectation


@dataclass(frozen=True, kw_only=True)
class RunContent:
    """A run's records as its folder holds them, the trade-off ``rows`` (one a cell) and its ``sweeps``.

    ``code`` is the exit code, ``None`` while none is decided. ``problem`` says why the run is no pass as a whole: how
    much of it is missing, or its exit code; it is empty for whole runs without a bad one. ``prices`` says where the
    prices of its costs come from, empty without any.
    """

    folder: RunFolder
    measurements: tuple[Measurement, ...]
    verdicts: tuple[Verdict, ...]
    failures: tuple[CellFailure, ...]
    rows: list[Row]
    sweeps: list[SweepBlock]
    problem: str = ""
    code: int | None = None
    prices: str = ""

    @classmethod
    def read(cls, folder: RunFolder, table: pd.DataFrame | None = None) -> RunContent:
        """Of a folder; ``table`` is its trade-off table if it is known already. Raises `ResultsError`."""
        measurements, verdicts = folder.measurements(), folder.verdicts()
        if table is None:
            frame = tidy(folder.header, same_seeds(measurements), verdicts)
            table = tradeoffs(frame, folder.header.scores)
        end = run_end(folder)
        code = None if end is None else end.code
        return cls(
            folder=folder, measurements=measurements, verdicts=verdicts, failures=folder.failures(),
            rows=records(table), sweeps=blocks(table), code=code, prices=table.attrs.get("prices", ""),
            problem=unfinished(folder) or ("" if code is None else exit_problem(code)),
        )  # fmt: skip

    @property
    def header(self) -> RunHeader:
        return self.folder.header

    @property
    def machine(self) -> str:
        return self.header.where.machine

    def judged(self, label: str) -> Iterator[JudgedMeasurement]:
        """All measurements in their order, each with its own verdict (that of a sweep's shape is none of them)."""
        verdicts = {(verdict.cell, verdict.metric): verdict for verdict in self.verdicts if verdict.shape is None}
        for measurement in self.measurements:
            yield JudgedMeasurement(self, label, measurement, verdicts.get((measurement.cell, measurement.metric)))

    def precision(self, composition: str) -> str:
        """What a composition computes in."""
        return self.header.precisions.get(composition, PLAIN)

    def family(self, composition: str) -> str:
        """The kinds of technique of a composition's members, each once, in their order."""
        known = self.header.families
        kinds = dict.fromkeys(known.get(name, UNKNOWN) for name in members(composition) if name != BASELINE)
        return "+".join(kinds) or BASELINE

    def runtime(self, composition: str) -> str:
        """The member that runs the served network, `EAGER` where torch does."""
        if not self.header.families:
            return UNKNOWN
        return next((name for name in members(composition) if name in self.header.runtimes), EAGER)


def members(composition: str) -> list[str]:
    """The names of a composition's techniques; a text that is no composition is its own name."""
    try:
        return [member.name for member in parse(composition)]
    except CompositionError:
        return [composition]


def labels(runs: Iterable[RunContent]) -> list[str]:
    """A name for each run: its machine, with the run and a number as far as that is not unique."""
    given = list(runs)
    names = [run.machine for run in given]
    names = [
        f"{name}, {run.header.run}" if names.count(name) > 1 else name for name, run in zip(names, given, strict=True)
    ]
    return [f"{name} ({1 + names[:k].count(name)})" if names.count(name) > 1 else name for k, name in enumerate(names)]


def labelled(runs: Sequence[RunContent]) -> list[tuple[RunContent, str]]:
    """Each run with its name."""
    return list(zip(runs, labels(runs), strict=True))
