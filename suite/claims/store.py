"""A judged ledger as a small file: what one machine found, to be kept in the repository and merged with others'."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from suite.claims.claim import Standing
from suite.claims.judging import Finding
from suite.core import files
from suite.core.errors import ResultsError
from suite.core.records import Where

NAME = "claims.json"
SCHEMA = 1
DIGITS = 7  # of a stored figure


@dataclass(frozen=True, kw_only=True)
class StoredFinding:
    """A claim's standing on one machine. ``used`` maps what it rests on to value, low and high, ``parts``
    each part to its truth.
    """

    name: str
    standing: Standing
    digest: str
    reason: str = ""
    figure: float | None = None
    degree: float | None = None
    used: Mapping[str, tuple[float | None, float | None, float | None]] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class JudgedLedger:
    """The findings of one machine, and the run that they rest on (empty where nothing was measured).

    ``features`` are the instruction sets and devices that conditions may name. ``hindsight``: the run is older than the
    lock, so the claims were fixed when its results could be known.
    """

    schema: int
    machine: str
    family: str
    commit: str | None
    versions: Mapping[str, str]
    features: tuple[str, ...]
    run: str
    started: str
    findings: tuple[StoredFinding, ...]
    hindsight: bool = False

    @classmethod
    def read(cls, path: Path) -> JudgedLedger:
        """Of a file, or of the folder that holds it. Raises `ResultsError` with the remedy."""
        file = path / NAME if path.is_dir() else path
        try:
            found = msgspec.json.decode(file.read_bytes(), type=cls)
        except FileNotFoundError:
            raise ResultsError(f"{file} does not exist; `suite claims run` writes it") from None
        except (msgspec.DecodeError, OSError) as error:
            raise ResultsError(f"{file} is no judged ledger: {error}; run `suite claims run` again") from error
        if found.schema != SCHEMA:
            raise ResultsError(f"{file} has schema {found.schema}, known is {SCHEMA}: run `suite claims run` again")
        return found

    def lost_in(self, new: JudgedLedger) -> list[str]:
        """The claims that ``new`` lacks, or has not tested though this ledger has: it must not take its place."""
        tests = {one.name: one.standing is not Standing.NOT_TESTABLE for one in new.findings}
        return [
            one.name for one in self.findings
            if one.name not in tests or (one.standing is not Standing.NOT_TESTABLE and not tests[one.name])
        ]  # fmt: skip

    def write(self, folder: Path) -> Path:
        """Replace ``claims.json`` in a folder at once."""
        folder.mkdir(parents=True, exist_ok=True)
        plain = msgspec.to_builtins(self)
        files.replace_file(folder / NAME, (json.dumps(plain, indent=1, ensure_ascii=False) + "\n").encode())
        return folder / NAME


def why_not_replaced(folder: Path, new: JudgedLedger) -> str:
    """Why ``new`` must not be written into a folder: what is there says more. Empty where it may.

    A file that cannot be read says nothing.
    """
    try:
        old = JudgedLedger.read(folder)
    except ResultsError:
        return ""
    if old.machine != new.machine:
        return f"{folder / NAME} holds the claims of another machine, {old.machine}"
    lost = old.lost_in(new)
    what = "is a claim" if len(lost) == 1 else f"and {len(lost) - 1} more are claims"
    return f"{lost[0]} {what} of {folder / NAME} that this judgement lacks or did not test" if lost else ""


def judged(
    findings: Iterable[Finding],
    where: Where,
    *,
    features: Iterable[str],
    commit: str | None,
    run: str,
    started: str,
    hindsight: bool = False,
) -> JudgedLedger:
    """The ledger as it is kept."""
    return JudgedLedger(
        schema=SCHEMA,
        machine=where.machine,
        family=where.family,
        commit=commit,
        versions=dict(where.versions),
        features=tuple(sorted(features)),
        run=run,
        started=started,
        findings=tuple(map(_stored, findings)),
        hindsight=hindsight,
    )


def _stored(found: Finding) -> StoredFinding:
    return StoredFinding(
        name=found.claim.name,
        standing=found.standing,
        digest=found.claim.digest,
        reason=found.reason,
        figure=_short(found.figure),
        degree=_short(found.degree),
        parts={part.name: part.truth.name.lower() for part in found.parts},
        used={
            f"{one.cell.workload}/{one.cell.technique} {one.metric}": (
                _short(one.value), _short(one.low), _short(one.high)
            )
            for one in found.used
        },
    )  # fmt: skip


def _short(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")
