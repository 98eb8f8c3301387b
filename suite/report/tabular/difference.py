"""Two runs metric by metric: the change of each with its interval, and which metrics appeared or went.

The runs took place one after the other, so nothing pairs them. Each metric is compared by what does hold between runs:

- a ratio of times (`speedup`, ...) was measured against its own run's control, in turns. The change is the ratio of the
  two ratios; the controls cancel what slowed one run as a whole;
- absolute times (seconds, items a second) are not compared: the machine drifts between runs;
- other values with intervals by their difference, as independent values;
- exact counts and bytes exactly; sizes that follow trained weights beyond 2 %, memory and the bytes that a rank
  sends beyond 1 %, or beyond four standard deviations if that is more;
- quality without an interval (that of the worst seed) and other values of unknown noise not at all.

An interval covers the changes of all metrics together with 99 % (Bonferroni's inequality, normal errors), so unchanged
code shows any change in one comparison of 100. `suite compare` pairs two revisions, and sees smaller changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.core.metrics import ABSOLUTE_UNITS, METRICS, is_paired
from suite.core.stats.smallest import shows
from suite.report.columns import OWN_COPY
from suite.report.frames import records

if TYPE_CHECKING:
    import pandas as pd

FAMILY = 0.99
ASSUMED = 0.95  # confidence of an interval that names none: the wider reading
LEAST_CHANGE = {"size": 0.02, "memory": 0.01, "speed": 0.01}
"""Relative, as the gate's bounds have it: of sizes that are not exact, of memory, of the bytes that a rank sends."""
SIGMAS = 4.0
KEYS = ("machine", "workload", "technique", "device", "ranks", "metric")
USED = (
    *KEYS,
    "family",
    "group",
    "started",
    "value",
    "low",
    "high",
    "confidence",
    "noise",
    "unit",
    "better",
    "control",
    "tier",
    "batch",
)
CONDITIONS = ("batch", "threads", "precision")
Row = Mapping[str, Any]


class ChangeKind(StrEnum):
    """What the comparison of one metric says."""

    LOSS = "loss"
    GAIN = "gain"
    SAME = "no change shown"
    APPEARED = "appeared"
    WENT = "went"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, kw_only=True)
class MetricChange:
    """One metric of one cell in both runs.

    ``change`` is ``after / before`` if ``scale`` is ``ratio``, ``after - before`` in ``unit`` if it is ``difference``;
    ``low`` and ``high`` are its interval, equal to it for counts, `None` if nothing was compared. ``why`` says why.
    ``now_disturbed``: the first value could have been compared, and what the second run lacks or changed forbids it.
    """

    machine: str
    workload: str
    technique: str
    device: str
    ranks: int
    metric: str
    unit: str | None
    better: str | None
    before: float | None
    after: float | None
    kind: ChangeKind
    scale: Literal["ratio", "difference"] = "difference"
    change: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""
    now_disturbed: bool = False


def changes(before: pd.DataFrame, after: pd.DataFrame) -> list[MetricChange]:
    """The changes between two frames of `suite.report.load`, in the order of ``before``, then what appeared.

    Of several runs of one machine the last one counts. Runs of other machines are compared if each frame has one.
    Raises `UsageError` for frames of several machines of which none is the same.
    """
    across = _check_machines(before, after)
    first, second = _rows(before, across=across), _rows(after, across=across)
    known = [(first.get(key), second.get(key)) for key in dict.fromkeys((*first, *second))]
    count = sum(_has_intervals(a, b) and not _obstacle(a, b) for a, b in known if a and b)
    level = NormalDist().inv_cdf(1 - (1 - FAMILY) / 2 / max(count, 1))
    return [_changed(a, b, level) for a, b in known]


