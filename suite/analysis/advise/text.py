"""Advice in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from suite.analysis.advise.advice import Advice, Option
from suite.core.errors import ResultsError


def lines(advice: Advice) -> Iterator[str]:
    """The headline, then every step with its probability, gain and evidence, then the notes."""
    yield f"{advice.source}: {advice.headline}"
    for rank, option in enumerate(advice.options, start=1):
        yield f"{rank}. {option.step}: {_figures(option)}"
        yield from (f"   - {line}" for line in option.evidence)
    yield from (f"note: {note}" for note in advice.notes)


def _figures(option: Option) -> str:
    odds = "probability unknown" if option.probability is None else f"probability {option.probability:.2f}"
    if option.gain is None:
        return f"{odds}, gain unknown"
    return f"{odds}, expected gain {option.gain:+.3g} ({option.low:+.3g} to {option.high:+.3g})"


def write_json(advice: Advice, path: Path) -> None:
    """Write the advice for other programs. Raises `ResultsError` where that is not possible."""
    try:
        path.write_text(json.dumps(asdict(advice), indent=2, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from error
