"""``suite claims judge``: the ledger of another machine, from the results that it left."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.claims_ledger import (
    doubts_of,
    ledger_of,
    ledger_options,
    locks_of,
    say,
    say_findings,
    started_of,
    stored_evidence,
    write_tables,
)
from suite.core.errors import UsageError

if TYPE_CHECKING:
    from suite.claims.judging import Finding
    from suite.claims.store import JudgedLedger
    from suite.core.records import Where
    from suite.report.results.folder import RunFolder


def add(parser: argparse.ArgumentParser) -> None:
    """Options of ``suite claims judge``."""
    option = parser.add_argument
    option("folders", nargs="+", type=Path, metavar="RESULTS", help="results folders of one machine")
    ledger_options(parser)
    option("--out", type=Path, help="folder of claims.md, claims.csv, claims.json (default reports/claims/<machine>)")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Judge the claims that name cells; nothing that is computed here is evidence of another machine."""
    from suite.claims import tables
    from suite.claims.judging import judge
    from suite.claims.verdicts import exit_code
    from suite.report.results.folder import RunFolder

    runs = [RunFolder.open(path) for path in parsed.folders]
    evidence, place = stored_evidence(runs)
    everything = ledger_of(parsed)
    claims = [claim for claim in everything if claim.texts]
    started = started_of(run.header for run in runs)
    findings = judge(claims, evidence, place.levels, doubts_of(claims, started, hindsight=True))
    ledger = _kept(findings, runs, place, started)
    heading = f"{_heading(ledger)} {len(everything) - len(claims)} claims without cells are left out."
    say_findings(findings)
    say(f"{heading}\nclaims: {tables.counts(findings)}")
    _write(ledger, findings, heading, parsed.out or Path("reports") / "claims" / place.machine)
    return exit_code(findings)


def _kept(findings: Sequence[Finding], runs: Sequence[RunFolder], place: Where, started: str) -> JudgedLedger:
    from suite.claims import store
    from suite.claims.elsewhere import Elsewhere

    hindsight = any(lock.is_hindsight(own, started) for _, lock, own in locks_of([one.claim for one in findings]))
    commits = {run.header.commit for run in runs}
    return store.judged(
        findings, place, features=Elsewhere(machine=place.machine, family=place.family).features,
        commit=commits.pop() if len(commits) == 1 else None, run=" ".join(run.header.run for run in runs),
        started=started, hindsight=hindsight,
    )  # fmt: skip


def _heading(ledger: JudgedLedger) -> str:
    """Where, with what, when; and whether the claims were locked before."""
    versions = ", ".join(f"{name} {version}" for name, version in ledger.versions.items())
    late = " The claims were locked later: judged in hindsight." if ledger.hindsight else ""
    return f"Measured on {ledger.machine}, {versions}, at commit {ledger.commit}, {ledger.started}.{late}"


def _write(ledger: JudgedLedger, findings: Sequence[Finding], heading: str, folder: Path) -> None:
    from suite.claims.store import why_not_replaced

    if refused := why_not_replaced(folder, ledger):
        raise UsageError(f"{refused}: it would be lost; choose another folder with --out")
    path = ledger.write(folder)
    write_tables(findings, heading, folder)
    say(f"written: {path}, claims.md, claims.csv")