def diff(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The same as a frame: one row per metric, the fields of `MetricChange` as columns."""
    import pandas as pd  # heavy

    names = list(MetricChange.__dataclass_fields__)
    found = changes(before, after)
    columns = {name: [getattr(one, name) for one in found] for name in names}
    columns["kind"] = [str(one.kind) for one in found]
    return pd.DataFrame(columns, columns=names)


def _check_machines(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Whether the runs are of two machines."""
    ours, theirs = set(before["machine"]), set(after["machine"])
    if ours & theirs:
        return False
    if len(ours) > 1 or len(theirs) > 1:
        raise UsageError(
            f"no machine is in both: {', '.join(sorted(ours))}; {', '.join(sorted(theirs))}; select one of each"
        )
    return True


def _rows(frame: pd.DataFrame, *, across: bool) -> dict[tuple[Any, ...], Row]:
    """The measured rows by key; ``across`` machines the machine is no part of it."""
    last = frame.sort_values("started", kind="stable").groupby("machine", sort=False)["run"].last()
    known = frame[frame["value"].notna() & (frame["run"] == frame["machine"].map(last))]
    keys = KEYS[1:] if across else KEYS
    names = dict.fromkeys((*USED, *CONDITIONS, "suspect"))
    return {tuple(row[name] for name in keys): row for row in records(known[list(names)])}


def _changed(before: Row | None, after: Row | None, level: float) -> MetricChange:
    known = after or before
    assert known is not None  # noqa: S101  # a key comes from one of the two
    plain = MetricChange(
        **{name: known[name] for name in (*KEYS, "unit", "better")},
        before=None if before is None else before["value"], after=None if after is None else after["value"],
        kind=ChangeKind.NOT_COMPARED,
    )  # fmt: skip
    if before is None or after is None:
        return replace(plain, kind=ChangeKind.APPEARED if before is None else ChangeKind.WENT)
    if why := _obstacle(before, after):
        return replace(plain, why=why, now_disturbed=_now_disturbed(before, after))
    is_ratio = is_paired(known["metric"])
    ends = (_of_ratios if is_ratio else _of_values)(before, after, level)
    return _judged(replace(plain, scale="ratio" if is_ratio else "difference"), *ends)


def _judged(found: MetricChange, change: float, low: float, high: float) -> MetricChange:
    """With the change, its interval and what it shows."""
    still = 1.0 if found.scale == "ratio" else 0.0
    kind = ChangeKind.SAME
    if shows(low - still, high - still):
        kind = ChangeKind.GAIN if (low > still) == (found.better == "higher") else ChangeKind.LOSS
    return replace(found, kind=kind, change=change, low=low, high=high)


def _obstacle(before: Row, after: Row) -> str:
    """Why two values of a metric cannot be compared; empty if they can."""
    if disturbed := before["suspect"] or after["suspect"]:
        return f"disturbed: {disturbed}"
    place = {"family": "family", "local": "machine"}.get(after["tier"])
    for name in (*CONDITIONS, "unit", "better", "control", *([place] if place else [])):
        if before[name] != after[name]:
            return f"other {name}: {_plain(before[name])} and {_plain(after[name])}"
    if is_paired(after["metric"]):
        return _obstacle_of_ratios(before, after)
    if after["unit"] in ABSOLUTE_UNITS:
        return "absolute time: nothing pairs two runs"
    return "" if _has_intervals(before, after) or _repeats(before, after) else "no interval, and its noise is not known"


def _now_disturbed(before: Row, after: Row) -> bool:
    """Whether a value that could have been compared is not any more, wherever the second run was made."""
    here = {**after, "family": before["family"], "machine": before["machine"]}
    return bool(_obstacle(before, here)) and not _obstacle(before, before)


def _repeats(before: Row, after: Row) -> bool:
    """Whether a value without an interval comes out the same when it is measured again: counts, bytes, allocators."""
    known = METRICS.get(after["metric"])
    fresh = known is not None and known.needs_fresh_process and None in (before["noise"], after["noise"])
    return after["group"] != "quality" and not fresh


def _obstacle_of_ratios(before: Row, after: Row) -> str:
    if after["technique"] == BASELINE and after["metric"] in OWN_COPY:
        return "the baseline against its own copy"
    return "" if _has_ratios(before, after) else "no interval above zero"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _has_intervals(before: Row, after: Row) -> bool:
    return all(row[end] is not None for row in (before, after) for end in ("low", "high"))


def _has_ratios(before: Row, after: Row) -> bool:
    return _has_intervals(before, after) and min(before["low"], after["low"], before["value"], after["value"]) > 0


def _of_ratios(before: Row, after: Row, level: float) -> tuple[float, float, float]:
    """``after / before`` of two ratios of times, its interval on the logarithmic scale."""
    change, low, high = (math.exp(one) for one in _independent(_logarithms(before), _logarithms(after), level))
    return change, low, high


def _logarithms(row: Row) -> Row:
    return {**row, **{name: math.log(row[name]) for name in ("value", "low", "high")}}


def _of_values(before: Row, after: Row, level: float) -> tuple[float, float, float]:
    if _has_intervals(before, after):
        return _independent(before, after, level)
    change = after["value"] - before["value"]
    if after["tier"] == "exact":
        return change, change, change
    noise = max(before["noise"] or 0.0, after["noise"] or 0.0)
    reach = max(LEAST_CHANGE.get(after["group"], 0.0), SIGMAS * noise) * abs(before["value"])
    return change, change - reach, change + reach


def _independent(before: Row, after: Row, level: float) -> tuple[float, float, float]:
    """The difference of two independent values; ``level`` is the number of standard errors that it reaches."""
    change = after["value"] - before["value"]
    down = math.hypot(_error(after, "low"), _error(before, "high"))
    up = math.hypot(_error(after, "high"), _error(before, "low"))
    return change, change - level * down, change + level * up


def _error(row: Row, end: str) -> float:
    """The standard error to one side, from that end of the interval."""
    reach = NormalDist().inv_cdf((1 + (row["confidence"] or ASSUMED)) / 2)
    return float(abs(row[end] - row["value"]) / reach)


# -- as text ----------------------------------------------------------------------------------------------------------


def counts(found: Sequence[MetricChange]) -> dict[ChangeKind, int]:
    """How many metrics of each kind there are, in the order of `ChangeKind`."""
    return {kind: sum(one.kind is kind for one in found) for kind in ChangeKind}


def reasons(found: Iterable[MetricChange]) -> dict[str, int]:
    """How many metrics were not compared for each reason, names of conditions without their values."""
    known: dict[str, int] = {}
    for one in found:
        if one.kind is ChangeKind.NOT_COMPARED:
            why = one.why.partition(":")[0] if one.why.startswith(("other ", "disturbed")) else one.why
            known[why] = known.get(why, 0) + 1
    return known
