"""Checks of the run as a whole: whether its timings count, whatever the single values are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median

from suite.bench.confirm import noting
from suite.bench.failing import failing, gates_tier
from suite.bench.options import Options
from suite.bench.run import GroupResult, Run
from suite.core.metrics import is_paired
from suite.core.records import Cell, Group, Reason, Verdict, VerdictKind
from suite.core.stats.intervals import median_interval, min_rounds
from suite.core.stats.null_arm import arm_doubt, null_ratios, run_doubt, same_work_ratios

MOST_INCONCLUSIVE = 0.2  # of the paired figures that have an expectation; beyond it a gate has not looked
LEAST_THROUGHPUT = 0.5  # of the stored ones, in the median of the cells; within hours they move by a third
CONFIDENCE = 0.99
FEWEST = min_rounds(CONFIDENCE)

UNSURE = "not gated: more than a fifth of the paired timings are inconclusive; run again on a quieter machine"

DECIDED = frozenset({VerdictKind.REGRESSED, VerdictKind.IMPROVED})


def trust(run: Run, result: GroupResult) -> GroupResult:
    """Take back decided timings if the run's null arms are biased, or its arms are not timed alike."""
    run.null_ratios += null_ratios(result.measurements)
    for metric, ratios in same_work_ratios(result.measurements).items():
        run.arm_ratios.setdefault(metric, []).extend(ratios)
    return replace(result, verdicts=[_trusted(run, verdict) for verdict in result.verdicts])


def reconsider(run: Run) -> None:
    """Take back timings that failed the run before enough null arms were there to show that it is biased."""
    failed, before = _failing(run), run.verdicts
    run.verdicts = [_trusted(run, verdict) for verdict in before]
    run.folder.append(*(new for old, new in zip(before, run.verdicts, strict=True) if new is not old))
    run.taken_back = len(failed - _failing(run))


def doubt(run: Run) -> str:
    """Why this run as a whole does not count as a gate; empty if it does."""
    return doubt_of(run.verdicts, run.arm_ratios, run.options)


def doubt_of(
    verdicts: Iterable[Verdict], arm_ratios: Mapping[str, Sequence[float]], options: Options, *, passed: int = 0
) -> str:
    """The same of the verdicts of a run and its ratios of arms that do the same work; see `saw_too_little`."""
    wanted = options.inconclusive
    if not options.gates or wanted == "report":
        return ""
    gated = [verdict for verdict in verdicts if gates_tier(verdict, options)]
    return slowed(gated) or arm_doubt(arm_ratios) or ("" if wanted == "fail" else saw_too_little(gated, passed))


def _trusted(run: Run, verdict: Verdict) -> Verdict:
    if not _is_decided(verdict):
        return verdict
    return taken_back(verdict, run_doubt(run.null_ratios) or arm_doubt(run.arm_ratios))


def taken_back(verdict: Verdict, why: str) -> Verdict:
    """A decided timing becomes inconclusive for the reason ``why``, if there is one; any other verdict stays."""
    if not why or not _is_decided(verdict):
        return verdict
    return replace(noting(verdict, why), kind=VerdictKind.INCONCLUSIVE, code=Reason.BIASED_RUN)


def _is_decided(verdict: Verdict) -> bool:
    return is_paired(verdict.metric) and verdict.kind in DECIDED


def _failing(run: Run) -> set[tuple[Cell, Group]]:
    return {(verdict.cell, verdict.group) for verdict in run.verdicts if failing(verdict, run.options)}


def saw_too_little(verdicts: Iterable[Verdict], passed: int = 0) -> str:
    """Why the run does not gate: too many of its paired timings are inconclusive; else empty.

    ``passed`` are paired timings that pass, beside the ``verdicts``.
    """
    paired = [v for v in verdicts if is_paired(v.metric) and v.kind is not VerdictKind.MISSING]
    judged = [v for v in paired if v.expectation is not None or v.kind is VerdictKind.INCONCLUSIVE]
    unsure = sum(v.kind is VerdictKind.INCONCLUSIVE for v in judged)
    return UNSURE if unsure > MOST_INCONCLUSIVE * (len(judged) + passed) else ""


def slowed(verdicts: Iterable[Verdict]) -> str:
    """Why a run is too slow for its ratios to be trusted; empty if it is not, or has too few cells.

    A ratio cancels what slows technique, baseline and reference kernel alike: a build without its fast kernels, a
    throttled host. A single throughput moves with the hour. If the median over cells is below half of the stored
    throughput, the machine or the build has changed.
    """
    shares = _shares(verdicts)
    if len(shares) < FEWEST:
        return ""
    low, high = median_interval(shares, CONFIDENCE)
    if high >= LEAST_THROUGHPUT:
        return ""
    return (
        f"not gated: throughput is {median(shares):.2f} [{low:.2f}, {high:.2f}] times the stored one of this machine "
        f"(median of {len(shares)} cells), below the limit of {LEAST_THROUGHPUT}; no ratio shows this. Compare "
        "versions and threads, look for throttling and other load, or record the new values"
    )


def _shares(verdicts: Iterable[Verdict]) -> Sequence[float]:
    """Measured over stored throughput, by cell; the last of each, since verdicts may be given twice."""
    told = {
        v.cell: v.measurement.value / v.expectation.value
        for v in verdicts
        if v.metric == "throughput" and v.measurement is not None and v.expectation is not None and v.expectation.value
    }
    return list(told.values())
