"""Every family fitted to the points of one curve, in the order of what the data prefer.

In-sample error flatters families with many parameters, so two figures stand beside it: Akaike's criterion for few
points, and the *extrapolation error*, that of predicting the largest resources from those up to a quarter of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.core.errors import SuiteError
from suite.curves import FAMILIES, CurveError, ExtrapolationError, Fit, FitError, extrapolate, family, fit
from suite.curves.forecasting.names import TELL

Array = NDArray[np.float64]
Interval = tuple[float, float]

SHARE = 0.25  # of the largest resource, up to which the fits that are put to the test see points
SLACK = 1e-9  # relative: a quarter that rounding put a hair above the quarter
VAGUE = 1e3  # standard error of a parameter, in sizes of it, from which the data do not tell even its magnitude
FLAT = 1e-3  # of the measured range, below which a fitted curve is a constant
LEAST = 4  # resources that AICc takes to judge a family of two parameters, with known noise
TIED = 2.0  # AICc differences below it are no preference (Burnham and Anderson 2002, section 2.6)
ARTICLE = ("saturating_exponential", "gompertz")
"""The two families of the article."""
WITH_OFFSET = {"saturating_exponential": "exp3", "gompertz": "gompertz4"}
"""What stands for them where a curve falls, which they cannot."""


@dataclass(frozen=True, kw_only=True)
class CurvePoints:
    """The points of one curve [n]: several measurements of one resource are separate points.

    ``better`` and ``kind`` describe the quality for `suite.curves.extrapolate`; without either there is no forecast.
    ``annealed`` is false for the log of one training. ``notes`` list the assumptions and the excluded points.
    """

    resource: Array
    quality: Array
    sigma: Array | None = None
    better: str | None = None
    kind: str | None = None
    annealed: bool = True
    notes: tuple[str, ...] = ()

    @property
    def last(self) -> float:
        """The largest resource."""
        return float(self.resource.max())

    def up_to(self, resource: float) -> CurvePoints:
        """The points with no more than that."""
        return self._where(self.resource <= resource * (1 + SLACK))

    def beyond(self, resource: float) -> CurvePoints:
        """The others."""
        return self._where(self.resource > resource * (1 + SLACK))

    def _where(self, kept: NDArray[np.bool_]) -> CurvePoints:
        sigma = None if self.sigma is None else self.sigma[kept]
        return replace(self, resource=self.resource[kept], quality=self.quality[kept], sigma=sigma)


@dataclass(frozen=True, kw_only=True)
class FamilyFit:
    """A family's fit, or ``why_not``; ``extrapolation`` is the root mean square error beyond a quarter, in Q."""

    name: str
    fit: Fit | None = None
    why_not: str = ""
    extrapolation: float | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def aicc(self) -> float:
        """Infinite where nothing was fitted, or points are too few to tell."""
        return math.inf if self.fit is None else self.fit.aicc

    @property
    def vague(self) -> tuple[str, ...]:
        """Parameters that the data do not tell: a family with one describes points, and is not preferred."""
        if self.fit is None:
            return ()
        told = self.fit.errors
        return tuple(
            name
            for name, value in self.fit.params.items()
            if name in self.fit.unidentified or not told[name] <= VAGUE * max(abs(value), np.finfo(float).tiny)
        )

    @property
    def flat(self) -> bool:
        """Whether all that the family could do was a constant, as one that only rises does with a falling loss."""
        if self.fit is None:
            return False
        points = self.fit.points
        return float(np.ptp(self.fit(points.resource))) < FLAT * float(np.ptp(points.quality))

    @property
    def in_sample(self) -> float | None:
        """Root mean square of the residuals, in Q."""
        return None if self.fit is None else float(np.sqrt(np.mean(self.fit.residuals**2)))

    @property
    def asymptote(self) -> str:
        """What unlimited resources approach, or why that is not known."""
        if self.fit is None:
            return ""
        value = self.fit.asymptote
        return f"{value:.4g}" if value is not None else f"not identified: {self.fit.unidentified['asymptote']}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The candidates by AICc, the best first, beside what repeating the last value and `extrapolate` would miss by."""

    series: CurvePoints
    candidates: tuple[FamilyFit, ...]
    forecast_error: float | None
    last_error: float | None
    doubt: str | None
    """Why `extrapolate` would not rely on its forecast from a quarter of the resources."""

    @property
    def preferred(self) -> FamilyFit:
        """The family of the least AICc whose parameters the data tell. Raises `FitError` where there is none."""
        for one in self.candidates:
            if math.isfinite(one.aicc) and not one.vague:
                return one
        raise FitError(f"I cannot tell which family is the best: {self._undecided()}")

    def _undecided(self) -> str:
        """Why no family is preferred, and what helps."""
        count, least = len(np.unique(self.series.resource)), LEAST + (self.series.sigma is None)
        if count < least:
            points = "1 resource" if count == 1 else f"{count} different resources"
            return f"{points}; families of two parameters need {least}, of three {least + 1}"
        if any(math.isfinite(one.aicc) for one in self.candidates):
            return "the points do not tell the parameters of any; measure more resources, or more far apart"
        reasons = dict.fromkeys(one.why_not for one in self.candidates if one.why_not)
        return next(iter(reasons), f"{count} different resources are too few; measure more")

    @property
    def misfit(self) -> str | None:
        """Why the preferred family does not describe the points, if it does not; all families are monotone."""
        best = self.preferred
        assert best.fit is not None  # noqa: S101  # preferred has one
        if best.fit.describes:
            return None
        return (
            f"no family describes these points: {best.name}, the best, misses them by {best.in_sample:.3g} on average "
            "and neighbours on the same side; rely on none of its figures"
        )

    @property
    def article(self) -> tuple[FamilyFit, ...]:
        """The article's two families, each with an offset where without one it can only be a constant."""
        plain = [one for name in ARTICLE if (one := self.named(name)) is not None]
        return tuple(self.named(WITH_OFFSET[one.name]) or one if one.flat else one for one in plain)

    @property
    def passed_over(self) -> tuple[FamilyFit, ...]:
        """Families with an AICc below the preferred one's, but with parameters that the data do not tell."""
        return self.candidates[: self.candidates.index(self.preferred)]

    def named(self, name: str) -> FamilyFit | None:
        """The candidate of that name, if it was asked for."""
        return next((one for one in self.candidates if one.name == name), None)


