"""``suite claims stability``: how many verdicts another run of the same size would change."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.claims_ledger import doubts_of, ledger_of, ledger_options, say, started_of, stored_evidence
from suite.core.errors import ResultsError, UsageError
from suite.core.exit_codes import EXIT_FAILED, EXIT_NOTHING, EXIT_PASS

if TYPE_CHECKING:
    from suite.claims.resampling import Columns, Read
    from suite.claims.stability import Stability
    from suite.core.records import Measurement
    from suite.report.results.folder import RunFolder

DRAWS = 20


def add(parser: argparse.ArgumentParser) -> None:
    """Options of ``suite claims stability``."""
    option = parser.add_argument
    option("folders", nargs="+", type=Path, metavar="RESULTS", help="results folders of one machine, with raw samples")
    ledger_options(parser)
    option("--draws", type=int, default=DRAWS, help=f"judgements of figures that are drawn again (default {DRAWS})")
    option("--seed", type=int, default=0, help="of the draws (default 0)")
    option("--quick", action="store_true", help="leave out what has to be trained or timed beside the results")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Judge, draw, judge again; fails where more than 5 % of the decided verdicts change."""
    from suite.claims.stability import MOST, stability
    from suite.report.results.folder import RunFolder

    if parsed.draws < 1:
        raise UsageError(f"--draws must be at least 1, got {parsed.draws}")
    runs = [RunFolder.open(path) for path in parsed.folders]
    claims, (evidence, place) = ledger_of(parsed), stored_evidence(runs, quick=parsed.quick)
    if evidence.elsewhere:
        claims = tuple(claim for claim in claims if claim.texts)
    started = started_of(run.header for run in runs)
    found = stability(
        claims, evidence, place.levels, reader(runs), draws=parsed.draws, seed=parsed.seed,
        amended=doubts_of(claims, started, hindsight=True),
    )  # fmt: skip
    _tell(found)
    if not found.decided():
        return EXIT_NOTHING
    return EXIT_PASS if found.share <= MOST else EXIT_FAILED


def reader(runs: Sequence[RunFolder]) -> Read:
    """Reads a measurement's raw samples from the run that has them."""
    kept: dict[str, Columns | None] = {}

    def read(one: Measurement) -> Columns | None:
        if one.samples and one.samples not in kept:
            kept[one.samples] = _columns(one.samples, runs)
        return kept.get(one.samples or "")

    return read


def _columns(name: str, runs: Sequence[RunFolder]) -> Columns | None:
    for run in runs:
        try:
            found = run.read_samples(name)
        except ResultsError:
            continue
        return {str(series): rows["value"].to_numpy() for series, rows in found.groupby("series", sort=False)}
    return None


def _tell(found: Stability) -> None:
    from suite.claims.claim import ClaimKind

    by_name = {one.claim.name: one for one in found.found}
    for name, counted in sorted(found.changes.items(), key=lambda pair: -pair[1].total()):
        others = ", ".join(f"{standing} {count} times" for standing, count in counted.most_common())
        say(f"{name:<24} {by_name[name].standing}; in {found.draws} draws {others}")
    measured = found.decided(lambda claim: claim.kind is ClaimKind.EMPIRICAL)
    say(
        f"{found.draws} judgements of resampled figures change {100 * found.share:.2g} % of {len(found.decided())} "
        f"decided verdicts, {100 * found.measured_share:.2g} % of the {len(measured)} measured ones; {found.opposite} "
        "times to another decided one"
    )
