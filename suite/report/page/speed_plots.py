"""How many cells are faster without a loss (fast_p), and how near each technique is to the best (performance profiles).

A mean over workloads hides that a technique fails on some of them; these two count it as a failure there.

- fast_p: Ouyang et al. 2025, KernelBench, https://arxiv.org/abs/2502.10517: the share of cells that are right and at
  least p times as fast. Here, a cell is right if it has no measurable loss (`suite.report.headline`).
- Performance profiles: Dolan and More 2002, https://doi.org/10.1007/s101070100263: the share of workloads on which a
  technique takes at most t times the time of the best.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from suite.core.composition import BASELINE
from suite.report.foreign import printable
from suite.report.headline import AgainstBaseline, compared
from suite.report.page.plot_values import Plain, short, thinned
from suite.report.page.run_content import RunContent, labelled

FACTORS = (1.0, 1.5, 2.0)  # that the caption names
LEAST_WORKLOADS = 2  # of one, a profile says no more than the table
MOST_TECHNIQUES = 12

Line = list[tuple[float, float]]
"""Points (x, share) of a step function."""


def fast_plots(runs: Sequence[RunContent]) -> Plain:
    """For each run a caption, speed-ups ``at`` [n], and the ``share`` [n] of its cells that are no slower, lossless."""
    plots = [plot for run, label in labelled(runs) if (plot := _fast(run, label)) is not None]
    return {"plots": plots, "all": len(plots)}


def profile_plots(runs: Sequence[RunContent]) -> Plain:
    """For each run a caption and its ``lines``: name, factors ``at`` [n] and the ``share`` [n] of workloads."""
    plots = [plot for run, label in labelled(runs) if (plot := _profile(run, label)) is not None]
    return {"plots": plots, "all": len(plots)}


def fast_share(cells: Sequence[AgainstBaseline], factor: float) -> float:
    """The share of cells that are at least ``factor`` times as fast as the baseline, with no measurable loss."""
    return sum(1 for cell in cells if not cell.loses and cell.row["speedup"] >= factor) / len(cells)


def profiles(workloads: Sequence[Sequence[AgainstBaseline]]) -> dict[str, list[float]]:
    """By technique, the factors [workloads where it loses nothing] of its time to the shortest lossless one, ascending.

    The baseline takes part. A technique that is compared on one workload alone has no profile.
    """
    factors: dict[str, list[float]] = {BASELINE: []}
    seen: dict[str, int] = {}
    for cells in workloads:
        speeds = {BASELINE: 1.0} | {cell.name: cell.row["speedup"] for cell in cells if not cell.loses}
        best = max(speeds.values())
        for name in {BASELINE: 0} | {cell.name: 0 for cell in cells}:
            seen[name] = seen.get(name, 0) + 1
            factors.setdefault(name, []).extend([best / speeds[name]] if name in speeds else [])
    return {name: sorted(own) for name, own in factors.items() if seen.get(name, 0) >= LEAST_WORKLOADS}


def _fast(run: RunContent, label: str) -> Plain | None:
    sound, left_out = _cells(run)
    cells = list(chain.from_iterable(sound.values()))
    if not cells:
        return None
    speeds = sorted(cell.row["speedup"] for cell in cells if not cell.loses)
    named = ", ".join(f"fast_{factor:g} = {100 * fast_share(cells, factor):.0f} %" for factor in FACTORS)
    disturbed = f"; {left_out} without a sound speed-up are left out" if left_out else ""
    points = [(speed, (len(speeds) - place) / len(cells)) for place, speed in enumerate(speeds)]
    ends: Line = [(speeds[-1], 0.0)] if speeds else []
    line = [(0.0, len(speeds) / len(cells)), *points, *ends]
    return {"title": f"{label}: {named} of {len(cells)} cells{disturbed}", "machine": label, **_plain(line)}


def _profile(run: RunContent, label: str) -> Plain | None:
    sound, _ = _cells(run)
    if len(sound) < LEAST_WORKLOADS:
        return None
    known = profiles(list(sound.values()))
    shown = sorted(known, key=lambda name: (-len(known[name]), sum(known[name])))[:MOST_TECHNIQUES]
    left = f"; {len(shown)} of {len(known)} techniques are drawn" if len(known) > len(shown) else ""
    end = max((known[name][-1] for name in shown if known[name]), default=1.0)
    lines = [{"name": printable(name), **_plain(_steps(known[name], len(sound), end))} for name in shown]
    return {"title": f"{label}: {len(sound)} workloads{left}", "lines": lines}


def _steps(factors: Sequence[float], workloads: int, end: float) -> Line:
    """The share of workloads up to each factor, from 1 to the ``end`` of the axis."""
    points = [(factor, place / workloads) for place, factor in enumerate(factors, 1)]
    begins = [] if points and points[0][0] == 1 else [(1.0, 0.0)]
    return [*begins, *points, (end, len(factors) / workloads)]


def _plain(line: Line) -> Plain:
    kept = thinned(line)
    return {"at": [short(x) for x, _ in kept], "share": [short(y) for _, y in kept]}


def _cells(run: RunContent) -> tuple[Mapping[tuple[str, str], list[AgainstBaseline]], int]:
    """By workload and device, the cells whose loss and sound speed-up are known; and how many have no such speed-up."""
    groups: dict[tuple[str, str], list[AgainstBaseline]] = {}
    left_out = 0
    for cell in _compared(run):
        is_sound = cell.row.get("speedup") is not None and not cell.row.get("speedup_suspect")
        left_out += not is_sound
        if is_sound:
            groups.setdefault((cell.row["workload"], cell.row["device"]), []).append(cell)
    return groups, left_out


def _compared(run: RunContent) -> Iterator[AgainstBaseline]:
    groups: dict[tuple[str, str], list[dict[str, object]]] = {}
    for row in run.rows:
        groups.setdefault((row["workload"], row["device"]), []).append(row)
    return chain.from_iterable(map(compared, groups.values()))
