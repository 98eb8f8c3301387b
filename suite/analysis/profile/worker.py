"""Runs one cell for a while, for a profiler to look at: ``python -m suite.analysis.profile.worker CELL WHAT S``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from suite.analysis.profile.cells import find_case
from suite.registry import REGISTRY
from suite.registry.settings import load_user_modules


def main(arguments: Sequence[str]) -> None:
    """Repeat marked rounds of the cell for the seconds asked for; further arguments are modules to load."""
    from suite.analysis.profile.recording import marked_round
    from suite.analysis.profile.work import work
    from suite.bench.trained_store import TrainedStore
    from suite.core.machine.flags import applied

    cell, what, seconds, *load = arguments
    load_user_modules(REGISTRY, Path.cwd(), list(load))
    case = find_case(REGISTRY, cell)
    found = work(case, TrainedStore(registry=REGISTRY, device=case.cell.device, trains=False), what)
    began, number = monotonic(), 0
    with applied(found.flags):
        while monotonic() - began < float(seconds):
            marked_round(found, number)
            number += 1


if __name__ == "__main__":
    main(sys.argv[1:])
