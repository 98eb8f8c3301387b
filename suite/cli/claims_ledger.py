"""What the commands of ``suite claims`` share: the ledger that is asked for, its locks, and figures as evidence."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.command import load_everything
from suite.core.errors import UsageError, unknown

if TYPE_CHECKING:
    from suite.claims.claim import Claim
    from suite.claims.elsewhere import Elsewhere
    from suite.claims.evidence import ClaimEvidence
    from suite.claims.judging import Finding
    from suite.claims.lock import ClaimsLock
    from suite.core.records import Measurement, RunHeader, Where
    from suite.report.results.folder import RunFolder

PLAIN_WIDTH = 160  # characters, where the output is no terminal


def ledger_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which claims are meant."""
    option = parser.add_argument
    option("--ledger", action="append", type=Path, default=[], help="a ledger's file or folder (default: all)")
    option("--load", action="append", default=[], help="module or .py file to load (repeatable)")


def ledger_of(parsed: argparse.Namespace) -> tuple[Claim, ...]:
    """The claims that the options mean."""
    return claims_of(parsed.ledger, parsed.load)


def claims_of(ledgers: Sequence[Path] = (), load: Sequence[str] = ()) -> tuple[Claim, ...]:
    """The claims of the given files, or the suite's own and those of the repository's ``claims`` folder.

    ``load`` are modules of the user. Raises `UsageError` where there is no claim.
    """
    from suite.claims.ledger import read_ledger
    from suite.registry.settings import found_expect_dir

    load_everything(load)
    given = ledgers or [found_expect_dir() / "claims", Path("claims")]
    paths = [path for folder in given for path in (sorted(folder.glob("*.toml")) if folder.is_dir() else [folder])]
    found = [path for path in paths if path.exists() or path in ledgers]
    if not found:
        raise UsageError(
            "no claims: neither expectations/claims nor claims holds a .toml file; see `suite claims init`"
        )
    return read_ledger(found)


def chosen_claims(claims: Sequence[Claim], names: Sequence[str]) -> tuple[Claim, ...]:
    """Those of the ``names``, or all. Raises `UsageError` for a name that no claim has."""
    known = {claim.name: claim for claim in claims}
    for name in names:
        if name not in known:
            raise unknown("claim", name, known)
    return tuple(known[name] for name in dict.fromkeys(names)) if names else tuple(claims)


def doubts_of(claims: Sequence[Claim], started: str, *, hindsight: bool = False) -> dict[str, str]:
    """By name, why a run that ``started`` then (ISO) is no evidence of a claim."""
    doubts: dict[str, str] = {}
    for _, lock, own in locks_of(claims):
        doubts |= lock.doubts(own, started, hindsight=hindsight)
    return doubts


def locks_of(claims: Sequence[Claim]) -> Iterator[tuple[Path, ClaimsLock, list[Claim]]]:
    """Each lock of some claims, with its file and those that it locks: it lies beside their ledger."""
    from suite.claims.lock import NAME, ClaimsLock

    by_path: dict[Path, list[Claim]] = {}
    for claim in claims:
        by_path.setdefault(Path(claim.path).with_name(NAME), []).append(claim)
    for path, own in by_path.items():
        yield path, ClaimsLock.read(path), own


def say(text: str) -> None:
    """A line, shown at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_findings(findings: Sequence[Finding]) -> None:
    """The table by verdict, as wide as the terminal."""
    from suite.claims import tables

    for line in tables.terminal(findings, shutil.get_terminal_size((PLAIN_WIDTH, 0)).columns):
        say(line)


def write_tables(findings: Sequence[Finding], heading: str, folder: Path) -> None:
    """Write ``claims.md`` and ``claims.csv``."""
    from suite.claims import tables
    from suite.core import files

    files.replace_file(folder / "claims.md", tables.markdown(findings, heading).encode())
    files.replace_file(folder / "claims.csv", tables.comma_separated(findings).encode())


def started_of(headers: Iterable[RunHeader]) -> str:
    """When the first of some runs started (ISO); empty without any."""
    return min((header.started for header in headers), default="")


def evidence_of(folders: Sequence[Path], *, quick: bool) -> tuple[ClaimEvidence, list[RunHeader]]:
    """The figures of some results folders of this machine, and the headers of their runs."""
    from suite.report.results.folder import RunFolder

    runs = [RunFolder.open(path) for path in folders]
    measurements = [one for run in runs for one in run.measurements()]
    return _evidence(runs, measurements, quick=quick), [run.header for run in runs]


def stored_evidence(runs: Sequence[RunFolder], *, quick: bool = False) -> tuple[ClaimEvidence, Where]:
    """The figures of runs of one machine, which may be another one: nothing of this one is evidence of it then.

    Tells what results of an earlier version call otherwise. Raises `UsageError` for runs of two machines.
    """
    from suite.claims.elsewhere import Elsewhere, place_of, understood
    from suite.core.machine.hardware import machine_key

    place = place_of({run.header.run: run.header.where for run in runs})
    measurements, said = understood([one for run in runs for one in run.measurements()])
    for line in said.values():
        say(f"older results: {line}")
    own = place.machine == machine_key("cpu")
    elsewhere = None if own else Elsewhere(machine=place.machine, family=place.family)
    return _evidence(runs, measurements, quick=quick, elsewhere=elsewhere), place


def _evidence(
    runs: Sequence[RunFolder], measurements: Sequence[Measurement], *, quick: bool, elsewhere: Elsewhere | None = None
) -> ClaimEvidence:
    from suite.claims.evidence import ClaimEvidence

    failures = [one for run in runs for one in run.failures()]
    return ClaimEvidence.of(measurements, failures, canonical=spelled, quick=quick, elsewhere=elsewhere)


def spelled(technique: str) -> str:
    """A composition as results spell it."""
    from suite.registry import REGISTRY

    return REGISTRY.resolve(technique).name
