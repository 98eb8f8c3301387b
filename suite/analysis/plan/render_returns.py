"""Returns as tables for the terminal, as plain data, and in sentences: what is not known and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from suite.analysis.plan.interval_arithmetic import ValueInterval
from suite.analysis.plan.layout import aligned, wrapped
from suite.analysis.plan.payback import Payback
from suite.analysis.plan.returns import Return
from suite.core.prices import NUMBERS, Prices
from suite.core.stats.smallest import shows, smallest_effect
from suite.core.units.values import change, points
from suite.report.columns import compared, plainly

ELSEWHERE = "see --json"
GAINS = {
    "inference time": "inference_saved",
    "training time": "training_saved",
    "bytes": "bytes_saved",
    "memory": "memory_saved",
    "MACs": "macs_saved",
    "training step": "training_step_saved",
}
LEGEND = (
    "Against the baseline; a minus is less, a plus more, in percent of the baseline's. 'shows from' is the smallest "
    "difference of the score that the cell could have shown. Money and energy are what a million inferences at the "
    "serving batch save; the baseline's throughput, which has no interval, is taken as known."
)
MISSING = (
    (("second",), "neither hour nor watts and kwh: money saved and pay-back times are left out"),
    (("items_per_day",), "no items_per_day: pay-back times are left out"),
    (("watts",), "no watts: energy is left out if it was not measured"),
    (("adoption",), "engineer_hour and adoption_hours are not both given: the work of adoption is not counted"),
    (("gb_month",), "no gb_month: storage is not counted"),
)


def text(found: Sequence[Return], prices: Prices, width: int) -> str:
    """A table of gains and one of money for each workload and device, and what is missing from them."""
    parts = [
        list(_place(place, [one for one in found if one.place == place], prices, width)) for place in _places(found)
    ]
    missing = [line for sentence in absent(prices) for line in wrapped(sentence, width, indent="")]
    legend = wrapped(LEGEND, width, indent="")
    return "\n\n".join("\n".join(lines) for lines in (*parts, [*legend, *missing]))


def plain(found: Iterable[Return], prices: Prices) -> dict[str, Any]:
    """All returns as dictionaries, lists, numbers and texts; a pay-back that never comes is ``null``."""
    given = {name: getattr(prices, name) for name in ("currency", "source", "hour", *NUMBERS)}
    return {"schema": 1, "prices": given, "missing": list(absent(prices)), "returns": [_plain(one) for one in found]}


def absent(prices: Prices) -> Iterator[str]:
    """A sentence for each price whose columns are left out."""
    if prices == Prices():
        yield "No prices: give --prices for money, energy and pay-back times; `suite roi --example` writes a file."
        return
    for names, sentence in MISSING:
        if all(getattr(prices, name) is None for name in names):
            yield f"{sentence[0].upper()}{sentence[1:]}."


def _places(found: Iterable[Return]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(one.place for one in found))


def _place(place: tuple[str, str], rows: Sequence[Return], prices: Prices, width: int) -> Iterator[str]:
    names = [one.technique for one in rows]
    yield f"{place[0]} on {place[1]}"
    yield from aligned(names, _gains(rows), width, elsewhere=ELSEWHERE)
    if money := _money(rows, prices):
        yield ""
        yield from aligned(names, money, width, elsewhere=ELSEWHERE)
    yield from _notes(rows, width)


def _gains(rows: Sequence[Return]) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    if any(one.quality for one in rows):
        columns[_title(rows)] = [_quality(one) for one in rows]
        columns["shows from"] = [_shows_from(one) for one in rows]
        columns["in %"] = [_in_percent(one) for one in rows]
    for title, name in GAINS.items():
        if any(getattr(one, name) is not None for one in rows):
            columns[title] = [_less(getattr(one, name)) for one in rows]
    return columns


def _title(rows: Sequence[Return]) -> str:
    score = rows[0].score
    return "quality" if score is None else f"{score.name}{' points' if _share(rows[0]) else ''}"


def _share(one: Return) -> bool:
    """Whether the score is read in percentage points."""
    return one.score is not None and one.score.unit == "1" and one.score.better == "higher"


def _quality(one: Return) -> str:
    found, share = one.quality, _share(one)
    if found is None:
        return "-"
    if not found.interval:
        return f"{points(found.value) if share else change(found.value)} [?]"
    return compared(found.value, found.low, found.high, share=share, ends="shown").removesuffix(" points")


def _shows_from(one: Return) -> str:
    """The smallest gain that the comparison could have shown."""
    found = one.quality
    if found is None or not found.interval:
        return "-"
    return plainly(smallest_effect(found.value, found.low, found.high), share=_share(one))


def _in_percent(one: Return) -> str:
    """A gain in percent of the baseline's score; none where it cannot be told from no gain."""
    found, gain = one.quality_share, one.quality
    hidden = gain is not None and gain.interval and not shows(gain.low, gain.high)
    return "-" if found is None or hidden else f"{100 * found.value:+.2f}"