def compared(series: CurvePoints, names: Sequence[str] = (), *, profiles: bool = True) -> Comparison:
    """Fit families (all, unless named) and sort them by AICc.

    With ``profiles`` the preferred family and the article's two get profile intervals, which follow the curvature; the
    others have symmetric ones. Raises `UsageError` for an unknown name, `FitError` where no family can be fitted.
    """
    chosen = [family(name).name for name in dict.fromkeys(names or FAMILIES)]
    found = sorted((_candidate(series, name) for name in chosen), key=lambda one: (one.aicc, one.name))
    first = next((one for one in found if not one.vague), found[0])
    exact = {first.name, *ARTICLE, *WITH_OFFSET.values()} if profiles else set()
    forecast, last, doubt = _rivals(series)
    result = Comparison(
        series=series,
        candidates=tuple(_with_intervals(one, "profile" if one.name in exact else "covariance") for one in found),
        forecast_error=forecast,
        last_error=last,
        doubt=doubt,
    )
    assert result.preferred  # noqa: S101  # raises FitError before anybody looks at a table of nothing
    return result


def preference(found: Comparison) -> str:
    """Which family the data prefer, in a sentence or two."""
    best = found.preferred
    after = found.candidates[found.candidates.index(best) + 1 :]
    others = [one for one in after if math.isfinite(one.aicc)]
    tied = [one for one in others if one.aicc - best.aicc < TIED]
    behind = [one for one in others if one not in tied]
    parts = [
        f"AICc prefers {best.name}" + (f" by {behind[0].aicc - best.aicc:.1f} over {behind[0].name}" if behind else "")
    ]
    if tied:
        gaps = ", ".join(f"{one.name} ({one.aicc - best.aicc:.1f})" for one in tied)
        parts = [f"AICc does not tell {best.name} from {gaps}: differences below {TIED:g} are no preference"]
        parts += [f"the next is {behind[0].name}, {behind[0].aicc - best.aicc:.1f} behind"] if behind else []
    article = [one for one in found.article if one in behind and (one.flat or one is not behind[0])]
    parts += [f"{one.name} is {one.aicc - best.aicc:.1f} behind{_constant(one)}" for one in article]
    parts += [
        f"{one.name} fits better, but the data do not tell its {', '.join(one.vague)}" for one in found.passed_over
    ]
    return "; ".join(parts) + "."


def _constant(one: FamilyFit) -> str:
    return " as a constant, for it cannot take this direction" if one.flat else ""


def _candidate(series: CurvePoints, name: str) -> FamilyFit:
    try:
        found = fit(series.resource, series.quality, family=name, sigma=series.sigma, loss="squares")
    except SuiteError as error:
        return FamilyFit(name=name, why_not=str(error))
    return FamilyFit(name=name, fit=found, extrapolation=_beyond(series, name))


def _with_intervals(one: FamilyFit, method: str) -> FamilyFit:
    if one.fit is None:
        return one
    intervals = {name: one.fit.interval(name, method=method) for name in one.fit.params}
    return FamilyFit(name=one.name, fit=one.fit, extrapolation=one.extrapolation, intervals=intervals)


def _beyond(series: CurvePoints, name: str) -> float | None:
    """Error beyond a quarter of the largest resource of a fit up to there; ``None`` where there is no such fit."""
    seen, hidden = series.up_to(SHARE * series.last), series.beyond(SHARE * series.last)
    try:
        found = fit(seen.resource, seen.quality, family=name, sigma=seen.sigma, loss="squares")
        return _rms(found(hidden.resource) - hidden.quality)
    except (FitError, CurveError):
        return None


def _rivals(series: CurvePoints) -> tuple[float | None, float | None, str | None]:
    """The errors of `extrapolate` and of repeating the last value, beyond a quarter; and the forecast's own doubt."""
    seen, hidden = series.up_to(SHARE * series.last), series.beyond(SHARE * series.last)
    try:
        said = forecast(seen, np.unique(hidden.resource))
    except SuiteError as error:
        return None, None, str(error)
    place = np.searchsorted(said.to, hidden.resource)
    reason = None if said.abstained is None else str(said.abstained)
    return _rms(said.mean[place] - hidden.quality), _rms(said.last[place] - hidden.quality), reason


def forecast(series: CurvePoints, to: Any) -> Any:
    """`extrapolate` with what is known of the quality; weights are inverse variances."""
    if series.better is None and series.kind not in {"accuracy", "loss"}:
        raise ExtrapolationError(f"whether higher or lower is better is not known; {TELL}")
    weights = None if series.sigma is None else 1 / series.sigma**2
    return extrapolate(
        series.resource, series.quality, to=to, kind=series.kind, better=series.better, weights=weights,
        annealed=series.annealed,
    )  # fmt: skip


def _rms(errors: Array) -> float:
    return float(np.sqrt(np.mean(errors**2)))
