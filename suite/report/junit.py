"""What a JUnit file says of each verdict: properties of its test."""

from __future__ import annotations

from collections.abc import Iterable

from suite.core.records import Verdict
from suite.report.summary import bound


def properties(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    """Names and texts: ``speedup.verdict``, ``.value``, ``.low``, ``.high``, ``.unit``, ``.bound``, ``.code``,
    ``.threshold``, ``.detectable``, ``.reason``.

    What a verdict lacks is left out; numbers are in full. A verdict on a whole group bears the group's name.
    """
    return [(f"{verdict.metric or verdict.group}.{name}", text) for verdict in verdicts for name, text in _of(verdict)]


def _of(verdict: Verdict) -> list[tuple[str, str]]:
    found, entry = verdict.measurement, verdict.expectation
    said = [("verdict", str(verdict.kind))]
    if found is not None:
        ends = {"value": found.value, "low": found.low, "high": found.high}
        said += [(name, repr(number)) for name, number in ends.items() if number is not None]
        said.append(("unit", found.unit))
    if entry is not None:
        said.append(("bound", f"{bound(found, entry)} ({entry.path}:{entry.line})"))
    numbers = {"threshold": verdict.threshold, "detectable": verdict.detectable}
    said += [] if verdict.code is None else [("code", str(verdict.code))]
    said += [(name, repr(number)) for name, number in numbers.items() if number is not None]
    return [*said, ("reason", verdict.reason)] if verdict.reason else said
