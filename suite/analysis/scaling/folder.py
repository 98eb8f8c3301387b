"""The folder of a run of curves: the plan, and every trained point as soon as it exists.

``run.json`` describes the run that the points belong to. ``points.csv`` has a line for each training. ``items/`` has
the result of each test item, so that an item counts once, for any number of seeds that tested it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.analysis.scaling.train import TrainedPoint
from suite.core.errors import ResultsError
from suite.report.results.folder import replace_file

if TYPE_CHECKING:
    from suite.measure.scoring.items import Outcome

RUN, POINTS, ITEMS = "run.json", "points.csv", "items"
COLUMNS = tuple(field.name for field in fields(TrainedPoint))
WHOLE = ("seed", "parameters", "train_samples", "steps", "items_seen", "flops")
TEXT = ("workload", "resource")


@dataclass(frozen=True, kw_only=True)
class CurveFolder:
    """``path`` and what ``run.json`` says: profile, seeds, versions, digests of code and data."""

    path: Path
    header: Mapping[str, Any]

    @classmethod
    def create(cls, reports_dir: Path, name: str, header: Mapping[str, Any]) -> CurveFolder:
        """A new folder ``<name>-curves``. Raises `ResultsError` where it cannot be written."""
        try:
            path = _unused(reports_dir, f"{name}-curves")
            path.mkdir(parents=True)
        except OSError as error:
            raise ResultsError(
                f"cannot write {reports_dir}: {error.strerror or error}; choose a writable folder with --reports-dir"
            ) from error
        replace_file(path / RUN, json.dumps(header, indent=2).encode())
        return cls(path=path, header=header)

    @classmethod
    def open(cls, path: Path) -> CurveFolder:
        """The folder of an earlier run. Raises `ResultsError` where there is none."""
        try:
            header = json.loads((path / RUN).read_text("utf-8"))
        except OSError as error:
            raise ResultsError(f"{path} is no run of curves: {RUN}: {error.strerror or error}") from error
        except ValueError as error:
            raise ResultsError(f"{path / RUN} cannot be read: {error}; start again without --resume") from error
        return cls(path=path, header=header)

    def check(self, now: Mapping[str, Any]) -> None:
        """Raise `ResultsError` where a run with the header ``now`` must not add to this one."""
        for name, value in now.items():
            if self.header.get(name) != value:
                raise ResultsError(
                    f"{self.path} cannot be resumed: its {name} is {self.header.get(name)!r}, now it is {value!r}; "
                    "start again without --resume"
                )

    def rows(self) -> list[TrainedPoint]:
        """The points that were trained so far. Raises `ResultsError` naming a line that cannot be read."""
        path = self.path / POINTS
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            return [_row(record, f"{path}:{reader.line_num}") for record in reader]

    def add(self, row: TrainedPoint, tested: Outcome) -> None:
        """Keep a point: its items first, so that a line in `points.csv` always has them."""
        _save(self.items(row), tested)
        replace_file(self.path / POINTS, _text([*self.rows(), row]).encode())

    def items(self, row: TrainedPoint) -> Path:
        """The file of a point's items."""
        return self.path / ITEMS / f"{row.workload}-{row.resource}-{row.share:g}-{row.seed}.npz"


def _unused(reports_dir: Path, name: str) -> Path:
    number = 1
    while (path := reports_dir / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path


def _text(rows: Sequence[TrainedPoint]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in asdict(row).items()} for row in rows)
    return text.getvalue()


def _row(record: Mapping[str, str], where: str) -> TrainedPoint:
    try:
        return TrainedPoint(**{name: _value(name, record[name]) for name in COLUMNS})
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{where}: no point of a curve: {error}; delete the line and resume") from error


def _value(name: str, text: str) -> Any:
    if name in TEXT:
        return text
    if name == "flops" and not text:
        return None
    return int(text) if name in WHOLE else float(text)


def _save(path: Path, tested: Outcome) -> None:
    import numpy as np

    arrays: dict[str, Any] = {"ids": tested.ids, "fingerprints": tested.fingerprints}
    for name, found in tested.figures.items():
        arrays |= {f"totals:{name}": found.totals, f"weights:{name}": found.weights}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    path.parent.mkdir(exist_ok=True)
    replace_file(path, content.getvalue())
