"""The noise that a study found, kept with the stored expectations: it can only widen their bounds."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from suite.analysis.aa.figures import trusted
from suite.core.machine import core, quiet
from suite.core.records import Measurement, RunHeader

if TYPE_CHECKING:
    from suite.gate.recording.record import Recorded


def ratios(processes: Sequence[Mapping[str, Measurement]]) -> list[Measurement]:
    """Each ratio of times as the mean over the processes that none doubts, with their spread as its noise.

    A metric that fewer than four of them know is left out.
    """
    from suite.bench.workers.fresh_processes import replicated

    return [replicated(own[:1], [{one.metric: one} for one in own[1:]])[0] for own in trusted(processes)]


def store(
    found: Sequence[Measurement], directory: Path, *, run: str, processes: int, digests: Mapping[str, str]
) -> Recorded:
    """Add the ratios, as those of one more run, and their noise to the entries of this machine that exist.

    ``digests`` name the workloads' data. Raises `ExpectationFileError` for a malformed file.
    """
    from suite.core.machine.hardware import device_type, git_commit, where
    from suite.gate.recording.record import Storing, record

    here = where(found[0].cell.device, digests)
    if device_type(here.device) == "cpu":
        here = replace(here, threads=quiet.threads())  # of the processes that measured, not of this one
    header = RunHeader(
        run=run, started=datetime.now(UTC).isoformat(timespec="seconds"), command=shlex.join(["suite", *sys.argv[1:]]),
        commit=git_commit(Path.cwd()), where=here, seeds=(0,), profile="default",
        quiet=core.TAKEN not in os.environ, processes=processes,
    )  # fmt: skip
    return record(found, header=header, directory=directory, how=Storing(drift=True))
