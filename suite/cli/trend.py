"""`suite history` adds the folders of earlier runs, `suite trend` says where figures changed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from suite.cli.command import RESULTS, Command
from suite.core.errors import ResultsError, UsageError
from suite.core.exit_codes import EXIT_PASS


def add(parser: argparse.ArgumentParser) -> None:
    """The options of ``suite history``."""
    what = parser.add_subparsers(dest="what", required=True)
    importing = what.add_parser(
        "import",
        help="add the metrics of earlier runs to their machines' histories",
        example="suite history import reports/latest",
    )
    importing.add_argument("results", type=Path, nargs="+", help="results folders, like reports/latest")
    importing.add_argument("--reports-dir", type=Path, default=Path("reports"))
    importing.set_defaults(run=_import)


def add_trend(parser: argparse.ArgumentParser) -> None:
    """The options of ``suite trend``."""
    parser.add_argument("--workload", default="", help="this workload only")
    parser.add_argument("--technique", default="", help="techniques whose name contains this")
    parser.add_argument("--metric", default="", help="metrics whose name contains this")
    parser.add_argument("--since", default="", help="runs that started at this ISO time or later, like 2026-11-01")
    parser.add_argument("--machine", default="", help="the machine's key (default: this one)")
    parser.add_argument("--csv", type=Path, help="write all series and changes into this file")
    parser.add_argument("--reports-dir", type=Path, default=Path("reports"))
    parser.set_defaults(run=_trend)


def _trend(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print where figures changed; never a gate, so no figure fails it."""
    from suite.analysis.trend import predict
    from suite.analysis.trend.chosen import since_of, told
    from suite.analysis.trend.trend import lines, runs_of, series_of, to_csv
    from suite.core.machine.hardware import machine_key
    from suite.report.history.file import path_of, read

    asked = {name: getattr(parsed, name) for name in ("workload", "technique", "metric")}
    asked["since"] = since_of(parsed.since)
    _require_folder(parsed.csv)
    path = path_of(parsed.reports_dir, parsed.machine or machine_key("cpu"))
    entries, remarks = read(path)
    runs = runs_of(entries, **asked)
    found = series_of(runs)
    about = () if found else told(path, entries, asked)
    for line in [*remarks, *about, *lines(found), *predict.lines(predict.pairs(runs))]:
        print(line)
    _write(parsed.csv, to_csv(found))
    return EXIT_PASS


def _require_folder(path: Path | None) -> None:
    """Raise `UsageError` if no file can be written at ``path``."""
    if path is None:
        return
    try:
        is_folder, has_folder = path.is_dir(), path.parent.is_dir()
    except OSError as error:
        raise UsageError(f"--csv {path}: {error.strerror or error}; name another file") from None
    if is_folder:
        raise UsageError(f"--csv {path}: this is a folder; name a file in it")
    if not has_folder:
        raise UsageError(f"--csv {path}: there is no folder {path.parent}; create it, or name a file elsewhere")


def _write(path: Path | None, text: str) -> None:
    """Write the file that was asked for. Raises `ResultsError` where that cannot be."""
    if path is None:
        return
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ResultsError(
            f"--csv {path}: cannot be written: {error.strerror or error}; name a file elsewhere"
        ) from error


def _import(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Add each folder's figures; what is there already is not added again."""
    from suite.report.history.file import read, remember
    from suite.report.results.folder import RunFolder

    remarks: dict[str, None] = {}
    for results in parsed.results:
        path, added = remember(RunFolder.open(results), parsed.reports_dir)
        print(f"{results}: {added} figures added to {path}")
        remarks |= dict.fromkeys(read(path)[1])
    for remark in remarks:
        print(remark)
    return EXIT_PASS


COMMANDS = (
    Command(
        name="history",
        help="metrics of earlier runs over time",
        add=add,
        example="suite history import reports/latest",
        section=RESULTS,
        rank=15,
    ),
    Command(
        name="trend",
        help="when a metric changed over the runs of a history",
        add=add_trend,
        example="suite trend --metric speedup --since 2026-11-01",
        section=RESULTS,
        rank=16,
    ),
)
