"""What goes wrong when a curve is to be extrapolated."""

from __future__ import annotations

from suite.core.errors import SuiteError


class ExtrapolationError(SuiteError):
    """A curve, a target or an option that no forecast can be made of; the message says what to change."""
