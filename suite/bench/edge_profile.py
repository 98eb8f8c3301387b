"""The edge profile: one thread, one item at a time, and no more memory than a cap.

The cap applies to the rise of the peak resident set of a fresh process after it has loaded Python, torch, the data and
the finished network. The rise is the memory that quantizing, deploying and serving add. The baseline of a process is
hundreds of megabytes that no technique changes, and no device at the edge would hold it. The rise is measured and then
compared, since a limit of the address space (``RLIMIT_AS``) counts what is reserved and never touched too.
"""

from __future__ import annotations

from dataclasses import replace

from suite.core.errors import UnavailableError, UsageError
from suite.core.records import Measurement
from suite.core.units.quantities import parse_quantity, spell
from suite.gate.files.match import MEMORY_CAP

BATCH = 1
DEFAULT_CAP = "256MB"


def cap(text: str) -> int:
    """Bytes of a quantity like ``256MB``. Raises `UsageError` for anything else, or less than one byte."""
    found = int(parse_quantity(text, metric="--memory", unit="B"))
    if found < 1:
        raise UsageError(f"--memory must be at least 1 B, got {text!r}; the default is {DEFAULT_CAP}")
    return found


def require(rise: float, cap: int, batch: int) -> None:
    """Raise `UnavailableError` if a rise of the resident set, in bytes, is above the cap."""
    if rise > cap:
        need, most = spell(rise, "B", bound=cap), spell(cap, "B")
        raise UnavailableError(
            f"serving batch {batch} needs {need} of memory, and the cap is {most}; raise it with --memory"
        )


def under(found: Measurement, cap: int) -> Measurement:
    """The figure with the cap as one of its conditions."""
    return replace(found, conditions={**found.conditions, MEMORY_CAP: cap})
