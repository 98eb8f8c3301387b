"""The changes between two runs as lines for the terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from suite.core.units.values import number, unit_of
from suite.report.foreign import printable
from suite.report.tabular.difference import ChangeKind, MetricChange, counts, reasons

MOST = 40  # lines of one kind
UNPAIRED = (
    "The runs are not paired: ratios of times are compared as each run's ratio to its own control, and absolute times "
    "are not compared. `suite compare REF` pairs two revisions and sees smaller changes."
)
SHOWN = (ChangeKind.LOSS, ChangeKind.GAIN, ChangeKind.WENT, ChangeKind.APPEARED)


def lines(found: Sequence[MetricChange], before: str, after: str) -> Iterator[str]:
    """The headline, what changed, what went or appeared, and how many metrics were not compared and why."""
    yield printable(f"{before} -> {after}: {headline(found)}")
    yield UNPAIRED
    for kind in SHOWN:
        here = [one for one in found if one.kind is kind]
        yield from (f"{kind.upper()} {text_of(one)}" for one in here[:MOST])
        if len(here) > MOST:
            yield f"{kind.upper()} {len(here) - MOST} more; --json has all"
    for why, count in reasons(found).items():
        yield printable(f"not compared: {count} ({why})")


def headline(found: Sequence[MetricChange]) -> str:
    """``2 losses, 1 gain, 40 without a change shown``."""
    names = {
        ChangeKind.LOSS: ("loss", "losses"), ChangeKind.GAIN: ("gain", "gains"),
        ChangeKind.SAME: ("without a change shown",) * 2, ChangeKind.WENT: ("went",) * 2,
        ChangeKind.APPEARED: ("appeared",) * 2, ChangeKind.NOT_COMPARED: ("not compared",) * 2,
    }  # fmt: skip
    known = [(count, names[kind][count != 1]) for kind, count in counts(found).items() if count]
    return ", ".join(f"{count} {name}" for count, name in known) or "nothing to compare"


def text_of(one: MetricChange) -> str:
    """``digits_cnn amp_bf16 cpu speedup: 2.24 -> 2.1, times 0.938 [0.921, 0.955]``."""
    unit = unit_of(one.unit or "1")
    ends = " -> ".join("-" if value is None else f"{number(value)}{unit}" for value in (one.before, one.after))
    name = f"{one.workload} {one.technique} {one.device} {one.metric}"
    return printable(f"{name}: {ends}{_change(one)}")


def _change(one: MetricChange) -> str:
    if one.change is None or one.low is None or one.high is None:
        return ""
    interval = "" if one.low == one.high else f" [{number(one.low, digits=4)}, {number(one.high, digits=4)}]"
    if one.scale == "ratio":
        return f", times {number(one.change, digits=4)}{interval}"
    sign = "+" if one.change > 0 else ""
    return f", {sign}{number(one.change, digits=4)}{unit_of(one.unit or '1')}{interval}"


def to_json(found: Sequence[MetricChange], before: str, after: str, code: int) -> str:
    """Both runs, the exit code, the counts and every metric."""
    plain = {
        "schema": 1, "before": before, "after": after, "exit_code": code,
        "counts": {str(kind): count for kind, count in counts(found).items()},
        "changes": [asdict(one) for one in found],
    }  # fmt: skip
    return json.dumps(plain, indent=1, allow_nan=False)
