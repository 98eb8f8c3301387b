"""An SVG badge of a run: how many verdicts failed, are open or passed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from suite.core.errors import UnavailableError
from suite.core.records import VerdictKind
from suite.report.comment import FAILED, CommentPart, kinds_of, status

RED, YELLOW, GREEN, GREY = "#c0392b", "#8a6d00", "#2e7d32", "#555555"  # white text has a contrast above 4.5 on each


def badge(parts: Sequence[CommentPart]) -> str:
    """The badge as SVG. Raises `UnavailableError` without the extra ``badge``."""
    try:
        from anybadge import Badge
    except ImportError as error:
        raise UnavailableError("--badge draws with anybadge: pip install 'tradeoff-suite[badge]'") from error
    text, colour = _said(parts)
    drawn = str(Badge(label="suite", value=text, default_color=colour).badge_svg_text)
    return re.sub(r"anybadge_\d+", "suite", drawn)  # it counts the badges of a process


def _said(parts: Sequence[CommentPart]) -> tuple[str, str]:
    kinds, state = kinds_of(parts), status(parts)
    if state == "failed":
        failed = sum(kinds[kind] for kind in FAILED)
        return (f"{failed} failed" if failed else "failed"), RED
    if state == "not decided" or not kinds[VerdictKind.PASS]:
        return "not decided", GREY
    counts = {
        "open": kinds[VerdictKind.INCONCLUSIVE] + kinds[VerdictKind.IMPROVED],
        "unverified": kinds[VerdictKind.UNVERIFIED],
    }
    doubts = [f"{count} {name}" for name, count in counts.items() if count]
    return ", ".join([f"{kinds[VerdictKind.PASS]} passed", *doubts]), YELLOW if doubts else GREEN
