"""``suite claims``: run, list, show, lock, judge, audit, stability, merge, init."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli import claims_audit, claims_judge, claims_stability
from suite.cli.claims_ledger import (
    chosen_claims,
    doubts_of,
    evidence_of,
    ledger_of,
    ledger_options,
    locks_of,
    say,
    say_findings,
    started_of,
    write_tables,
)
from suite.cli.command import INVESTIGATE, Command, add_commands, load_everything
from suite.core.command_line import Parser
from suite.core.errors import UsageError
from suite.core.exit_codes import EXIT_INTERRUPTED, EXIT_PASS

if TYPE_CHECKING:
    from suite.claims.claim import Claim
    from suite.claims.judging import Finding
    from suite.core.records import RunHeader

SEEDS = 5
OUT = Path("reports") / "claims"


def add(parser: Parser) -> None:
    """Give the parser of ``suite claims`` its subcommands."""
    parser.description = "The ledger of claims: what the literature and you say, and what holds on this machine."
    add_commands(parser, "claims", SUBCOMMANDS)


def _add_run(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("names", nargs="*", metavar="CLAIM", help="these claims only, such as M-07 (default: all)")
    ledger_options(parser)
    option("--quick", action="store_true", help="mathematics, code and counts only: nothing is trained or timed")
    option("--results", action="append", type=Path, default=[], help="take this run's figures instead of measuring")
    option("--seeds", type=int, default=SEEDS, help=f"trainings of each cell (default {SEEDS})")
    option("--device", default="cpu", help="cpu, gpu, cuda:1, xpu, mps (default cpu)")
    option("--out", type=Path, default=OUT, help=f"folder of claims.md, claims.csv, claims.json (default {OUT})")
    option("--reports-dir", type=Path, default=Path("reports"), help="where measurements are written")
    parser.set_defaults(run=_run)


def _add_list(parser: argparse.ArgumentParser) -> None:
    ledger_options(parser)
    parser.set_defaults(run=_list)


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="CLAIM")
    ledger_options(parser)
    parser.add_argument("--results", action="append", type=Path, default=[], help="a results folder as evidence")
    parser.add_argument("--counterexample", action="store_true", help="run its counter-example, too")
    parser.set_defaults(run=_show)


def _add_lock(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="CLAIM", help="these claims only; those that were edited need it")
    ledger_options(parser)
    parser.set_defaults(run=_lock)


def _add_merge(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("folders", nargs="+", type=Path, metavar="FOLDER", help="folders with a claims.json, one for each machine")
    ledger_options(parser)
    option("--out", type=Path, help="write matrix.md and matrix.csv here")
    parser.set_defaults(run=_merge)


def _add_init(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("name", metavar="CLAIM", help="its identifier, such as OURS-1")
    option("--statement", required=True, help="what is claimed, in one sentence")
    option("--workload", required=True, help="the workload that it is about")
    option("--technique", required=True, help="the technique or composition that it is about")
    option("--metric", required=True, help="the metric that decides, such as speedup or accuracy_vs_control")
    option("--at-least", type=float, help="it holds from this value on")
    option("--at-most", type=float, help="it holds up to this value")
    option("--load", action="append", default=[], help="module or .py file to load (repeatable)")
    option("--file", type=Path, default=Path("claims") / "ours.toml", help="default claims/ours.toml")
    parser.set_defaults(run=_init)


def _run(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Measure, judge, print the table, write the files."""
    from suite.claims import measuring, tables
    from suite.claims.verdicts import exit_code

    chosen = chosen_claims(ledger_of(parsed), parsed.names)
    folders = list(parsed.results)
    if not parsed.quick and not folders:
        options = [f"--seeds={parsed.seeds}", f"--device={parsed.device}", *(f"--load={name}" for name in parsed.load)]
        try:
            folders = measuring.measure(chosen, options, parsed.reports_dir, say)
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
    findings, headers = _judged(chosen, folders, parsed)
    say_findings(findings)
    say(f"claims: {tables.counts(findings)}")
    _write(findings, headers, parsed)
    _tell_github(findings)
    return exit_code(findings)


