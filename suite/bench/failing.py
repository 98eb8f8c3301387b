"""Which verdicts fail a run with given options."""

from __future__ import annotations

from suite.bench.options import Options
from suite.core.metrics import ABSOLUTE_UNITS
from suite.core.records import Verdict, VerdictKind
from suite.gate.policy import fails


def failing(verdict: Verdict, options: Options) -> bool:
    """Whether a verdict fails a run with these options."""
    if not options.gates or not gates_tier(verdict, options):
        return verdict.kind is VerdictKind.ERROR
    absolute = verdict.measurement is not None and verdict.measurement.unit in ABSOLUTE_UNITS
    return fails(
        verdict, unverified=options.unverified,
        inconclusive="report" if absolute else options.inconclusive or "report",  # such times never gate
        unavailable=options.unavailable, improved="report" if options.allow_improvement else "fail",
    )  # fmt: skip


def gates_tier(verdict: Verdict, options: Options) -> bool:
    """Whether the tier of a verdict's metric can fail this run."""
    bound = verdict.expectation or verdict.measurement
    return bound is None or bound.tier in options.gate_tiers
