"""`suite history`: add the folders of earlier runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """The options of ``suite history``."""
    what = parser.add_subparsers(dest="what", required=True)
    importing = what.add_parser("import", help="add the figures of earlier runs to their machines' histories")
    importing.add_argument("results", type=Path, nargs="+", help="results folders, like reports/latest")
    importing.add_argument("--reports-dir", type=Path, default=Path("reports"))
    importing.set_defaults(run=_import)


def _import(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Add each folder's figures; what is there already is not added again."""
    from suite.history.file import read, remember
    from suite.report.run import RunFolder

    remarks: dict[str, None] = {}
    for results in parsed.results:
        path, added = remember(RunFolder.open(results), parsed.reports_dir)
        print(f"{results}: {added} figures added to {path}")
        remarks |= dict.fromkeys(read(path)[1])
    for remark in remarks:
        print(remark)
    return 0