def _less(saved: ValueInterval | None) -> str:
    """A saving as people read it: ``-60.0 %`` is less."""
    return "-" if saved is None else f"{_with_ends(saved, _percent, turned=True)} %"


def _percent(saved: float) -> str:
    return f"{round(-100 * saved, 1) + 0.0:+.1f}"


def _with_ends(found: ValueInterval, show: Callable[[float], str], *, turned: bool = False) -> str:
    if not found.interval:
        return f"{show(found.value)} [?]"
    if found.low == found.high:
        return show(found.value)
    ends = (found.high, found.low) if turned else (found.low, found.high)
    return f"{show(found.value)} [{', '.join(map(show, ends))}]"


def _money(rows: Sequence[Return], prices: Prices) -> dict[str, list[str]]:
    columns = {
        "pays back": ["-" if one.pays_back is None else str(one.pays_back) for one in rows],
        f"{prices.currency} per million": [_amount(one.money) for one in rows],
        "kWh per million": [_amount(one.energy) for one in rows],
        "longer training, s": [_amount(one.training_seconds) for one in rows],
    }
    return {title: texts for title, texts in columns.items() if set(texts) != {"-"}} if prices != Prices() else {}


def _amount(found: ValueInterval | None) -> str:
    return "-" if found is None else _with_ends(found, lambda value: f"{float(f'{value:.3g}') + 0.0:g}")


def _notes(rows: Sequence[Return], width: int) -> Iterator[str]:
    """Notes on qualities that were not compared by pairs, on the source of energies, and on suspect values."""
    for how in dict.fromkeys(one.quality.how for one in rows if one.quality is not None):
        names = ", ".join(one.technique for one in rows if one.quality is not None and one.quality.how == how)
        if how != "paired":
            yield from wrapped(f"quality {how}: {names}", width)
    for how in dict.fromkeys(one.energy.how for one in rows if one.energy is not None):
        yield from wrapped(f"energy: {how}", width)
    for one in rows:
        for suspect in one.suspects:
            yield from wrapped(f"suspect: {one.technique}, {suspect}", width)
    if any(one.pays_back is not None and one.training_seconds is None for one in rows):
        yield from wrapped("pay-back times count no training if none was measured", width)


def _plain(one: Return) -> dict[str, Any]:
    names = [field.name for field in fields(one) if field.name not in ("place", "technique", "score", "suspects")]
    figures = {name: _figure(getattr(one, name)) for name in names}
    about = {"workload": one.place[0], "device": one.place[1], "technique": one.technique}
    score = None if one.score is None else {"name": one.score.name, "unit": one.score.unit}
    return {**about, "score": score, **figures, "suspects": list(one.suspects)}


def _figure(found: ValueInterval | Payback | None) -> dict[str, Any] | None:
    if found is None:
        return None
    low, high = (found.low, found.high) if found.interval else (None, None)
    ends = [None if end == float("inf") else end for end in (found.value, low, high)]
    if isinstance(found, Payback):
        return dict(zip(("days", "low", "high"), ends, strict=True)) | {"never": found.value == float("inf")}
    return dict(zip(("value", "low", "high"), ends, strict=True)) | {"how": found.how}
