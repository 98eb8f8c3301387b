"""One of several parts of a run, ``--shard 3/16``: its cells, chosen alike on each machine without a word between them.

Cells are dealt out by their durations in an earlier run (`--durations`), longest first, each to the part that has the
least so far (Graham, Bounds on multiprocessing timing anomalies, SIAM J. Appl. Math. 17 (1969): at most 4/3 of the
best). Without one all cells count alike. A digest of cells and durations goes into each part's header, so that
``suite merge`` refuses parts of different plans. Each part trains the baselines that its cells are compared with.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from suite.bench.resolved_cell import Case
from suite.core.errors import SetupError
from suite.core.records import Cell

WRITTEN = re.compile(r"(\d+)/(\d+)")
LABEL = re.compile(r"(\d+)/(\d+) of ([0-9a-f]+)")
DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Part ``number`` of ``count``, from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """``3/16``. Raises `argparse.ArgumentTypeError` for anything else."""
        found = WRITTEN.fullmatch(text)
        number, count = (int(part) for part in found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            raise argparse.ArgumentTypeError(f"{text!r} is no part of a run: write 3/16 for the third of sixteen")
        return cls(number=number, count=count)


@dataclass(frozen=True, kw_only=True)
class ShardLabel:
    """A shard as a header names it: ``3/16 of 5f2e9a01b3c4``; ``plan`` is the digest of the whole run's cells."""

    shard: Shard
    plan: str

    def __str__(self) -> str:
        return f"{self.shard} of {self.plan}"

    @classmethod
    def read(cls, text: str) -> ShardLabel | None:
        """``None`` for a run that is no part of another."""
        found = LABEL.fullmatch(text)
        if found is None:
            return None
        number, count, plan = found.groups()
        return cls(shard=Shard(number=int(number), count=int(count)), plan=plan)


def choose(shard: Shard, cases: Sequence[Case], seconds: Mapping[Cell, float]) -> tuple[list[Case], ShardLabel]:
    """The cases of one part, in the order of the whole run. ``seconds`` are those of an earlier run, as far as known.

    Raises `SetupError` if the part has none.
    """
    expected = expected_seconds([case.cell for case in cases], seconds)
    names = [str(case) for case in cases]
    parts = split(expected, names, shard.count)
    taken = [case for case, part in zip(cases, parts, strict=True) if part == shard.number]
    if not taken:
        raise SetupError(
            f"--shard {shard} has no cell: the run has {len(cases)}; take at most {len(cases)} parts, such as "
            f"--shard 1/{max(1, len(cases))}"
        )
    return taken, ShardLabel(shard=shard, plan=_digest(names, expected))


def split(seconds: Sequence[float], names: Sequence[str], count: int) -> list[int]:
    """The part of each cell, from 1 to ``count``; it depends on nothing but the arguments."""
    used = min(count, len(seconds))  # each further part is empty
    spent, cells, parts = [0.0] * used, [0] * used, [0] * len(seconds)
    for index in sorted(range(len(seconds)), key=lambda one: (-seconds[one], names[one], one)):
        least = min(range(used), key=lambda part: (spent[part], cells[part], part))
        spent[least] += seconds[index]
        cells[least] += 1
        parts[index] = least + 1
    return parts


def expected_seconds(cells: Sequence[Cell], known: Mapping[Cell, float]) -> list[float]:
    """Seconds of each cell: as known, else the median of its workload's, else that of all, else 1."""
    by_workload: dict[str, list[float]] = {}
    for cell in cells:
        if cell in known:
            by_workload.setdefault(cell.workload, []).append(known[cell])
    usual = median([one for found in by_workload.values() for one in found]) if by_workload else 1.0
    return [known[cell] if cell in known else median(by_workload.get(cell.workload, [usual])) for cell in cells]


def _digest(names: Sequence[str], seconds: Sequence[float]) -> str:
    plan = json.dumps(sorted(zip(names, seconds, strict=True)))
    return hashlib.sha256(plan.encode()).hexdigest()[:DIGITS]
