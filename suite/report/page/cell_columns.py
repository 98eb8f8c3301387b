"""The trade-off table of the page: one row for each cell of each run, eight columns unless more are chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from suite.core.composition import BASELINE
from suite.core.metrics import VS_CONTROL
from suite.report.columns import ENDS, OWN_COPY, Row, groups, is_share
from suite.report.page.energy_states import energies
from suite.report.page.packing import PageColumn, Show
from suite.report.page.run_content import RunContent, labelled

PERCENT = "%"  # stands for the unit of a score that is a share
CHOICES = ("workload", "family", "device", "precision", "runtime", "machine", "verdict")
FIGURES: tuple[tuple[str, str, Show], ...] = (
    ("bytes_ratio", "smaller", "times"),
    ("entropy_bytes", "compressed", "size"),
    ("parameters", "parameters", "whole"),
    ("macs", "MACs", "whole"),
    ("output_error", "output error", "number"),
    ("speedup_detectable", "minimum detectable loss of speed", "percent"),
    ("speedup_b1", "speed-up, batch 1", "times"),
    ("speedup_saturated", "speed-up, saturated", "times"),
    ("speedup_vs_channels_last", "speed-up against channels_last", "times"),
    ("train_step_speedup", "speed-up of a training step", "times"),
    ("held_memory_inference", "held memory", "size"),
    ("peak_memory_training", "memory in training", "size"),
    ("energy_per_item", "energy of an item, J", "number"),
    ("energy_per_correct", "energy of a correct answer, J", "number"),
    ("energy_per_epoch", "energy of an epoch of training, J", "number"),
    ("energy_to_target", "energy of training to the target, J", "number"),
    ("training_cost", "cost of a training", "number"),
    ("cost_per_million", "cost of a million items", "number"),
)
"""Figures that are shown on demand: name in the row, title, how they are written."""


def cell_columns(runs: Sequence[RunContent]) -> list[PageColumn]:
    """All columns; those of a table with a single machine do not show it."""
    rows = list(chain.from_iterable(_rows(run, label) for run, label in labelled(runs)))
    several = len(runs) > 1
    return [*_names(rows, several=several), *_main(rows, several=several), *_further(rows)]


def _rows(run: RunContent, label: str) -> Iterator[Row]:
    """The rows of a run, each with the names and the score under one key, whatever score it is."""
    shares = {id(row): share for group in groups(run.rows) for share in [is_share(group)] for row in group}
    for row in run.rows:
        technique = row["technique"]
        yield row | _score(row, share=shares[id(row)]) | {
            "machine": label,
            "family": run.family(technique),
            "precision": run.precision(technique),
            "runtime": run.runtime(technique),
            "pareto": "★" if row["pareto"] else None,
            "doubt": row.get("speedup_suspect"),
            **energies(row, run.header),
        }  # fmt: skip


def _score(row: Row, *, share: bool) -> Row:
    name = row["score"]
    scores = {f"score{end}": row.get(f"{name}{end}") for end in ENDS}
    against = {f"difference{end}": row.get(f"{name}{VS_CONTROL}{end}") for end in ENDS}
    if row["technique"] == row.get("control"):  # compared with itself
        against = dict.fromkeys(against)
    return {
        **scores, **against, "score_name": name, "score_unit": PERCENT if share else row["score_unit"] or "1",
    }  # fmt: skip


def _names(rows: Sequence[Row], *, several: bool) -> Iterator[PageColumn]:
    titles = {"workload": "workload", "technique": "technique", "machine": "machine"}
    for name, title in titles.items():
        default = name != "machine" or several
        yield _text(rows, name, title, default=default, choice=name in CHOICES)


def _main(rows: Sequence[Row], *, several: bool) -> Iterator[PageColumn]:
    yield from _interval(rows, "score", "score", show="score", unit="score_unit")
    yield from _interval(rows, "difference", "against control", show="difference", unit="score_unit")
    yield _number(rows, "artefact_bytes", "artefact", show="size", default=True)
    yield from _interval(rows, "speedup", "speed-up", show="times", value=_speedup)
    yield _number(rows, "peak_memory_inference", "memory", show="size", default=not several)
    yield _text(rows, "verdict", "verdict", default=True, choice=True)


def _speedup(row: Row) -> float | None:
    """The baseline's is 1 by definition; its measured one is that of its copy, which its interval shows."""
    value: float | None = row["speedup"]
    return 1.0 if row["technique"] == BASELINE and "speedup" in OWN_COPY and value is not None else value


def _further(rows: Sequence[Row]) -> Iterator[PageColumn]:
    for name in ("family", "device", "precision", "runtime"):
        yield _text(rows, name, name, choice=True)
    yield _text(rows, "control", "control")
    yield _text(rows, "score_name", "name of the score")
    yield _text(rows, "pareto", "Pareto")
    yield _text(rows, "doubt", "speed-up is disturbed by")
    yield _text(rows, "energy_state", "reading of the energy of an item")
    yield _text(rows, "training_energy_state", "reading of the energy of training")
    yield _text(rows, "score_unit", "unit of the score", hidden=True)
    yield _text(rows, "score_better", "better", hidden=True)
    for name, title, show in FIGURES:
        if any(row.get(name) is not None for row in rows):
            yield _number(rows, name, title, show=show)


def _interval(
    rows: Sequence[Row],
    name: str,
    title: str,
    *,
    show: Show,
    unit: str | None = None,
    value: Callable[[Row], Any] | None = None,
) -> Iterator[PageColumn]:
    """A figure and the two columns that hold the ends of its interval."""
    low, high = f"{name}_low", f"{name}_high"
    values = [row.get(name) if value is None else value(row) for row in rows]
    yield PageColumn(name=name, title=title, values=values, show=show, ends=(low, high), unit=unit, default=True)
    for end in (low, high):
        yield _number(rows, end, end, show="number", hidden=True)


def _number(rows: Sequence[Row], name: str, title: str, *, show: Show, **how: Any) -> PageColumn:
    return PageColumn(name=name, title=title, values=[row.get(name) for row in rows], show=show, **how)


def _text(rows: Sequence[Row], name: str, title: str, **how: Any) -> PageColumn:
    return PageColumn(name=name, title=title, values=[row.get(name) or None for row in rows], **how)
