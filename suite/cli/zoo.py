"""The command `suite zoo`: counts of torchvision's networks, and a check of our counters."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.command import INVESTIGATE, Command
from suite.core.errors import UsageError
from suite.core.exit_codes import EXIT_FAILED, EXIT_PASS

if TYPE_CHECKING:
    from suite.catalog.zoo.entries import ZooEntry

PLAIN_WIDTH = 120  # characters, where the output is no terminal


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `suite zoo`."""
    parser.description = (
        "Parameters, multiply-accumulates and bytes of torchvision's networks for classification, detection and "
        "segmentation, counted without their weights, beside the published accuracy."
    )
    option = parser.add_argument
    option("names", nargs="*", metavar="NAME", help="networks like mobilenet_v2 (default: all)")
    option("--check", action="store_true", help="exit code 1 if a count differs from torchvision's published one")
    option("--csv", type=Path, metavar="FILE", help="write the table, published counts included, to a file")
    option(
        "--data-root", type=Path, metavar="DIR",
        help="folder of ImageNet's validation images: measure top-1, and with --check hold it against the published",
    )  # fmt: skip
    option("--images", type=int, metavar="N", help="look at about N images of --data-root, as many of each class")
    option("--device", default="auto", help="where --data-root is measured: auto, cpu, gpu, cuda:1, ... (default auto)")
    parser.set_defaults(run=_zoo)


def _zoo(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the table, and with ``--check`` what disagrees."""
    from suite.catalog.zoo.entries import entries
    from suite.claims.torchvision.counts import count
    from suite.claims.torchvision.table import table, write_csv

    _check(parsed)
    counted = [(entry, count(entry.model, entry.pixels, entry.weights)) for entry in entries(parsed.names)]
    _say(table(counted, _width()))
    if parsed.csv is not None:
        write_csv(counted, parsed.csv)
    wrong = list(_accuracies(parsed, [entry for entry, _ in counted])) if parsed.data_root else []
    if not parsed.check:
        return EXIT_PASS
    from suite.claims.torchvision.agreement import disagreements

    found = [sentence for entry, counts in counted for sentence in disagreements(entry, counts)] + wrong
    _say(found or [f"{len(counted)} of {len(counted)} entries have the published parameters and multiply-accumulates"])
    return EXIT_FAILED if found else EXIT_PASS


def _check(parsed: argparse.Namespace) -> None:
    """Refuse what cannot be measured before anything is counted."""
    if parsed.data_root is None and parsed.images is not None:
        raise UsageError("--images says how many of --data-root: name the folder of ImageNet's validation images")
    if parsed.images is not None and parsed.images < 1:
        raise UsageError(f"--images must be 1 or more, got {parsed.images}")
    if parsed.data_root is not None:
        from suite.claims.torchvision.accuracy import images_of

        images_of(parsed.data_root)


def _accuracies(parsed: argparse.Namespace, entries: Iterable[ZooEntry]) -> Iterator[str]:
    """Print what each classifier reaches; yields a sentence for each that does not reach what is published."""
    from suite.claims.torchvision.accuracy import images_of, measured
    from suite.core.machine.hardware import resolve_device

    folder, device = images_of(parsed.data_root), resolve_device(parsed.device)
    for entry in entries:
        if entry.accuracy is None:
            continue
        found = measured(entry, folder, device=device, images=parsed.images)
        low, high = found.interval
        said = f"{entry}: top-1 {found.percent:.2f} % [{low:.2f}, {high:.2f}] of {found.images:,} images"
        _say([f"{said}, published {entry.accuracy:.2f} %"])
        if not found.agrees(entry.accuracy):
            yield f"{said} does not hold the published {entry.accuracy:.2f} %"


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _width() -> int:
    return shutil.get_terminal_size((PLAIN_WIDTH, 0)).columns if sys.stdout.isatty() else PLAIN_WIDTH


COMMANDS = (
    Command(
        name="zoo",
        help="count torchvision's networks, and check our counts against its own",
        add=add,
        example="suite zoo mobilenet_v2",
        section=INVESTIGATE,
        rank=20,
    ),
)
