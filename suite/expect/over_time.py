"""A machine's own ratio of times, kept for every run that recorded it: no run knows how the next one will differ.

Within a run the interval is narrow; between hours the ratio of two networks moves by several times that (caches,
neighbours, clocks). So an entry keeps what each run saw, and its bounds cover all of them.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from suite.expect.bounds import around, knows_processes, outward, short
from suite.expect.match import ANEW, other_conditions, threads_of
from suite.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from suite.records import Expectation, Measurement, Where

CODE = ("torch",)  # another version of these is other code: what it was like with the old one says nothing
UNDATED = "before"
A_RUN = re.compile(rf"\d{{4}}-\d\d-\d\d|{UNDATED}$")
DRIFT_SIGMAS = 3.1  # of a normal distribution: drift alone goes beyond it in one run of a thousand


def over_time(
    entry: Expectation, measured: Measurement, stored: Expectation | None, where: Where, at: str
) -> Expectation:
    """``entry``, made of ``measured`` alone, with what earlier runs saw on this machine; ``at`` names this run.

    The value is the mean over runs. The bound stands as far from the least favourable run as the noise within a run
    asks for, and at least 3.1 standard deviations of the runs from their mean. That noise is the root mean square of
    this run's and of what was stored: a recording knows it from a few processes, and the greatest of many such figures
    would only grow. Figures that are not ratios of times, or whose earlier runs were under other conditions or other
    versions of torch, stay as they are.
    """
    if METRICS[entry.metric].judged != "interval":
        return entry
    earlier = _earlier(measured, stored, where)
    seen = {**earlier, at: entry.value}
    if stored is None or not earlier:
        return replace(entry, seen=seen)
    noise = stored.noise if at in earlier else _pooled([entry.noise, stored.noise])
    low, high = _bounds(replace(measured, noise=noise), seen)
    return replace(entry, value=short(fmean(seen.values())), low=low, high=high, noise=noise, seen=seen)


def why_not_joined(measured: Measurement, stored: Expectation | None, where: Where) -> str:
    """Why a run's figure cannot be added to those that an entry has seen; empty where it can."""
    if METRICS[measured.metric].judged != "interval":
        return "no ratio of times; only those move with the hour"
    if stored is None:
        return "has no expectation on this machine yet; record it with several processes first"
    return "" if _earlier(measured, stored, where) else f"recorded under other conditions or torch; {ANEW}"


def with_run(stored: Expectation, measured: Measurement, at: str) -> Expectation:
    """``stored`` with one more run, which widens its bounds if need be and never sharpens them.

    For gates, whose processes are too few to know their noise; where it is known (`suite aa`) and greater than what is
    stored, both count as in `over_time`. A run that the entry has seen already adds nothing.
    """
    if at in _seen(stored):
        return stored
    seen = {**_seen(stored), at: short(measured.value)}
    own = measured.noise if knows_processes(measured) else None
    noise = max((one for one in (_pooled([own, stored.noise]), stored.noise) if one is not None), default=None)
    low, high = _bounds(replace(measured, noise=noise, processes=max(measured.processes, stored.processes or 1)), seen)
    return replace(
        stored, value=short(fmean(seen.values())), seen=seen, noise=None if noise is None else short(noise),
        low=None if low is None or stored.low is None else min(low, stored.low),
        high=None if high is None or stored.high is None else max(high, stored.high),
    )  # fmt: skip


def runs_of(stored: Expectation) -> Mapping[str, float]:
    """What single runs of one machine saw; nothing where ``seen`` names machines."""
    return {at: value for at, value in stored.seen.items() if A_RUN.match(at)}


def _pooled(noises: Sequence[float | None]) -> float | None:
    known = [noise for noise in noises if noise is not None]
    return short(math.sqrt(fmean(noise**2 for noise in known))) if known else None


def _earlier(measured: Measurement, stored: Expectation | None, where: Where) -> Mapping[str, float]:
    """What runs saw that can be put beside this one."""
    if stored is None or stored.retired or other_conditions(measured, stored):
        return {}
    if threads_of(stored) not in (None, measured.conditions.get("threads", where.threads)):
        return {}
    versions = stored.origin.versions
    if any(name in versions and versions[name] != where.versions.get(name) for name in CODE):
        return {}
    return _seen(stored)


def _seen(stored: Expectation) -> Mapping[str, float]:
    """Entries of one run do not name it: their origin's day stands for it."""
    return stored.seen or {stored.origin.date.isoformat() if stored.origin.date else UNDATED: stored.value}


def _bounds(measured: Measurement, seen: Mapping[str, float]) -> tuple[float | None, float | None]:
    """Around all that was seen, the noise being a share of the least; and as far as one run in a thousand drifts."""
    least, greatest = min(seen.values()), max(seen.values())
    low, high = around(replace(measured, value=least), least, greatest)
    middle, reach = fmean(seen.values()), DRIFT_SIGMAS * (stdev(seen.values()) if len(seen) > 1 else 0.0)
    lowest, highest = outward(measured, middle - reach, middle + reach)
    return None if low is None else min(low, lowest), None if high is None else max(high, highest)
