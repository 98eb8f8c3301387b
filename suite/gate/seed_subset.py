"""A quality of other seeds than were recorded: of more, those that were; of fewer, the bounds that hold for them.

A mean over further seeds, and the worst of them, are other figures than were stored.

They lie about the values that this machine stored for these very seeds, else about the entry's own. A mean over ``n``
seeds spreads as ``1 / sqrt(n)``, so that fewer seeds get wider bounds; only a figure that is no share of items keeps
those of all seeds where its own seeds are stored, since nothing tells when it has too few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suite.core.metrics import WORST_SEED, metric
from suite.gate.bounds import ROUNDED, around, over_seeds
from suite.gate.wording import figure

if TYPE_CHECKING:
    from suite.core.records import Expectation, Measurement, Where


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """``low`` and ``high``, and the value that they lie about. ``note`` says how they differ from the entry's.

    ``same_items`` says that the value is of the items that were tested now.
    """

    value: float
    low: float | None
    high: float | None
    same_items: bool = True
    note: str = ""


def as_known_at(where: Where, entry: Expectation) -> Expectation:
    """The entry without its values by seed where they are those of another machine or of another version of torch.

    A seed trains to the same network only where the kernels round alike. Elsewhere its value is one more draw, and the
    bounds of fewer seeds have to be wide enough for it. An entry that names no machine was written by hand.
    """
    if not entry.by_seed or not entry.seen or (_same_torch(entry, where) and _holds_seeds_of(entry, where.machine)):
        return entry
    return replace(entry, by_seed={})


def _same_torch(entry: Expectation, where: Where) -> bool:
    here = where.versions.get("torch")
    return entry.origin.versions.get("torch", here) == here


def _holds_seeds_of(entry: Expectation, machine: str) -> bool:
    """Of several machines the least favourable of each seed is stored: together no better than any of them."""
    own = entry.seen.get(machine)
    if own is None:
        return False
    values = list(entry.by_seed.values())
    together = over_seeds(entry, values)
    slack = ROUNDED * max(map(abs, (*values, own)))
    return together <= own + slack if entry.better == "higher" else together >= own - slack


def of_recorded_seeds(measured: Measurement, entry: Expectation) -> Measurement:
    """The measurement of the seeds that were recorded, if it has more; its interval grows with what is left out.

    Where the entry does not name them, they are as many of the first ones.
    """
    known = dict(zip(measured.seeds, measured.by_seed, strict=False))
    if not _over_seeds(measured, entry) or len(known) <= (entry.seeds or 0) or len(known) < len(measured.seeds):
        return measured
    wanted = entry.by_seed.keys() & known.keys() or set(sorted(known)[: entry.seeds])
    kept = {seed: value for seed, value in known.items() if seed in wanted}
    value = over_seeds(entry, list(kept.values()))
    wider = math.sqrt(len(known) / len(kept))
    low, high = (
        None if end is None else value + wider * (end - measured.value) for end in (measured.low, measured.high)
    )
    return replace(
        measured, value=value, low=low, high=high, seeds=tuple(kept), by_seed=tuple(kept.values()),
        noise=measured.noise if len(kept) > 1 else None,
    )  # fmt: skip


def bounds_of(measured: Measurement, entry: Expectation) -> Bounds:
    """The entry's bounds, or those of the seeds that were measured, or of a size that is not exact."""
    if entry.tier == "exact" and measured.tier != "exact" and entry.low == entry.high:
        return _of_inexact(measured, entry)
    if not _fewer_seeds(measured, entry):
        return Bounds(value=entry.value, low=entry.low, high=entry.high)
    if entry.by_seed.keys() >= set(measured.seeds):
        return _of_same_seeds(measured, entry)
    return _widened(measured, entry)


def _over_seeds(measured: Measurement, entry: Expectation) -> bool:
    judged = metric(measured.metric).judged
    return entry.tier != "exact" and measured.group == "quality" and judged != "interval" and bool(entry.seeds)


def _fewer_seeds(measured: Measurement, entry: Expectation) -> bool:
    return _over_seeds(measured, entry) and 0 < len(measured.seeds) < (entry.seeds or 0)


def _of_inexact(measured: Measurement, entry: Expectation) -> Bounds:
    """Of an entry that was stored as exact: whether a size is exact is for what measures it to say."""
    low, high = around(measured, entry.value, entry.value)
    return Bounds(value=entry.value, low=low, high=high)


def _of_same_seeds(measured: Measurement, entry: Expectation) -> Bounds:
    values = [entry.by_seed[seed] for seed in measured.seeds]
    reference = over_seeds(entry, values)
    factor = _factor(measured, entry) if measured.share else 1.0
    low, high = _wider(_provable(entry), entry.value, reference, factor)
    seeds = ", ".join(str(seed) for seed in measured.seeds)
    note = f"compared with {figure(reference)}, stored for the same seeds ({seeds})"
    note += f", its margin {factor:.3g} times as wide" if factor > 1 else ""
    return Bounds(value=reference, low=low, high=high, note=note)


def _provable(entry: Expectation) -> tuple[float | None, float | None]:
    """The bounds that a few seeds can be held against: of several machines the least favourable values are stored,
    beyond which nothing proves an improvement.
    """
    if len(entry.seen) < 2:  # noqa: PLR2004  # one machine
        return entry.low, entry.high
    return (entry.low, None) if entry.better == "higher" else (None, entry.high)


def _widened(measured: Measurement, entry: Expectation) -> Bounds:
    factor = _factor(measured, entry)
    low, high = _wider((entry.low, entry.high), entry.value, entry.value, factor)
    note = f"bounds widened by {factor:.3g}: {len(measured.seeds)} seeds, recorded with {entry.seeds}"
    return Bounds(value=entry.value, low=low, high=high, same_items=False, note=note if factor > 1 else "")


def _factor(measured: Measurement, entry: Expectation) -> float:
    """The worst of fewer seeds is no worse: its bound holds as it is."""
    if measured.metric.endswith(WORST_SEED):
        return 1.0
    return math.sqrt((entry.seeds or 1) / len(measured.seeds))


def _wider(
    bounds: tuple[float | None, float | None], value: float, reference: float, factor: float
) -> tuple[float | None, float | None]:
    low, high = (None if bound is None else reference + (bound - value) * factor for bound in bounds)
    return low, high
