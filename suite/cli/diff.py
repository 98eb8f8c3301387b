"""``suite diff``: what changed between two runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from suite.cli.command import RESULTS, Command
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_NOTHING, EXIT_PASS


def _add_diff(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Compare two runs metric by metric. Exit code: 1 if a loss is shown, 10 if a metric of the first run is gone "
        "or cannot be compared since the second run was disturbed, 12 if nothing could be compared, else 0."
    )
    parser.add_argument("before", type=Path, help="results folder of the first run")
    parser.add_argument("after", type=Path, help="results folder of the second run")
    parser.add_argument("--json", action="store_true", help="print every metric as JSON")
    parser.set_defaults(run=_diff)


def _diff(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    from suite.report.tabular import difference_text as text
    from suite.report.tabular.difference import changes
    from suite.report.tabular.loading import load

    frames = [load(path) for path in (parsed.before, parsed.after)]
    for note in dict.fromkeys(note for frame in frames for note in frame.attrs["notes"]):
        print(f"suite: {note}", file=sys.stderr)
    found = changes(*frames)
    code = _code({str(one.kind) for one in found}, disturbed=any(one.now_disturbed for one in found))
    names = str(parsed.before), str(parsed.after)
    if parsed.json:
        print(text.to_json(found, *names, code))
    else:
        print("\n".join(text.lines(found, *names)))
    return code


def _code(kinds: set[str], *, disturbed: bool) -> int:
    if "loss" in kinds:
        return EXIT_FAILED
    if not kinds & {"gain", "no change shown"}:
        return EXIT_NOTHING
    return EXIT_INCONCLUSIVE if disturbed or "went" in kinds else EXIT_PASS


COMMANDS = (
    Command(
        name="diff",
        help="compare two runs metric by metric",
        add=_add_diff,
        example="suite diff reports/before reports/after",
        section=RESULTS,
        rank=23,
    ),
)
