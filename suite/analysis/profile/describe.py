"""Bottlenecks in words and tables: what `suite profile` prints."""

from __future__ import annotations

from collections.abc import Iterator

from suite.analysis.profile.bottleneck import LIMITS, UNCLEAR, Bottleneck, OperatorWork
from suite.analysis.profile.recording import Recording
from suite.analysis.profile.roofline import ridge
from suite.measure.ceilings import Ceilings

SPENT = {
    "data": "waiting for batches",
    "launch": "launching operators (Python and dispatch)",
    "memory": "moving data in operators that memory limits",
    "arithmetic": "computing in operators that arithmetic limits",
    "unexplained": "in operators that neither ceiling explains",
}
REMEDY = {
    "data-bound": "load ahead in other processes, do less for each item, or keep prepared data",
    "launch-bound": "use a larger batch, compile (technique compiled), or fuse operators",
    "memory-bound": "fuse operators (technique compiled), use a smaller type, avoid copies",
    "compute-bound": "use a lower precision, prune, or a smaller network; this machine's arithmetic is at work",
    UNCLEAR: "no single remedy reaches half of the step",
}
SHOWN = 12  # operators
LEAST_SHOWN = 0.01  # of a step


def lines(found: Bottleneck, recording: Recording, ceilings: Ceilings) -> Iterator[str]:
    """The verdict with its shares, what it allows at most, and how close the arithmetic came to the ceilings."""
    yield f"{found.name}: {found.verdict} (the same verdict in {100 * found.certainty:.0f} % of resampled rounds)"
    yield from evidence(found, recording)
    if found.most_speedup is not None:
        yield f"  without it a step is at most {found.most_speedup:.3g} times as fast (Amdahl)"
    yield f"  {REMEDY[found.verdict]}"
    total = found.total
    yield (
        f"  {total.intensity:.3g} FLOP/byte, {total.attained / 1e9:.4g} GFLOP/s attained; float32 ceiling "
        f"{ceilings.gemm['float32'] / 1e9:.4g} GFLOP/s, ridge at {ridge(ceilings):.3g} FLOP/byte"
    )


def evidence(found: Bottleneck, recording: Recording) -> Iterator[str]:
    """One line for each limit that takes a hundredth of the step, the largest first."""
    step = f"{1e3 * found.step:.3g} ms"
    for limit in sorted(LIMITS, key=lambda name: -found.seconds[name]):
        if found.shares[limit] >= LEAST_SHOWN:
            took = f"{1e3 * found.seconds[limit]:.3g} ms of {step}"
            yield f"  {100 * found.shares[limit]:3.0f} % of the step is spent {SPENT[limit]}: {took}"
    tiny = f"{1e6 * recording.tiny:.2g} us"
    yield f"  {found.operators:.0f} operator calls a step; one on a single number takes {tiny} under the profiler"


def table(found: Bottleneck) -> str:
    """The operators by their own time, as Markdown."""
    from tabulate import tabulate

    rows = [_row(each) for each in sorted(found.kernels, key=lambda each: -each.mark.seconds)[:SHOWN]]
    names = ("operator", "calls", "ms", "limit", "GFLOP/s", "GB/s", "FLOP/byte")
    return str(tabulate(rows, headers=names, tablefmt="github", floatfmt=".3g"))


def _row(found: OperatorWork) -> tuple[str | float, ...]:
    mark = found.mark
    moved = mark.moved / mark.seconds / 1e9 if mark.seconds > 0 else 0.0
    return mark.name, found.calls, 1e3 * mark.seconds, found.limit, mark.attained / 1e9, moved, mark.intensity


def as_json(found: Bottleneck) -> dict[str, object]:
    """What other programs read."""
    return {
        "cell": found.name, "verdict": found.verdict, "certainty": found.certainty, "step_seconds": found.step,
        "shares": dict(found.shares), "most_speedup": found.most_speedup,
        "operators": [
            {"name": k.mark.name, "calls": k.calls, "seconds": k.mark.seconds, "flops": k.mark.flops,
             "bytes": k.mark.moved, "limit": k.limit}
            for k in found.kernels
        ],
    }  # fmt: skip
