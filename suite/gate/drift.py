"""A machine's own ratio of times, kept for every run that recorded it: no run knows how the next one will differ.

Within a run the interval is narrow; between hours the ratio of two networks moves by several times that (caches,
neighbours, clocks). So an entry keeps what each run saw, and its bounds cover all of them.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from suite.core.metrics import METRICS
from suite.gate.bounds import knows_processes, over_hours, short
from suite.gate.files.match import ANEW, other_conditions, threads_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from suite.core.records import Expectation, Measurement, Where

CODE = ("torch",)  # another version of these is other code: what it was like with the old one says nothing
UNDATED = "before"
A_RUN = re.compile(rf"\d{{4}}-\d\d-\d\d|{UNDATED}$")


def over_time(
    entry: Expectation, measured: Measurement, stored: Expectation | None, where: Where, at: str
) -> Expectation:
    """``entry``, made of ``measured`` alone, with what earlier runs saw on this machine; ``at`` names this run.

    The value is the mean over runs, the bound is `over_hours`'s. The noise is the root mean square of
    this run's and of what was stored: a recording knows it from a few processes, and the greatest of many such figures
    would only grow. Figures that are not ratios of times, or whose earlier runs were under other conditions or other
    versions of torch, stay as they are.
    """
    if METRICS[entry.metric].judged != "interval":
        return entry
    earlier = _earlier(measured, stored, where)
    seen = {**earlier, at: entry.value}
    noise = entry.noise
    if stored is not None and earlier:
        noise = stored.noise if at in earlier else _pooled([entry.noise, stored.noise])
    low, high = over_hours(replace(measured, noise=noise), list(seen.values()))
    return replace(entry, value=short(fmean(seen.values())), low=low, high=high, noise=noise, seen=seen)


def why_not_joined(measured: Measurement, stored: Expectation | None, where: Where) -> str:
    """Why a run's figure cannot be added to those that an entry has seen; empty where it can."""
    if METRICS[measured.metric].judged != "interval":
        return "no ratio of times; only those drift"
    if stored is None:
        return "has no expectation on this machine yet; record it with several processes first"
    return "" if _earlier(measured, stored, where) else f"recorded under other conditions or torch; {ANEW}"


def with_run(stored: Expectation, measured: Measurement, at: str) -> Expectation:
    """``stored`` with one more run.

    A bound that recording computed follows the spread in either direction; one that was edited by hand is only widened.

    For gates, whose processes are too few to estimate their noise. If the noise is known (`suite aa`) and greater than
    the stored one, both count as in `over_time`. A run that the entry has seen already adds nothing.
    """
    if at in _seen(stored):
        return stored
    seen = {**_seen(stored), at: short(measured.value)}
    own = measured.noise if knows_processes(measured) else None
    noise = max((one for one in (_pooled([own, stored.noise]), stored.noise) if one is not None), default=None)
    before = over_hours(_recorded(stored, measured, stored.noise), list(_seen(stored).values()))
    low, high = over_hours(_recorded(stored, measured, noise), list(seen.values()))
    return replace(
        stored, value=short(fmean(seen.values())), seen=seen, noise=None if noise is None else short(noise),
        low=low if stored.low in (None, before[0]) or low is None else min(low, stored.low),
        high=None if high is None or stored.high is None else max(high, stored.high),
    )  # fmt: skip


def _recorded(stored: Expectation, measured: Measurement, noise: float | None) -> Measurement:
    """The measurement with the noise of an entry, known from as many processes as the entry has."""
    return replace(measured, noise=noise, processes=stored.processes or 1)


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