def _judged(
    claims: Sequence[Claim], folders: Sequence[Path], parsed: argparse.Namespace, *, quick: bool | None = None
) -> tuple[tuple[Finding, ...], list[RunHeader]]:
    """The findings on this machine, and the headers of the runs that they rest on."""
    from suite.claims import isolated
    from suite.claims.claim import ClaimKind
    from suite.claims.judging import judge
    from suite.core.machine.hardware import where

    if any(claim.kind is ClaimKind.CODE for claim in claims):
        isolated.start()
    evidence, headers = evidence_of(folders, quick=parsed.quick if quick is None else quick)
    place = where(getattr(parsed, "device", "cpu"))
    for header in headers:
        if header.where.machine != place.machine:
            raise UsageError(
                f"the results of {header.run} are from {header.where.machine}, and this is {place.machine}: judge them "
                "by `suite claims judge`, then `suite claims merge`"
            )
    return judge(claims, evidence, place.levels, doubts_of(claims, started_of(headers))), headers


def _write(findings: Sequence[Finding], headers: Sequence[RunHeader], parsed: argparse.Namespace) -> None:
    from suite.claims import store
    from suite.claims.facts.machine import features
    from suite.claims.verdicts import verdict
    from suite.core import files
    from suite.core.machine.hardware import git_commit, where
    from suite.report.comment import CommentPart, comment

    place = headers[0].where if headers else where(parsed.device)
    run = " ".join(header.run for header in headers)
    kept = store.judged(
        findings, place, features=features(), commit=git_commit(Path.cwd()), run=run, started=started_of(headers)
    )  # fmt: skip
    if refused := store.why_not_replaced(parsed.out, kept):
        say(f"not written: {refused}; write it elsewhere with --out, or remove the old one")
        return
    path = kept.write(parsed.out)
    versions = ", ".join(f"{name} {version}" for name, version in place.versions.items())
    heading = f"Judged on {place.machine}, {versions}."
    write_tables(findings, heading, parsed.out)
    part = CommentPart(about=heading, verdicts=[verdict(found) for found in findings])
    files.replace_file(parsed.out / "comment.md", comment([part], subject="claims").encode())
    say(f"written: {path}, claims.md, claims.csv, comment.md")


def _tell_github(findings: Sequence[Finding]) -> None:
    """Annotations and a step summary where GitHub runs it."""
    from suite.claims import tables
    from suite.claims.verdicts import FAILING, verdict
    from suite.report import github

    if not github.here(os.environ):
        return
    verdicts = [verdict(found) for found in findings]
    for line in github.commands(verdicts, fails=lambda one: one.kind in FAILING, root=Path.cwd()):
        say(line)
    if path := github.step_summary(os.environ):
        github.append(tables.markdown(findings, "`suite claims run`"), path)


