"""An SVG badge of a run: how many verdicts failed, are open or passed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from suite.core.errors import UnavailableError
from suite.core.records import Verdict, VerdictKind
from suite.report.comment import FAILED

RED, YELLOW, GREEN, GREY = "#c0392b", "#8a6d00", "#2e7d32", "#555555"  # white text has a contrast above 4.5 on each


def badge(verdicts: Iterable[Verdict], *, problem: str = "") -> str:
    """The badge as SVG. Raises `UnavailableError` without the extra ``badge``."""
    try:
        from anybadge import Badge
    except ImportError as error:
        raise UnavailableError("--badge draws with anybadge: pip install 'tradeoff-suite[badge]'") from error
    text, colour = _said(Counter(verdict.kind for verdict in verdicts), problem)
    drawn = str(Badge(label="suite", value=text, default_color=colour).badge_svg_text)
    return re.sub(r"anybadge_\d+", "suite", drawn)  # it counts the badges of a process


def _said(kinds: Counter[VerdictKind], problem: str) -> tuple[str, str]:
    failed = sum(kinds[kind] for kind in FAILED)
    if failed:
        return f"{failed} failed", RED
    if problem or not kinds[VerdictKind.PASS]:
        return "not decided", GREY
    doubtful = kinds[VerdictKind.INCONCLUSIVE] + kinds[VerdictKind.IMPROVED]
    passed = f"{kinds[VerdictKind.PASS]} passed"
    return (f"{passed}, {doubtful} open", YELLOW) if doubtful else (passed, GREEN)
