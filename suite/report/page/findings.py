"""What a page shows beside its runs, as rooms above this one found it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from suite.report.page.claims_section import ClaimsTable
from suite.report.page.history_plots import ChangedRun
from suite.report.page.sweep_plots import LearningCurve


@dataclass(frozen=True, kw_only=True)
class PageFindings:
    """The judged ``claims``, the runs of histories from which on a value differs, and measured ``curves``."""

    claims: ClaimsTable | None = None
    changes: Collection[ChangedRun] = ()
    curves: Sequence[LearningCurve] = field(default_factory=tuple)
