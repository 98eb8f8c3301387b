"""The comment and the badge of runs, out of their folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from suite.core.garbage import uncollected
from suite.report.badge import badge
from suite.report.comment import CommentPart, comment
from suite.report.endings import exit_problem, run_end, unfinished
from suite.report.frames import records, tidy
from suite.report.headline import sentences
from suite.report.results.folder import RunFolder, replace_file
from suite.report.same_seeds import same_seeds
from suite.report.tradeoffs import tradeoffs

COMMENT, BADGE = "comment.md", "badge.svg"


def part(path: Path) -> CommentPart:
    """What a comment says of the run in a folder. Raises `ResultsError` for a folder that cannot be read."""
    folder = RunFolder.open(path)
    header = folder.header
    with uncollected():
        measurements, verdicts = folder.measurements(), folder.verdicts()
        end = run_end(folder)
        table = tradeoffs(tidy(header, same_seeds(measurements), verdicts), header.scores)
    where = f"{header.run} on {header.where.machine}, {header.where.device}, commit {header.commit or 'unknown'}"
    code = None if end is None else end.code
    return CommentPart(
        about=where, verdicts=verdicts, sentences=sentences(records(table)), code=code,
        problem=unfinished(folder) or exit_problem(code),
    )  # fmt: skip


def write(parts: Sequence[CommentPart], folder: Path, *, with_comment: bool, with_badge: bool) -> list[Path]:
    """Write ``comment.md`` and ``badge.svg`` of some runs into a folder; returns their paths."""
    texts = {
        **({folder / COMMENT: comment(parts, subject="bench")} if with_comment else {}),
        **({folder / BADGE: badge(parts)} if with_badge else {}),
    }
    for path, text in texts.items():
        replace_file(path, text.encode())
    return list(texts)
