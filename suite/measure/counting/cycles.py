"""Cycles that a call would take, estimated from valgrind's simulation of a cache. An estimate to read, never a gate.

``CEst`` of KCachegrind, which callgrind's manual names as its viewer: ``Ir + 10 L1m + 100 LLm``. ``Ir`` are executed
instructions, ``L1m`` misses of the first-level caches (``I1mr + D1mr + D1mw``), and ``LLm`` those of the last level
(``ILmr + DLmr + DLmw``). So a miss of the first level costs 10 cycles, one of the last 100 more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

OPTIONS = ("--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=8388608,16,64")
"""Of valgrind; caches of 32 KiB, 32 KiB and 8 MiB whatever the machine has, so that runners agree."""
FIRST_LEVEL, LAST_LEVEL = ("I1mr", "D1mr", "D1mw"), ("ILmr", "DLmr", "DLmw")
FIRST_COSTS, LAST_COSTS = 10, 100


def estimated(dumps: Sequence[str | Path]) -> int | None:
    """The least estimate of several files of callgrind's; ``None`` where no cache was simulated."""
    found = [cycles for dump in dumps if (cycles := _cycles(_events(Path(dump)))) is not None]
    return min(found, default=None)


def _cycles(events: Mapping[str, int]) -> int | None:
    if not {"Ir", *FIRST_LEVEL, *LAST_LEVEL} <= events.keys():
        return None
    first, last = (sum(events[name] for name in level) for level in (FIRST_LEVEL, LAST_LEVEL))
    return events["Ir"] + FIRST_COSTS * first + LAST_COSTS * last


def _events(dump: Path) -> dict[str, int]:
    """The totals of a file by the name of the event; a total that is 0 at the end of the line may be left out."""
    told = [line for line in dump.read_text("utf-8").splitlines() if line.startswith(("events:", "totals:"))]
    rows = dict(line.split(":", 1) for line in told)
    names, counts = rows.get("events", "").split(), rows.get("totals", "").split()
    return dict(zip(names, [*map(int, counts), *[0] * (len(names) - len(counts))], strict=True))
