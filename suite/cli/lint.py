"""``suite lint``: whether expectation files can be used."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from suite.cli.command import MEASURE, Command, load_everything
from suite.core.exit_codes import EXIT_FAILED, EXIT_PASS
from suite.registry import REGISTRY
from suite.registry.settings import found_expect_dir


def _add_lint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, nargs="?")
    parser.set_defaults(run=_lint)


def _lint(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Read every expectation file below a folder; what is unusable, unread or breaks by noise alone is named."""
    from suite.bench.opening import check_names, check_shape_names
    from suite.gate import load_both
    from suite.gate.files import lint
    from suite.gate.files.files import level_families
    from suite.gate.files.trim import orphans, told

    directory = parsed.directory or found_expect_dir()
    if not directory.is_dir():
        print(f"suite: there is no folder {directory}", file=sys.stderr)
        return EXIT_FAILED
    load_everything()
    found, shapes = load_both(directory)
    check_names(REGISTRY, found)
    check_shape_names(REGISTRY, shapes)
    wrong = {**lint.looser(found), **lint.faults(found, datetime.now(UTC).date())}
    unread = [*lint.unread(directory, level_families(directory)), *lint.misspelt(found, REGISTRY.workloads)]
    gone = orphans(found, workloads=REGISTRY.workloads, canonical=REGISTRY.canonical)
    for line in [*(f"{at}: {said}" for at, said in wrong.items()), *unread, *map(told, gone)]:
        print(line)
    also = f" and {len(shapes)} shapes of sweeps" if shapes else ""
    print(f"{len(found) - len(wrong)} of {len(found)} expectations{also} in {directory} can be used")
    return EXIT_FAILED if wrong or unread else EXIT_PASS


COMMANDS = (
    Command(
        name="lint",
        help="check expectation files",
        add=_add_lint,
        example="suite lint expectations",
        section=MEASURE,
        rank=9,
    ),
)