def _list(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    for claim in ledger_of(parsed):
        say(f"{claim.name:<10} {claim.kind:<12} {claim.source:<28} {claim.statement}")
    return EXIT_PASS


def _show(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    from suite.claims import tables

    (claim,) = chosen_claims(ledger_of(parsed), [parsed.name])
    findings, _headers = _judged([claim], parsed.results, parsed, quick=not parsed.results)
    for line in tables.page(findings[0]):
        say(line)
    techniques = " ".join(f"'{cell}'" for cell in claim.texts)
    say(f"  again: suite claims run {claim.name}" + (f"  (measures {techniques})" if techniques else ""))
    return _counterexample(claim) if parsed.counterexample else EXIT_PASS


def _counterexample(claim: Claim) -> int:
    import subprocess

    if not claim.counterexample:
        raise UsageError(f"{claim.name} has no counter-example")
    return subprocess.run([sys.executable, "-P", "-c", claim.counterexample], check=False).returncode  # noqa: S603


def _lock(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Lock what is new; what was edited only if it is named."""
    claims = ledger_of(parsed)
    named = {claim.name for claim in chosen_claims(claims, parsed.names)} if parsed.names else set()
    for path, lock, own in locks_of(claims):
        fresh = [claim for claim in own if claim.name in named or claim.name not in lock.claims]
        edited = [
            claim.name for claim in own
            if claim not in fresh and lock.claims[claim.name].digest != claim.digest
        ]  # fmt: skip
        lock.with_locked(fresh).write(path)
        say(f"{path}: {len(fresh)} locked")
        for name in edited:
            say(f"{name} was edited since it was locked; `suite claims lock {name}` accepts it as an amendment")
    return EXIT_PASS


def _merge(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    from suite.claims import matrix
    from suite.claims.store import JudgedLedger
    from suite.core import files
    from suite.report.pipe_table import pipe_table

    ledgers = [JudgedLedger.read(path) for path in parsed.folders]
    machines = [ledger.machine for ledger in ledgers]
    if len(set(machines)) < len(machines):
        raise UsageError("two of the folders are of one machine; name each machine once")
    found = matrix.matrix(ledger_of(parsed), ledgers)
    titles = ["claim", "statement", *machines, "transfers"]
    table = pipe_table(titles, matrix.rows(found, machines))
    counts, sources = matrix.counts(found), pipe_table(matrix.SOURCES, matrix.sources(ledgers))
    say(f"{table}\n\n{sources}\nclaims: {counts}")
    if parsed.out:
        parsed.out.mkdir(parents=True, exist_ok=True)
        files.replace_file(parsed.out / "matrix.csv", matrix.comma_separated(found, machines).encode())
        files.replace_file(
            parsed.out / "matrix.md", f"# Claims over machines\n\n{counts}\n\n{sources}\n\n{table}\n".encode()
        )
    for one in found:
        for machine in one.outdated:
            say(f"{one.claim.name} on {machine}: judged when it said something else; run it there again")
    return EXIT_PASS


def _init(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Append an entry. Raises `UsageError` for a metric, workload or technique that is not known."""
    from suite.claims import writing
    from suite.registry import REGISTRY

    load_everything(parsed.load)
    REGISTRY.find_workload(parsed.workload)
    technique = REGISTRY.resolve(parsed.technique).name
    text = writing.entry(
        parsed.name, statement=parsed.statement, cell=f"{parsed.workload}/{technique}", metric=parsed.metric,
        at_least=parsed.at_least, at_most=parsed.at_most,
    )  # fmt: skip
    writing.append(parsed.file, parsed.name, text)
    say(f"{parsed.file}: {parsed.name}\n{text}next: suite claims lock {parsed.name}; suite claims run {parsed.name}")
    return EXIT_PASS


HELP = "the ledger of claims: measure them, judge them, compare machines"
SUBCOMMANDS = (
    Command(
        name="run", help="measure what the claims need and judge them", add=_add_run, abbreviates=False,
        example="suite claims run --quick",
    ),
    Command(name="list", help="list the claims", add=_add_list, example="suite claims list"),
    Command(
        name="show", help="one claim with its evidence and its counter-example", add=_add_show,
        example="suite claims show M-07",
    ),
    Command(
        name="lock", help="fix what claims say, before their results are seen", add=_add_lock,
        example="suite claims lock OURS-1",
    ),
    Command(
        name="judge", help="the claims of another machine, from the results that it left", add=claims_judge.add,
        example="suite claims judge reports/gpu-run",
    ),
    Command(
        name="audit", help="whether networks are as fast on inputs that never came before", add=claims_audit.add,
        example="suite claims audit M-07",
    ),
    Command(
        name="stability", help="how many verdicts another run like it would change", add=claims_stability.add,
        example="suite claims stability reports/latest",
    ),
    Command(
        name="merge", help="claims over machines, from several judged ledgers", add=_add_merge,
        example="suite claims merge reports/claims/cpu reports/claims/gpu --out matrix",
    ),
    Command(
        name="init", help="write a claim of your own into claims/", add=_add_init,
        example="suite claims init X-1 --statement fast --workload mine --technique ours --metric speedup --at-least 2",
    ),
)  # fmt: skip
COMMANDS = (
    Command(name="claims", help=HELP, add=add, example="suite claims run --quick", section=INVESTIGATE, rank=13),
)
