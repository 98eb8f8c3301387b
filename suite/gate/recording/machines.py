"""Make entries of measurements, so that one entry holds on every machine that it speaks for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from suite.core.records import Better, Expectation, Measurement, Where
from suite.gate.bounds import around, below, least_favourable, propose, short, stored_value
from suite.gate.drift import over_time
from suite.gate.files.match import HARDWARE, OF_KERNELS, device_of, other_conditions, other_data, threads_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

ANYWHERE = "any"


def level_of(measured: Measurement, where: Where) -> str:
    """Ratios of times belong to the machine, as times do, until a second machine of the family has one (`shared`).

    So do errors of outputs on accelerators, whose kernels round in other ways than those of CPUs.
    """
    if measured.tier in ("family", "local") or (measured.metric in OF_KERNELS and device_of(where.machine) != "cpu"):
        return where.machine
    return ANYWHERE


def expectation(
    measured: Measurement, stored: Expectation | None, where: Where, *, at: str, anew: bool = False
) -> Expectation:
    """The entry of a measurement of the run ``at``; ``stored`` is what it replaces.

    Ratios of times keep the values of this machine's earlier runs, or drop them with ``anew`` (`over_time`).

    An entry for all machines keeps the values of the other machines in ``seen``. Its value is the least favourable of
    them, and this measurement's noise gives the bound's distance. So recording on one machine never fails another
    machine's own value. ``by_seed`` is the least favourable of each seed likewise.
    """
    entry = _alone(measured, where)
    if entry.level != ANYWHERE:
        return over_time(entry, measured, None if anew else stored, where, at)
    comparable = stored is not None and not other_conditions(measured, stored) and not other_data(stored, where)
    others = {key: value for key, value in stored.seen.items() if key != where.machine} if stored and comparable else {}
    seen = {**others, where.machine: entry.value}
    if stored is None or not others or measured.tier == "exact":
        return replace(entry, seen=seen)
    low, high = around(measured, min(measured.value, *others.values()), max(measured.value, *others.values()))
    by_seed = _worst_of_each(entry.by_seed, stored.by_seed, entry.better)
    return replace(
        entry, seen=seen, value=least_favourable(seen.values(), entry.better), low=low, high=high, by_seed=by_seed
    )


def shared(
    entries: Iterable[Expectation], stored: Iterable[Expectation], families: Mapping[str, str], where: Where
) -> Iterator[Expectation]:
    """Entries of the family for this machine's new ``entries`` that another machine of the family has as well.

    ``families`` gives the family of each machine's folder. The bound is the least of the machines' bounds.
    """
    others: dict[tuple[str, str, str], list[Expectation]] = {}
    for entry in stored:
        if entry.level != where.machine and families.get(entry.level) == where.family and not entry.retired:
            others.setdefault((entry.workload, entry.technique, entry.metric), []).append(entry)
    for entry in entries:
        alike = [
            other
            for other in others.get((entry.workload, entry.technique, entry.metric), [])
            if _same_conditions(entry, other, where) and "host" not in other.conditions
        ]
        if _is_shared(entry) and alike:
            yield _of_family([entry, *alike], where.family)


def _is_shared(entry: Expectation) -> bool:
    """Whether machines of one family can have an entry together: not where the host's speed decides, which no family
    has in common.
    """
    of_family = entry.tier == "family" or entry.metric in OF_KERNELS
    return of_family and entry.level != ANYWHERE and "host" not in entry.conditions


def _alone(measured: Measurement, where: Where) -> Expectation:
    """The entry as this machine's figure alone gives it."""
    low, high = propose(measured)
    level = level_of(measured, where)
    noise = measured.noise if measured.noise is not None and math.isfinite(measured.noise) else None
    return Expectation(
        workload=measured.cell.workload,
        technique=measured.cell.technique,
        metric=measured.metric,
        level=level,
        value=stored_value(measured),
        low=low,
        high=high,
        unit=measured.unit,
        better=measured.better,
        tier=measured.tier,
        seeds=len(measured.seeds) or None,
        processes=measured.processes if measured.processes > 1 else None,
        noise=None if noise is None else float(f"{noise:.4g}"),
        conditions={k: v for k, v in measured.conditions.items() if level != ANYWHERE or k not in HARDWARE},
        by_seed=_by_seed(measured),
        fingerprint=dict(measured.fingerprint),
    )


def _by_seed(measured: Measurement) -> dict[int, float]:
    """A quality's values by seed, as they are stored."""
    if measured.tier != "portable" or len(measured.by_seed) != len(measured.seeds):
        return {}
    return {seed: short(value) for seed, value in zip(measured.seeds, measured.by_seed, strict=True)}


def _of_family(entries: Collection[Expectation], family: str) -> Expectation:
    first, *_ = entries
    lows, highs = ([getattr(entry, side) for entry in entries] for side in ("low", "high"))
    value = least_favourable([entry.value for entry in entries], first.better)
    noise = max((entry.noise for entry in entries if entry.noise is not None), default=None)
    least = None if None in lows else min(*lows, below(value, noise or 0.0))  # the least one's with anyone's noise
    return replace(
        first, level=family, value=value, low=least, high=None if None in highs else max(highs), noise=noise,
        processes=min(entry.processes or 1 for entry in entries), seen={e.level: e.value for e in entries},
    )  # fmt: skip


def _same_conditions(entry: Expectation, other: Expectation, where: Where) -> bool:
    """Equal but for the host; threads may stand in the file's origin."""
    here, there = (
        {key: value for key, value in one.conditions.items() if key not in HARDWARE} for one in (entry, other)
    )
    threads = entry.conditions.get("threads", where.threads)
    return here == there and threads_of(other) in (None, threads)


def _worst_of_each(new: Mapping[int, float], old: Mapping[int, float], better: Better) -> dict[int, float]:
    return {seed: least_favourable([value, old.get(seed, value)], better) for seed, value in new.items()}
