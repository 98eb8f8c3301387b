"""Which verdicts fail a gate."""

from __future__ import annotations

from typing import Literal

from suite.core.errors import unknown
from suite.core.records import Verdict, VerdictKind

Policy = Literal["report", "fail"]
FAILING = frozenset({VerdictKind.REGRESSED, VerdictKind.MISSING, VerdictKind.ERROR, VerdictKind.XPASS})


def fails(
    verdict: Verdict,
    *,
    unverified: Policy = "report",
    inconclusive: Policy = "report",
    unavailable: Policy = "report",
    improved: Policy = "fail",
) -> bool:
    """Whether a gate fails by this verdict; four kinds do so by policy."""
    policies = {
        VerdictKind.UNVERIFIED: unverified,
        VerdictKind.INCONCLUSIVE: inconclusive,
        VerdictKind.UNAVAILABLE: unavailable,
        VerdictKind.IMPROVED: improved,
    }
    for kind, policy in policies.items():
        if policy not in {"report", "fail"}:
            raise unknown(f"policy for {kind} verdicts", policy, ("report", "fail"))
    return verdict.kind in FAILING or policies.get(verdict.kind) == "fail"
