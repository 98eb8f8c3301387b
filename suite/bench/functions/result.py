"""The result of a comparison of two callables: a speed-up with its interval, outputs, and what decides on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from suite.bench.functions.answers import AnswersApart
from suite.core.errors import UsageError
from suite.measure.sampler.samples import Ratio

Undecided = Callable[[str], bool]


def is_failure(_: str) -> bool:
    """What a comparison says that nothing decides: no."""
    return False


def check_bound(bound: object, name: str = "the bound") -> None:
    """Raise `UsageError` for a bound of a ratio that is no finite, positive number."""
    __tracebackhide__ = True
    if not isinstance(bound, int | float) or not 0 < bound < math.inf:
        raise UsageError(f"{name} must be a positive number, got {bound!r}")


@dataclass(frozen=True, kw_only=True, repr=False)
class BoundDecision:
    """Whether a speed-up holds, and the ``figure`` that says so; true or false where an ``assert`` asks.

    ``is_open`` says that the figure decides nothing, so that ``holds`` is what was asked for in that case.
    """

    holds: bool
    figure: str
    is_open: bool = False

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return f"<{self.figure}>"


@dataclass(frozen=True, kw_only=True, repr=False)
class SpeedRatio:
    """The baseline's time over the candidate's: above 1 the candidate is faster.

    ``value`` is the median over paired rounds and ``low``/``high`` its interval at ``confidence``. ``null`` is the same
    ratio of the baseline and its own copy. ``suspect`` says why the times cannot be trusted, ``unread`` why nobody
    knows whether both did the same work.
    """

    value: float
    low: float | None
    high: float | None
    rounds: int
    confidence: float
    null: float
    suspect: str | None = None
    unread: str = ""
    undecided: Undecided = field(default=is_failure, compare=False)

    @classmethod
    def of(
        cls, ratio: Ratio, *, null: float, suspect: str | None, undecided: Undecided, unread: str = ""
    ) -> SpeedRatio:
        """From a sample's ratio."""
        return cls(
            value=ratio.value, low=ratio.low, high=ratio.high, rounds=ratio.n, confidence=ratio.confidence, null=null,
            suspect=suspect, undecided=undecided, unread=unread,
        )  # fmt: skip

    def at_least(self, bound: float) -> BoundDecision:
        """Whether the whole interval is at or above ``bound``.

        Where the interval contains the bound, the times are suspect, or the outputs could not be read,
        ``--tradeoff-inconclusive`` decides. Raises `UsageError` for a bound that is no positive number.
        """
        __tracebackhide__ = True
        check_bound(bound)
        if self._is_open(bound):
            unread = self.unread and f"{self.unread}; or compare the speed alone (speed_only=True, --speed-only)"
            why = self.suspect or unread or f"the interval contains {bound:g}; give compare() more seconds"
            said = f"inconclusive: speed-up {self}, at least {bound:g} wanted: {why}"
            return BoundDecision(holds=self.undecided(said), figure=said, is_open=True)
        return BoundDecision(holds=self.value >= bound, figure=f"speed-up {self}, at least {bound:g} wanted")

    def _is_open(self, bound: float) -> bool:
        if self.suspect is not None or self.unread or self.low is None or self.high is None:
            return True
        return self.low < bound <= self.high

    def __repr__(self) -> str:
        return f"<speed-up {self}>"

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.4g} (no interval from {self.rounds} rounds)"
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


@dataclass(frozen=True, kw_only=True, repr=False)
class FunctionTradeoff:
    """``speedup`` and ``outputs`` of a candidate against a baseline, on the ``device`` that the outputs lie on.

    ``notes`` say what could not be checked.
    """

    speedup: SpeedRatio
    outputs: AnswersApart
    device: str = "cpu"
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return "; ".join([f"speed-up {self.speedup}, {self.outputs}", *self.notes])
