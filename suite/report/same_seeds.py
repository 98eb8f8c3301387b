"""Cells are compared over the seeds that all of them have: a mean over three seeds says nothing beside one of one seed.

A quick run, and a default one, take three seeds of the baseline and one of each technique. A seed also chooses the fold
of the data where a workload has folds, so that unlike seeds are other items.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from suite.core.metrics import ABSOLUTE_UNITS, limits
from suite.core.records import Measurement
from suite.report.results.lines import replaced

Key = tuple[str, str, str]


def same_seeds(measurements: Iterable[Measurement]) -> list[Measurement]:
    """The measurements, each mean over seeds reduced to the seeds that all cells of its workload and device have.

    Its interval moves along and grows with the root of the seeds that are left out; without an item (seconds, joules)
    one seed has none. What does not name its values by seed, and what has no seed in common, stays as it is.
    """
    measured = list(measurements)
    common = _common(measured)
    return [_reduced(found, common.get(_key(found), frozenset())) if found.by_seed else found for found in measured]


def lines(measurements: Sequence[Measurement], reduced: Sequence[Measurement] | None = None) -> list[str]:
    """A line for each device and the seeds that its tables compare, where they leave seeds out; with the workloads.

    ``reduced`` is what `same_seeds` makes of the measurements, if it is known.
    """
    pairs = zip(measurements, same_seeds(measurements) if reduced is None else reduced, strict=True)
    told = {(one.cell.workload, one.cell.device): other.seeds for one, other in pairs if one.seeds != other.seeds}
    alike: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for (workload, device), seeds in told.items():
        alike.setdefault((device, seeds), []).append(workload)
    return [
        f"{', '.join(workloads)} on {device} {'is' if len(workloads) == 1 else 'are'} compared over {_named(seeds)}, "
        "which all cells have; means over more seeds are in results.csv"
        for (device, seeds), workloads in alike.items()
    ]


def _named(seeds: Sequence[int]) -> str:
    return f"seed{'' if len(seeds) == 1 else 's'} {', '.join(map(str, seeds))}"


def _key(found: Measurement) -> Key:
    return found.cell.workload, found.cell.device, found.metric


def _by_seed(found: Measurement) -> dict[int, float]:
    return dict(zip(found.seeds, found.by_seed, strict=True)) if len(found.seeds) == len(found.by_seed) else {}


def _common(measured: Iterable[Measurement]) -> dict[Key, frozenset[int]]:
    common: dict[Key, frozenset[int]] = {}
    for found in measured:
        if found.by_seed:
            seeds = frozenset(_by_seed(found))
            common[_key(found)] = common.get(_key(found), seeds) & seeds
    return common


def _reduced(found: Measurement, seeds: frozenset[int]) -> Measurement:
    known = _by_seed(found)
    kept = {seed: value for seed, value in known.items() if seed in seeds}
    if not kept or len(kept) == len(known):
        return found
    several = len(kept) > 1
    value = _together(found, list(kept.values()))
    ends = _moved(found, value, len(known) / len(kept))
    low, high = (None, None) if found.unit in ABSOLUTE_UNITS and not several else ends
    return replaced(
        found, value=value, low=low, high=high, seeds=tuple(kept), by_seed=tuple(kept.values()),
        noise=_noise(found, list(kept.values())) if several else None,
    )  # fmt: skip


def _together(found: Measurement, values: Sequence[float]) -> float:
    """The mean, or the worst of a metric that is the worst of its seeds."""
    worst = min(found.by_seed) if found.better == "higher" else max(found.by_seed)
    if found.value == worst and not math.isclose(worst, fmean(found.by_seed)):
        return min(values) if found.better == "higher" else max(values)
    return fmean(values)


def _moved(found: Measurement, value: float, share: float) -> tuple[float | None, float | None]:
    if found.low is None or found.high is None:
        return None, None
    wider, (least, greatest) = math.sqrt(share), (0.0, 1.0) if found.share else limits(found.metric)
    low, high = value - wider * (found.value - found.low), value + wider * (found.high - found.value)
    return max(low, least), min(high, greatest)


def _noise(found: Measurement, values: Sequence[float]) -> float | None:
    if found.noise is None:
        return None
    mean = fmean(values)
    relative = found.unit in ABSOLUTE_UNITS
    return stdev(values) / mean if relative and mean else stdev(values)
