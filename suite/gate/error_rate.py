"""One error rate for a whole run: the more timings it judges, the further beyond drift each has to lie.

A stored bound is broken by drift alone in one run of a thousand, were its size known; a run of a hundred timings would
then block a merge of unchanged code every tenth time. So a run may err once in 200 in all, and each of its ``m``
timings once in ``200 m`` (Bonferroni; Dunn, Multiple comparisons among means, JASA 56 (1961)). That is the first step
of Holm's procedure (A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979)), which could
only add to a run that blocks already, and would have to wait for its last cell to say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from suite.core.metrics import is_paired
from suite.gate.power import strays

if TYPE_CHECKING:
    from suite.core.records import Expectation, Measurement

RUN_ERROR = 1 / 200


def bar(entry: Expectation, timings: int) -> float | None:
    """What a ratio of times has to lie below to have regressed in a run that judges so many.

    The stored bound, or further away: as far below the stored value as unchanged code strays in one run of
    ``200 timings``, by the spread of its runs and how well that is known. ``None`` without a lower bound.
    """
    if entry.low is None or not is_paired(entry.metric):
        return None
    reach = strays(entry, RUN_ERROR / max(1, timings)) * abs(entry.value)
    return min(entry.low, entry.value - reach)


def spared(measured: Measurement, entry: Expectation, limit: float | None, timings: int) -> str:
    """Why a ratio below its bound does not count in a run of so many timings, by their `bar`; empty where it does."""
    if limit is None or entry.low is None or measured.high is None or measured.high < limit:
        return ""
    if measured.high >= entry.low:
        return ""
    if limit <= 0:
        return "nothing is known yet of how runs differ; add more runs with `suite record FOLDER --drift`"
    return (
        f"not counted: with {timings} timings in a run the threshold for one false alarm in {1 / RUN_ERROR:.0f} runs "
        f"is {limit:.4g}; run this cell alone for a sharper test"
    )
