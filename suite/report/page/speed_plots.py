"""How many cells are faster without a loss (fast_p), and how near each technique is to the best (performance profiles).

A mean over workloads hides that a technique fails on some of them; these two count it as a failure there.

- fast_p: Ouyang et al. 2025, KernelBench, https://arxiv.org/abs/2502.10517: the share of cells that are right and at
  least p times as fast. Here, a cell is right if it has no measurable loss (`suite.report.headline`). One that ended
  with an error is wrong, as in KernelBench. Left out are cells of which that is not known: they are unavailable, their
  speed-up is missing or disturbed, or their score has no interval.
- Performance profiles: Dolan and More 2002, https://doi.org/10.1007/s101070100263: the share of workloads (on several
  devices, of pairs of workload and device) on which a technique takes at most t times the time of the best. Here, a
  technique without a sound, lossless speed-up on a workload fails there, for whatever reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from suite.core.composition import BASELINE
from suite.core.records import CellFailure
from suite.report.columns import Row
from suite.report.foreign import printable
from suite.report.headline import AgainstBaseline, by_place, compared
from suite.report.page.plot_values import Plain, short, thinned
from suite.report.page.run_content import RunContent, labelled

FACTORS = (1.0, 1.5, 2.0)  # that the caption names
LEAST_WORKLOADS = 2  # with a sound speed-up; of one, a profile says no more than the table
MOST_TECHNIQUES = 12

Line = list[tuple[float, float]]
"""Points (x, share) of a step function."""

Place = tuple[str, str]
"""A workload and a device."""


@dataclass(frozen=True)
class _Cells:
    """The techniques' cells of a run.

    ``sound`` are, by workload and device, those whose loss and sound speed-up are known; a workload that has others
    alone is there without any, unless its baseline failed, too: then nothing says what is fast. ``failed`` ended with
    an error, ``left_out`` are neither.
    """

    sound: Mapping[Place, list[AgainstBaseline]]
    failed: int
    left_out: int


def fast_plots(runs: Sequence[RunContent]) -> Plain:
    """For each run a caption, speed-ups ``at`` [n], and the ``share`` [n] of its cells that are no slower, lossless."""
    plots = [plot for run, label in labelled(runs) if (plot := _fast(run, label)) is not None]
    return {"plots": plots, "all": len(plots)}


def profile_plots(runs: Sequence[RunContent]) -> Plain:
    """For each run a caption and its ``lines``: name, factors ``at`` [n] and the ``share`` [n] of workloads."""
    plots = [plot for run, label in labelled(runs) if (plot := _profile(run, label)) is not None]
    return {"plots": plots, "all": len(plots)}


def fast_share(cells: Sequence[AgainstBaseline], factor: float, failed: int = 0) -> float:
    """The share of cells that are at least ``factor`` times as fast as the baseline, with no measurable loss.

    ``failed`` further cells are not.
    """
    return sum(1 for cell in cells if not cell.loses and cell.row["speedup"] >= factor) / (len(cells) + failed)


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
    found = _cells(run)
    cells = list(chain.from_iterable(found.sound.values()))
    count = len(cells) + found.failed
    if not count:
        return None
    speeds = sorted(cell.row["speedup"] for cell in cells if not cell.loses)
    named = ", ".join(f"fast_{factor:g} = {100 * fast_share(cells, factor, found.failed):.0f} %" for factor in FACTORS)
    points = [(speed, (len(speeds) - place) / count) for place, speed in enumerate(speeds)]
    ends: Line = [(speeds[-1], 0.0)] if speeds else []
    line = [(0.0, len(speeds) / count), *points, *ends]
    return {"title": f"{label}: {named} of {count} cells{_remarks(found)}", "machine": label, **_plain(line)}


def _remarks(found: _Cells) -> str:
    failed = f"; {found.failed} of them failed" if found.failed else ""
    why = "unavailable, without a sound speed-up, or without an interval of the score"
    return failed + (f"; {found.left_out} left out ({why})" if found.left_out else "")


def _profile(run: RunContent, label: str) -> Plain | None:
    sound = _cells(run).sound
    if sum(1 for cells in sound.values() if cells) < LEAST_WORKLOADS:
        return None
    known = profiles(list(sound.values()))
    shown = sorted(known, key=lambda name: (-len(known[name]), sum(known[name])))[:MOST_TECHNIQUES]
    left = f"; {len(shown)} of {len(known)} techniques are drawn" if len(known) > len(shown) else ""
    end = max((known[name][-1] for name in shown if known[name]), default=1.0)
    lines = [{"name": printable(name), **_plain(_steps(known[name], len(sound), end))} for name in shown]
    return {"title": f"{label}: {_counted(sound)}{left}", "lines": lines}


def _counted(places: Collection[Place]) -> str:
    one_device = len({device for _, device in places}) == 1
    return f"{len(places)} {'workloads' if one_device else 'pairs of workload and device'}"


def _steps(factors: Sequence[float], workloads: int, end: float) -> Line:
    """The share of workloads up to each factor, from 1 to the ``end`` of the axis."""
    points = [(factor, place / workloads) for place, factor in enumerate(factors, 1)]
    begins = [] if points and points[0][0] == 1 else [(1.0, 0.0)]
    return [*begins, *points, (end, len(factors) / workloads)]


def _plain(line: Line) -> Plain:
    kept = thinned(line)
    return {"at": [short(x) for x, _ in kept], "share": [short(y) for _, y in kept]}


def _cells(run: RunContent) -> _Cells:
    known = dict.fromkeys(_key(row) for row in run.rows if row["technique"] != BASELINE)
    timed = {_key(cell.row): cell for cell in _compared(run) if cell.row.get("speedup") is not None}
    failures = [failure for failure in run.failures if failure.cell.technique != BASELINE]
    groundless = {(one.cell.workload, one.cell.device) for one in run.failures if one.cell.technique == BASELINE}
    failed = {_failed_key(failure) for failure in failures if failure.kind == "error"} - timed.keys()
    places = [(workload, device) for workload, _, device in [*known, *sorted(failed)]]
    sound: dict[Place, list[AgainstBaseline]] = {place: [] for place in places if place not in groundless}
    for (workload, _, device), cell in timed.items():
        if not cell.row.get("speedup_suspect"):
            sound.setdefault((workload, device), []).append(cell)
    everything = known.keys() | {_failed_key(failure) for failure in failures}
    return _Cells(sound, len(failed), len(everything) - len(failed) - sum(map(len, sound.values())))


def _key(row: Row) -> tuple[str, str, str]:
    return row["workload"], row["technique"], row["device"]


def _failed_key(failure: CellFailure) -> tuple[str, str, str]:
    return failure.cell.workload, failure.cell.technique, failure.cell.device


def _compared(run: RunContent) -> Iterator[AgainstBaseline]:
    return chain.from_iterable(map(compared, by_place(run.rows).values()))
