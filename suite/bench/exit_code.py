"""The exit code of ``suite bench``, decided twice: by the run's process, and by its parent from the run's records.

Users' modules and ``conftest.py`` share a process with the run, and may end it early or change its exit code. The
parent process loads none of them. `suite.core.exit_codes` has the codes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from suite.bench.completeness import left_out_line
from suite.bench.failing import failing
from suite.bench.options import ENDED, Options
from suite.bench.trust import doubt
from suite.core.errors import ResultsError
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_NOTHING, EXIT_PASS, EXIT_UNUSABLE
from suite.core.records import Group, VerdictKind
from suite.report.endings import run_end
from suite.report.results.folder import RunFolder

if TYPE_CHECKING:
    from suite.bench.resolved_cell import Case
    from suite.bench.run import Run

PYTEST_PASSED, PYTEST_FAILED = 0, 1
KNOWN = frozenset({*range(6), EXIT_INCONCLUSIVE, EXIT_UNUSABLE, EXIT_NOTHING})
"""pytest's own exit codes, which keep their meaning, and ours."""
LISTING = frozenset(
    ("--collect-only", "--collectonly", "--co", "--version", "-V", "--markers", "--fixtures", "--fixtures-per-test")
)
"""Arguments of pytest that make it print something instead of measuring."""
CUT_SHORT = (
    "nothing was gated: the process ended early with exit code 0; look for os._exit() in a conftest.py or a workload"
)
NO_RUN = (
    "nothing was gated: pytest ended with exit code 0 and measured no run; look for a conftest.py that deselects tests"
)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How pytest ended: its status, failed tests, a crash outside of a verdict, the groups whose tests it collected."""

    status: int = PYTEST_PASSED
    failures: int = 0
    crashed: bool = False
    collected: Collection[tuple[Case, Group]] = ()


def of_run(run: Run, ending: Ending) -> tuple[int, str]:
    """The exit code of a finished run, and a message (empty if its verdicts explain the code).

    11 if a workload is at fault; 1 if something failed; 10 if a metric that must be decided is inconclusive, or the
    whole run is; 12 if every cell is unavailable, or a gate did not measure what it planned; else 0.
    """
    if ending.crashed:
        return EXIT_FAILED, ""
    if run.faults:
        return EXIT_UNUSABLE, "\n".join(run.faults.values())
    retracted = ending.status == PYTEST_FAILED and ending.failures <= run.taken_back
    code = of_verdicts(run) or (EXIT_INCONCLUSIVE if retracted else ending.status)
    left = run.left_out()
    if run.partial:  # what -k and -m left out was to be; what they let through was to be measured
        left = [one for one in left if one in ending.collected and one[0] not in run.passed_over]
    if left and run.options.expect in ("gate", "record") and code == EXIT_PASS:
        return EXIT_NOTHING, left_out_line(left, run.planned)
    return code, ""


def of_verdicts(run: Run) -> int:
    """The exit code of the verdicts so far."""
    if run.options.gates and {verdict.kind for verdict in run.verdicts} == {VerdictKind.UNAVAILABLE}:
        return EXIT_NOTHING  # nothing could run here, so nothing was gated
    failed = {verdict.kind for verdict in run.verdicts if failing(verdict, run.options)}
    if failed - {VerdictKind.INCONCLUSIVE}:
        return EXIT_FAILED
    return EXIT_INCONCLUSIVE if failed or doubt(run) else EXIT_PASS


def tell(**said: object) -> None:
    """Add a line to the parent process's file; nothing without a parent."""
    if path := os.environ.get(ENDED):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")


def decide(code: int, told: Path, options: Options, arguments: Sequence[str] = ()) -> tuple[int, str]:
    """The exit code of a run whose process ended with ``code``, and why it is another one (empty if it is not).

    ``told`` is the file that `tell` wrote, ``arguments`` those of pytest. 0 needs a finished run whose records hold
    nothing that fails. No code becomes better than the process's own.
    """
    if code not in KNOWN:
        return EXIT_UNUSABLE, ""  # killed by a signal, or by a module's own exit
    if code not in (EXIT_PASS, EXIT_INCONCLUSIVE) or LISTING & set(arguments):
        return code, ""
    said = _said(told)
    if "code" not in said:
        return (EXIT_NOTHING, CUT_SHORT) if code == EXIT_PASS else (code, "")
    if "run" not in said:
        return (EXIT_NOTHING, NO_RUN) if code == EXIT_PASS else (code, "")
    return _of_record(code, Path(str(said["run"])), options)


def told_code(told: Path) -> int | None:
    """The exit code that a process wrote with `tell` before it ended; `None` where it came to no end of its own."""
    code = _said(told).get("code")
    return code if isinstance(code, int) else None


def _of_record(code: int, run: Path, options: Options) -> tuple[int, str]:
    try:
        folder = RunFolder.open(run)
        last, verdicts = run_end(folder), folder.verdicts()
    except ResultsError as error:
        return EXIT_UNUSABLE, str(error)
    if last is None or last.code is None or not last.whole:
        return EXIT_NOTHING, f"{run} has no finished run, although its process ended with exit code {code}"
    recorded = last.code
    failed = [] if options.resume is not None else [verdict for verdict in verdicts if failing(verdict, options)]
    if recorded == EXIT_PASS and {verdict.kind for verdict in failed} - {VerdictKind.INCONCLUSIVE}:
        recorded = EXIT_FAILED
    if recorded in (EXIT_PASS, code) or (code == EXIT_INCONCLUSIVE and recorded == EXIT_PASS):
        return code, ""
    return recorded, (
        f"the run's process ended with exit code {code}, but the verdicts in {run} give {recorded}; look for a "
        "conftest.py that changes the exit code"
    )


def _said(told: Path) -> dict[str, object]:
    said: dict[str, object] = {}
    try:
        for line in told.read_text("utf-8").splitlines():
            said |= json.loads(line)
    except (OSError, ValueError, TypeError):  # a user's code may have written anything
        return said
    return said
