"""A claim of the ledger: what is said, by whom, and what must hold of which figures for it to be true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from suite.claims.predicate import Predicate

ANYWHERE = "any"


class ClaimKind(StrEnum):
    """What evidence a claim needs."""

    MATHEMATICS = "mathematics"  # computed
    CODE = "code"  # a program that is run
    COUNT = "count"  # of parameters, operations or bytes
    EMPIRICAL = "empirical"  # measured in cells
    ADVICE = "advice"  # nothing to measure


class Standing(StrEnum):
    """What the ledger says of a claim on a machine."""

    HOLDS = "holds"
    REFUTED = "refuted"
    PARTLY = "partly"
    UNDECIDED = "undecided"
    NOT_TESTABLE = "not testable here"
    ADVICE = "advice"
    TOO_GOOD = "too good"
    AMENDED = "amended"


DECIDED = frozenset({Standing.HOLDS, Standing.REFUTED, Standing.PARTLY})
WHYS = ("overstated", "misattributed", "not causal")
"""Kinds of `Standing.PARTLY` and `Standing.REFUTED` that a claim may name."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One entry. ``statement`` is in our words, ``quote`` is the source's own text.

    Attributes:
        parts: What must hold, by name; a claim without parts has one named ``""``.
        condition: Where it can be tested at all: a predicate over facts of the machine.
        ceiling: What no honest measurement exceeds; where it is false, the figures are too good to be true.
        said: The figure that the source gives, and ``measured``, which computes ours.
        figure_unverified: The source's figure is from memory.
        chosen_on: Seeds on which a setting was chosen from a sweep: the claim is judged on others.
        expected: The standing by machine key, family or ``any``.
        counterexample: A program of a few lines that shows a refuted claim to be wrong.
    """

    name: str
    kind: ClaimKind
    source: str
    statement: str
    quote: str = ""
    parts: Mapping[str, Predicate] = field(default_factory=dict)
    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    condition: Predicate | None = None
    ceiling: Predicate | None = None
    said: float | None = None
    measured: Predicate | None = None
    figure_unverified: bool = False
    why: str = ""
    chosen_on: tuple[int, ...] = ()
    expected: Mapping[str, Standing] = field(default_factory=dict)
    counterexample: str = ""
    note: str = ""
    path: str = ""
    line: int = 0

    @property
    def texts(self) -> tuple[str, ...]:
        """All cells that it needs, each once."""
        return tuple(dict.fromkeys(cell for cells in self.cells.values() for cell in cells))

    def expected_on(self, levels: tuple[str, ...]) -> Standing | None:
        """What is expected where ``levels`` are the machine's, most specific first."""
        return next((self.expected[level] for level in levels if level in self.expected), None)

    def locked_fields(self) -> dict[str, object]:
        """What may not change once results were seen."""
        return {
            "kind": str(self.kind),
            "statement": self.statement,
            "holds": {name: part.text for name, part in self.parts.items()},
            "cells": {name: list(cells) for name, cells in self.cells.items()},
            "where": self.condition.text if self.condition else "",
            "ceiling": self.ceiling.text if self.ceiling else "",
            "said": self.said,
            "measured": self.measured.text if self.measured else "",
            "chosen_on": list(self.chosen_on),
        }

    @property
    def digest(self) -> str:
        """Of `locked_fields`: 16 hexadecimal digits."""
        text = json.dumps(self.locked_fields(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
