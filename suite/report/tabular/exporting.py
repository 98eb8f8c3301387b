"""A frame as a file: CSV, Parquet, Markdown or LaTeX, by the ending of its name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import UsageError
from suite.report.csv_text import to_csv
from suite.report.foreign import printable
from suite.report.pipe_table import pipe_table
from suite.report.results.folder import replace_file

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".parquet", ".md", ".tex")
DIGITS = 6  # significant, of tables to read; CSV and Parquet are exact


def save(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame; the ending of ``path`` chooses the format.

    Parquet keeps `DataFrame.attrs`, too. Markdown and LaTeX escape what their language would read as markup, and round
    to six digits. A named index becomes columns, and several levels of column names become one. Raises `UsageError` for
    another ending and `ResultsError` where the file cannot be written.
    """
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path}: a frame is written as {', '.join(ENDINGS)}, got {path.suffix or 'no ending'!r}")
    replace_file(path, content(frame, path.suffix))
    return path


def content(frame: pd.DataFrame, ending: str) -> bytes:
    """A frame in the format of one of `ENDINGS`."""
    frame = _flat(frame)
    if ending == ".csv":
        return to_csv(frame)
    if ending == ".parquet":
        parquet = io.BytesIO()
        frame.to_parquet(parquet, index=False)
        return parquet.getvalue()
    shown = [[_shown(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    if ending == ".md":
        return (pipe_table([str(name) for name in frame.columns], shown) + "\n").encode()
    return _latex(frame, shown).encode()


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its named index as columns and one text for each column, as `suite.report.pivots.matrix` needs."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    if frame.columns.nlevels > 1:
        frame = frame.set_axis([" / ".join(filter(None, map(str, name))) for name in frame.columns], axis="columns")
    return frame


def _latex(frame: pd.DataFrame, shown: list[list[str]]) -> str:
    import pandas as pd  # heavy

    names = {name: _escaped(str(name)) for name in frame.columns}
    cells = [[_escaped(text) for text in row] for row in shown]
    return str(pd.DataFrame(cells, columns=list(names.values())).style.hide(axis="index").to_latex(hrules=True))


SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}  # fmt: skip
_LATEX = str.maketrans(SPECIAL)


def _escaped(text: str) -> str:
    return text.translate(_LATEX)


def _shown(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124  # NaN is not itself
        return ""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else printable(str(value))
