"""Findings as the suite's verdicts, so that GitHub's annotations, JUnit and the exit code treat them as any other."""

from __future__ import annotations

from collections.abc import Iterable

from suite.claims.claim import Standing
from suite.claims.judging import Finding
from suite.core.exit_codes import EXIT_FAILED, EXIT_NOTHING, EXIT_PASS
from suite.core.records import Cell, Verdict, VerdictKind

WORKLOAD = "claims"  # in the place of a workload's name
OPEN = {
    Standing.UNDECIDED: VerdictKind.INCONCLUSIVE,
    Standing.NOT_TESTABLE: VerdictKind.UNAVAILABLE,
    Standing.TOO_GOOD: VerdictKind.ERROR,
    Standing.AMENDED: VerdictKind.ERROR,
}
FAILING = frozenset({VerdictKind.REGRESSED, VerdictKind.ERROR})


def verdict(found: Finding, device: str = "cpu") -> Verdict:
    """A standing that changed is a regression; one that nothing is expected of is unverified."""
    cell = Cell(workload=WORKLOAD, technique=found.claim.name, device=device)
    return Verdict(kind=_kind(found), cell=cell, metric="claim", group="quality", reason=sentence(found))


def _kind(found: Finding) -> VerdictKind:
    if found.changed and found.standing not in (Standing.TOO_GOOD, Standing.AMENDED):
        return VerdictKind.REGRESSED
    if found.standing in OPEN:
        return OPEN[found.standing]
    return VerdictKind.PASS if found.expected is not None else VerdictKind.UNVERIFIED


def sentence(found: Finding) -> str:
    """Standing and reason; with what was expected where that is another one."""
    said = f"{found.standing}, expected {found.expected}" if found.changed else str(found.standing)
    return f"{said}: {found.reason}" if found.reason else said


def exit_code(findings: Iterable[Finding]) -> int:
    """1 where a claim changed, was edited after it was locked, or is too good; 12 where no claim was judged at all."""
    kinds = [_kind(found) for found in findings]
    if any(kind in FAILING for kind in kinds):
        return EXIT_FAILED
    judged = any(kind is not VerdictKind.UNAVAILABLE for kind in kinds)
    return EXIT_PASS if judged else EXIT_NOTHING
