"""The exit code of ``suite bench``: its parent process reads the record of the finished run and decides.

Users' modules and ``conftest.py`` share a process with the run, and may end it early or change its exit code. The
parent process loads none of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from suite.bench.options import ENDED, Options
from suite.core.errors import ResultsError
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_NOTHING, EXIT_PASS, EXIT_UNUSABLE
from suite.core.metrics import TIME_UNITS
from suite.core.records import Verdict, VerdictKind
from suite.gate.policy import fails
from suite.report.endings import run_end
from suite.report.results.folder import RunFolder

KNOWN = frozenset({*range(6), EXIT_INCONCLUSIVE, EXIT_UNUSABLE, EXIT_NOTHING})
"""pytest's own exit codes, which keep their meaning, and ours."""
LISTING = frozenset(
    ("--collect-only", "--collectonly", "--co", "--version", "-V", "--markers", "--fixtures", "--fixtures-per-test")
)
"""Arguments of pytest with which it measures nothing and says so."""
CUT_SHORT = (
    "the run was ended before its end with exit code 0 (os._exit() in a conftest.py or a workload?); nothing was gated"
)
NO_RUN = (
    "pytest ended with exit code 0, and no run was measured (a conftest.py that drops its tests?); nothing was gated"
)


def failing(verdict: Verdict, options: Options) -> bool:
    """Whether a verdict fails a run with these options."""
    if not options.gates or not gates_tier(verdict, options):
        return verdict.kind is VerdictKind.ERROR
    absolute = verdict.measurement is not None and verdict.measurement.unit in TIME_UNITS
    return fails(
        verdict, unverified=options.unverified,
        inconclusive="report" if absolute else options.inconclusive or "report",  # such times never gate
        unavailable=options.unavailable, improved="report" if options.allow_improvement else "fail",
    )  # fmt: skip


def gates_tier(verdict: Verdict, options: Options) -> bool:
    """Whether the tier of a verdict's metric can fail this run."""
    bound = verdict.expectation or verdict.measurement
    return bound is None or bound.tier in options.gate_tiers


def tell(**said: object) -> None:
    """Add a line for the parent process, in the file that it named; nothing without a parent."""
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


def _of_record(code: int, run: Path, options: Options) -> tuple[int, str]:
    try:
        folder = RunFolder.open(run)
        last, verdicts = run_end(folder), folder.verdicts()
    except ResultsError as error:
        return EXIT_UNUSABLE, str(error)
    if last is None or last.code is None or not last.whole:
        return EXIT_NOTHING, f"{run} holds no finished run, though its process ended with exit code {code}"
    recorded = last.code
    failed = [] if options.resume is not None else [verdict for verdict in verdicts if failing(verdict, options)]
    if recorded == EXIT_PASS and {verdict.kind for verdict in failed} - {VerdictKind.INCONCLUSIVE}:
        recorded = EXIT_FAILED
    if recorded in (EXIT_PASS, code) or (code == EXIT_INCONCLUSIVE and recorded == EXIT_PASS):
        return code, ""
    return recorded, (
        f"the run's process ended with exit code {code}, and the verdicts in {run} give {recorded}; something in that "
        "process changed it (a conftest.py?)"
    )


def _said(told: Path) -> dict[str, object]:
    said: dict[str, object] = {}
    try:
        for line in told.read_text("utf-8").splitlines():
            said |= json.loads(line)
    except (OSError, ValueError, TypeError):
        return said
    return said
