"""``suite curves fit`` and ``families``: a user's own points."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from suite.analysis.scaling import plots
from suite.analysis.scaling.compare import Comparison, CurvePoints, compared
from suite.analysis.scaling.tables import family_rows, section
from suite.core.errors import ResultsError, UsageError
from suite.curves import FAMILIES
from suite.report.results.folder import replace_file


def fitted(
    points: CurvePoints, *, x: str, y: str, families: Sequence[str] = (), to: Sequence[float] = (),
    targets: Sequence[float] = (),
) -> tuple[Comparison, str]:  # fmt: skip
    """Fit families to points; returns the comparison and what it says, as Markdown."""
    for option, values in (("--to", to), ("--target", targets)):
        for value in values:
            if not math.isfinite(value) or (option == "--to" and value <= 0):
                raise UsageError(f"{option} {value:g}: must be a finite number{' above 0' if option == '--to' else ''}")
    found = compared(points, families)
    return found, section(found, f"{y} against {x}", unit=x, quality=y, targets=targets, to=to)


def kept(found: Comparison, text: str, folder: Path, *, x: str, y: str) -> Iterator[str]:
    """Write the text, the table and the picture into ``folder``; yields the files' names, and what is missing."""
    import pandas as pd

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultsError(f"cannot write {folder}: {error.strerror or error}; choose another --out") from error
    contents = {"fit.md": text, "families.csv": pd.DataFrame(family_rows(found)).to_csv(index=False)}
    for name, content in contents.items():
        replace_file(folder / name, content.encode())
        yield str(folder / name)
    if plots.available():
        yield str(plots.draw(found, folder / "fit.png", title=f"{y} against {x}", x=x, y=y))
    else:
        yield plots.INSTALL


def listed() -> Iterator[str]:
    """Name, formula and source of every family, a line each."""
    for name, cls in sorted(FAMILIES.items()):
        first = (inspect.getdoc(cls) or "").partition("\n")[0]
        yield f"{name:22}  {first}  [{cls.source}]"
