"""The command `python -m studies.exports FILE` adds the networks that a file does not have yet, for so many minutes."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path

from studies.exports.measure import ENGINES, Answered, answered, prepared
from suite.catalog.zoo.entries import entries, models

FIELDS = [one.name for one in fields(Answered)]
PIXELS = 64
LARGER = {"inception_v3": 75}  # networks that take no image as small


def main() -> int:
    """Measure the networks with the fewest operations first; a file that is stopped goes on where it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--pixels", type=int, default=PIXELS)
    parsed = parser.parse_args()
    end, known = time.monotonic() + 60 * parsed.minutes, done(parsed.file)
    waiting = [name for name in by_work() if any((name, engine) not in known for engine in ENGINES)]
    for number, name in enumerate(waiting):
        if time.monotonic() > end:
            sys.stderr.write(f"{len(waiting) - number} networks are left\n")
            break
        for one in _measured(name, parsed.pixels, known):
            append(parsed.file, one)
            sys.stderr.write(f"{one}\n")
    return 0


def _measured(name: str, pixels: int, known: set[tuple[str, str]]) -> Iterator[Answered]:
    size = max(pixels, LARGER.get(name, 0))
    network, images = prepared(name, size)
    for engine in ENGINES:
        if (name, engine) not in known:
            yield answered(name, engine, size, network, images)


def by_work() -> list[str]:
    """The networks that classify, those of fewer parameters first."""
    published = {entry.model: entry.parameters or 0 for entry in entries()}
    return sorted(models(), key=lambda name: published.get(name, 0))


def done(file: Path) -> set[tuple[str, str]]:
    """What the file has already."""
    if not file.exists():
        return set()
    with file.open(encoding="utf-8", newline="") as lines:
        return {(row["network"], row["engine"]) for row in csv.DictReader(lines)}


def append(file: Path, one: Answered) -> None:
    """Add a row, with the titles if it is the first."""
    first = not file.exists()
    with file.open("a", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, FIELDS, lineterminator="\n")
        if first:
            writer.writeheader()
        writer.writerow(asdict(one))


if __name__ == "__main__":
    raise SystemExit(main())
