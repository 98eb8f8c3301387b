"""Runs one cell for a while, for a profiler to look at: ``python -m suite.analysis.profile.worker REQUEST``."""

from __future__ import annotations

import sys
from pathlib import Path
from time import monotonic

import msgspec

from suite.analysis.profile.cells import find_case
from suite.core.transport import from_line
from suite.registry import REGISTRY
from suite.registry.settings import load_user_modules


class ProfileRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A cell, its inference or training, for so many ``seconds``; ``load`` are modules of users that declare it."""

    cell: str
    what: str
    seconds: float
    load: tuple[str, ...] = ()


def main(text: str) -> None:
    """Repeat marked rounds of the cell. There is no answer: the profiler keeps what it sees."""
    from suite.analysis.profile.recording import marked_round
    from suite.analysis.profile.work import work
    from suite.bench.trained_store import TrainedStore
    from suite.core.machine.flags import applied

    request = from_line(text, ProfileRequest)
    load_user_modules(REGISTRY, Path.cwd(), list(request.load))
    case = find_case(REGISTRY, request.cell)
    found = work(case, TrainedStore(registry=REGISTRY, device=case.cell.device, trains=False), request.what)
    began, number = monotonic(), 0
    with applied(found.flags):
        while monotonic() - began < request.seconds:
            marked_round(found, number)
            number += 1


if __name__ == "__main__":
    main(sys.argv[1])
