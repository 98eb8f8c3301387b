"""What a page shows beside its runs, as rooms above this one found it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from suite.report.page.claims_section import ClaimsTable
from suite.report.page.plot_data import ChangedRun


@dataclass(frozen=True, kw_only=True)
class PageFindings:
    """The judged ``claims``, and the runs of histories from which on a value differs."""

    claims: ClaimsTable | None = None
    changes: Collection[ChangedRun] = ()
