"""The command `suite zoo`: counts of torchvision's networks, and a check of our counters."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

AGREE, DISAGREE = 0, 1  # exit codes
PLAIN_WIDTH = 120  # characters, where the output is no terminal


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `suite zoo`."""
    parser.description = (
        "Parameters, multiply-accumulates and bytes of torchvision's networks for classification, detection and "
        "segmentation, counted without their weights, beside the published accuracy."
    )
    option = parser.add_argument
    option("names", nargs="*", metavar="NAME", help="networks like mobilenet_v2 (default: all)")
    option("--check", action="store_true", help="exit code 1 where a count is not the one that torchvision publishes")
    option("--csv", type=Path, metavar="FILE", help="write the table, published counts included, to a file")
    parser.set_defaults(run=_zoo)


def _zoo(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the table, and with ``--check`` what disagrees."""
    from suite.zoo.counts import count
    from suite.zoo.entries import entries
    from suite.zoo.table import table, write_csv

    counted = [(entry, count(entry.model, entry.pixels, entry.weights)) for entry in entries(parsed.names)]
    _say(table(counted, _width()))
    if parsed.csv is not None:
        write_csv(counted, parsed.csv)
    if not parsed.check:
        return AGREE
    from suite.zoo.agreement import disagreements

    found = [sentence for entry, counts in counted for sentence in disagreements(entry, counts)]
    _say(found or [f"{len(counted)} of {len(counted)} entries have the published parameters and multiply-accumulates"])
    return DISAGREE if found else AGREE


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _width() -> int:
    return shutil.get_terminal_size((PLAIN_WIDTH, 0)).columns if sys.stdout.isatty() else PLAIN_WIDTH
