"""What the gate said over all loads: false alarms on identical code, and what it found of planted work, how soon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from studies.gate.decision_log import Row
from studies.gate.session import SHARES
from studies.gate.table import CONFIDENCE, INCONCLUSIVE, REGRESSED, share
from suite.core.stats.intervals import wilson
from suite.core.stats.sequential import SHARES as LOOKS

LATE = 1.25  # times a look's budget: rounds are whole


def overall(rows: Sequence[Row]) -> Iterator[str]:
    """One line for identical code and one for each slowdown that was planted."""
    for planted in SHARES:
        chosen = [row for row in rows if row["planted"] == planted]
        if chosen:
            yield _planted(planted, chosen) if planted else _identical(chosen)


def _identical(rows: Sequence[Row]) -> str:
    alarms, open_ = _of(rows, REGRESSED), _of(rows, INCONCLUSIVE)
    _, high = wilson(len(alarms), len(rows), CONFIDENCE)
    disturbed = sum(map(_was_disturbed, open_))
    return (
        f"Identical code, all loads: regressed in {len(alarms)} of {len(rows)} decisions (at most {high:.2%} with 95 % "
        f"confidence), inconclusive in {len(open_)}, {disturbed} of these because the sample was disturbed."
    )


def _planted(planted: float, rows: Sequence[Row]) -> str:
    calm = [row for row in rows if not _was_disturbed(row)]
    hits = _of(calm, REGRESSED)
    told = f"{planted:.0%} more work, all loads: regressed in {len(hits)} of {len(calm)} decisions"
    if calm:
        told += f" that nothing disturbed ({share(len(hits), len(calm))})"
    told += "".join(f", {count} after {seconds:g} s" for seconds, count in sorted(Counter(map(_look, hits)).items()))
    passed = sum(row["verdict"] not in (REGRESSED, INCONCLUSIVE) for row in rows)
    return f"{told}; {len(rows) - len(calm)} were disturbed; {passed} passed."


def _of(rows: Sequence[Row], verdict: str) -> list[Row]:
    return [row for row in rows if row["verdict"] == verdict]


def _was_disturbed(row: Row) -> bool:
    """Where a sample says why it cannot be trusted, a decision is open whatever it shows."""
    return bool(row["suspect"])


def _look(row: Row) -> float:
    """Seconds of the look at which the gate's first sample ended: one, two or four budgets."""
    ends = [float(row["budget"]) * one / LOOKS[0] for one in LOOKS]
    return next((end for end in ends if row["seconds"] <= LATE * end), ends[-1])
