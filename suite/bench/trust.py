"""The step that trusts: whether a timing, and a run as a whole, can be believed, whatever its single values say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from suite.bench.confirm import noting
from suite.bench.failing import failing, gates_tier
from suite.bench.run import GroupResult, Run
from suite.core.metrics import is_paired
from suite.core.records import Cell, Group, Verdict, VerdictKind
from suite.core.stats.intervals import median_interval, min_rounds
from suite.core.stats.null_arm import arm_doubt, null_ratios, run_doubt, same_work_ratios

MOST_INCONCLUSIVE = 0.2  # of the paired figures that have an expectation; beyond it a gate has not looked
LEAST_THROUGHPUT = 0.5  # of the stored ones, in the median of the cells; within hours they move by a third
CONFIDENCE = 0.99
FEWEST = min_rounds(CONFIDENCE)

UNSURE = "not gated: more than a fifth of the paired timings are inconclusive; run again on a quieter machine"

DECIDED = frozenset({VerdictKind.REGRESSED, VerdictKind.IMPROVED})


def trust(run: Run, result: GroupResult) -> GroupResult:
    """No timing fails a run whose copies of the baseline differ so far, or whose arms are not timed alike."""
    run.null_ratios += null_ratios(result.measurements)
    for metric, ratios in same_work_ratios(result.measurements).items():
        run.arm_ratios.setdefault(metric, []).extend(ratios)
    return replace(result, verdicts=[_trusted(run, verdict) for verdict in result.verdicts])


def reconsider(run: Run) -> None:
    """Timings that failed before enough null arms were known to doubt the run fail it no more."""
    failed, before = _failing(run), run.verdicts
    run.verdicts = [_trusted(run, verdict) for verdict in before]
    run.folder.append(*(new for old, new in zip(before, run.verdicts, strict=True) if new is not old))
    run.taken_back = len(failed - _failing(run))


def doubt(run: Run) -> str:
    """Why this run as a whole does not count as a gate, whatever its single values say; empty if it does."""
    wanted = run.options.inconclusive
    if not run.options.gates or wanted == "report":
        return ""
    gated = [verdict for verdict in run.verdicts if gates_tier(verdict, run.options)]
    return slowed(gated) or arm_doubt(run.arm_ratios) or ("" if wanted == "fail" else saw_too_little(gated))


def _trusted(run: Run, verdict: Verdict) -> Verdict:
    decided = is_paired(verdict.metric) and verdict.kind in DECIDED
    why = run_doubt(run.null_ratios) or arm_doubt(run.arm_ratios) if decided else ""
    return replace(noting(verdict, why), kind=VerdictKind.INCONCLUSIVE) if why else verdict


def _failing(run: Run) -> set[tuple[Cell, Group]]:
    return {(verdict.cell, verdict.group) for verdict in run.verdicts if failing(verdict, run.options)}


def saw_too_little(verdicts: Iterable[Verdict]) -> str:
    """Why a gate cannot be said to have looked: most of its paired figures are inconclusive; else empty."""
    paired = [v for v in verdicts if is_paired(v.metric) and v.kind is not VerdictKind.MISSING]
    judged = [v for v in paired if v.expectation is not None or v.kind is VerdictKind.INCONCLUSIVE]
    unsure = sum(v.kind is VerdictKind.INCONCLUSIVE for v in judged)
    return UNSURE if unsure > MOST_INCONCLUSIVE * len(judged) else ""


def slowed(verdicts: Iterable[Verdict]) -> str:
    """Why a run is too slow for its ratios to tell anything; empty where it is not, or has too few cells.

    A ratio cancels what slows technique, baseline and reference kernel alike: a build without its fast kernels, a
    throttled host. A single throughput moves with the hour. Where those of most cells together lie below half of what
    this machine served when they were stored, something has happened.
    """
    shares = _shares(verdicts)
    if len(shares) < FEWEST:
        return ""
    low, high = median_interval(shares, CONFIDENCE)
    if high >= LEAST_THROUGHPUT:
        return ""
    return (
        f"not gated: this run serves {median(shares):.2f} [{low:.2f}, {high:.2f}] times as many items a second as was "
        f"stored for this machine, in the median of {len(shares)} cells, which no ratio shows; compare versions and "
        "threads, look for throttling and other load, or record the new figures"
    )


def _shares(verdicts: Iterable[Verdict]) -> Sequence[float]:
    """Of the stored throughputs, by cell; the last of each, since verdicts may be given twice."""
    told = {
        v.cell: v.measurement.value / v.expectation.value
        for v in verdicts
        if v.metric == "throughput" and v.measurement is not None and v.expectation is not None and v.expectation.value
    }
    return list(told.values())
