"""One error rate for a whole run: the more timings it judges, the stricter the threshold of each.

Drift alone breaks a stored bound in one run of a thousand, if its variance is known. A run of a hundred timings would
then block a merge of unchanged code every tenth time. So the family-wise error is 1/200 a run, and that of each of its
``m`` timings is ``1 / (200 m)`` (Bonferroni; Dunn, Multiple comparisons among means, JASA 56 (1961)). This is the first
step of Holm's procedure (A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979)). Its
further steps could only add regressions to a run that blocks already, and need all cells of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from suite.core.metrics import is_paired
from suite.gate.power import strays

if TYPE_CHECKING:
    from suite.core.records import Expectation, Measurement

RUN_ERROR = 1 / 200


def bar(entry: Expectation, timings: int) -> float | None:
    """The threshold of a ratio of times in a run that judges so many: it has regressed if it is below.

    The stored bound, or a lower threshold that unchanged code crosses in one run of ``200 timings``. That one follows
    from the spread of its runs and from how well the spread is known. ``None`` without a lower bound.
    """
    if entry.low is None or not is_paired(entry.metric):
        return None
    reach = strays(entry, RUN_ERROR / max(1, timings)) * abs(entry.value)
    return min(entry.low, entry.value - reach)


def spared(measured: Measurement, entry: Expectation, limit: float | None, timings: int) -> str:
    """Why a ratio below its bound does not count in a run of so many timings: it is above their `bar`; else empty."""
    if limit is None or entry.low is None or measured.high is None or measured.high < limit:
        return ""
    if measured.high >= entry.low:
        return ""
    if limit <= 0:
        return "the spread between runs is not known yet; add more runs with `suite record FOLDER --drift`"
    return (
        f"not counted: with {timings} timings in a run the threshold for one false alarm in {1 / RUN_ERROR:.0f} runs "
        f"is {limit:.4g}; run this cell alone for a sharper test"
    )
