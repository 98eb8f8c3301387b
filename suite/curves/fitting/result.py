"""What a fit says: the curve, how well each parameter is known, and what speaks against it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from suite.core.errors import unknown
from suite.curves.families.curve import Array, Curve, CurveError, Interval
from suite.curves.fitting.diagnostics import Diagnostics, diagnostics
from suite.curves.fitting.points import FitError, Points
from suite.curves.fitting.profile import profiled
from suite.curves.fitting.search import Problem, descended
from suite.curves.fitting.slopes import ParameterSpread, jacobian, spread

LEVEL = 0.95
KINDS = ("confidence", "prediction")
METHODS = ("covariance", "profile", "bootstrap")
REPLICATES = 400
LEAST_SHAPE = 6  # points that have a shape
UNEXPLAINED = 0.05  # of the variance: more, with neighbours on the same side, is a shape that the family does not have
KNOWN = 1.0  # the asymptote's interval may be as wide as this many ranges of the measured quality


@dataclass(frozen=True)
class Band:
    """A curve with an interval around each value; [n] each."""

    resource: Array
    mean: Array
    low: Array
    high: Array
    level: float
    kind: str
    """``confidence``: where the curve lies. ``prediction``: where one new measurement will."""


@dataclass(frozen=True)
class Fit:
    """A family fitted to the points of one curve.

    ``loss`` says what was minimised: ``squares``, or ``huber`` where ``outliers`` (positions in the sorted points)
    stood too far off. ``noise`` is the standard deviation of a measurement in Q; in units of ``sigma`` where that was
    given.
    """

    curve: Curve
    points: Points
    loss: str
    outliers: tuple[int, ...]
    weight: Array = field(repr=False)
    """How much each point counts [n], in (0, 1]."""
    problem: Problem = field(repr=False)
    optimum: Array = field(repr=False)
    """Search coordinates [1, q] of the non-linear parameters."""

    @property
    def family(self) -> type[Curve]:
        """What was fitted."""
        return type(self.curve)

    @property
    def params(self) -> dict[str, float]:
        """The parameters by name."""
        return self.curve.params

    def __call__(self, resource: ArrayLike) -> Array:
        """The fitted quality [...]."""
        return self.curve(resource)

    @cached_property
    def residuals(self) -> Array:
        """Measured less fitted quality [n], in Q."""
        return np.asarray(self.points.quality - self.curve(self.points.resource))

    @cached_property
    def _scaled(self) -> Array:
        """Residuals [n] in units of ``sigma`` where it was given."""
        return np.asarray(self.residuals * self.problem.root_weight[0])

    @property
    def rss(self) -> float:
        """Sum of squared residuals; over ``sigma`` squared where it was given."""
        return float(np.sum(self._scaled**2))

    @property
    def dof(self) -> int:
        """Points more than parameters."""
        return len(self.points) - len(self.params)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of a measurement: estimated; where ``sigma`` was given, a factor on it of at least 1.

        With Huber's loss the variance is that of the bounded residuals (Huber and Ronchetti 2009, 7.6). Infinite
        without a point more than parameters.
        """
        if self.dof <= 0:
            return math.inf
        bounded = float(np.sum((self._scaled * self.weight) ** 2))
        found = math.sqrt(bounded / self.dof) / float(np.mean(self.weight >= 1))
        return found if self.points.sigma is None else max(1.0, found)

    @cached_property
    def slopes(self) -> Array:
        """Of the value by the parameters [n, p] at the points, weighted."""
        return np.asarray(jacobian(self.curve, self.points.resource) * self.problem.root_weight[0][:, None])

    @cached_property
    def _spread(self) -> ParameterSpread:
        return spread(self.slopes)

    @property
    def covariance(self) -> Array:
        """Of the parameters [p, p], in the order of ``params``."""
        if not self.noise > 0:
            return np.zeros_like(self._spread.root)
        found = self._spread.covariance  # what is 0 stays 0, also where the noise is infinite
        return np.asarray(np.multiply(found, self.noise**2, out=np.zeros_like(found), where=found != 0))

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors by parameter; infinite where the data say nothing."""
        return dict(zip(self.params, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    @property
    def condition(self) -> float:
        """Condition number of the parameters' estimation; beyond about 1e6 some of them only matter together."""
        return self._spread.condition

    @cached_property
    def diagnostics(self) -> Diagnostics:
        """Trends in the residuals and the points that lead the fit."""
        return diagnostics(self._scaled, self._spread.root, self.slopes, self.noise)

    @property
    def describes(self) -> bool:
        """Whether the family has the shape of the points: a peak or a valley is described by none."""
        left, spread = np.mean(self.residuals**2), np.var(self.points.quality)
        small = len(self.points) < LEAST_SHAPE or left < UNEXPLAINED * spread
        return bool(small or not self.diagnostics.misses_shape)

    def interval(self, name: str, level: float = LEVEL, method: str = "profile") -> Interval:
        """An interval for a parameter; an open side is infinite.

        ``covariance`` is symmetric and cheap, ``profile`` follows the curvature, ``bootstrap`` refits to resampled
        residuals.
        """
        if name not in self.params:
            raise unknown("parameter", name, self.params)
        if method not in METHODS:
            raise unknown("method", method, METHODS)
        if not 0 < level < 1:
            raise FitError(f"level must be between 0 and 1, got {level!r}")
        if not math.isfinite(self.noise):
            return self.family.bounds.get(name, (-math.inf, math.inf))
        return getattr(self, f"_by_{method}")(name, level)  # type: ignore[no-any-return]

    def _quantile(self, level: float) -> float:
        from scipy.stats import t

        return float(t.ppf((1 + level) / 2, self.dof))

    def _by_covariance(self, name: str, level: float) -> Interval:
        value, reach = self.params[name], self._quantile(level) * self.errors[name]
        return value - reach, value + reach

    @cached_property
    def _profiles(self) -> dict[tuple[str, float], Interval]:
        """Profile intervals by parameter and level: the doubt of an asymptote and a table ask for the same ones."""
        return {}

    def _by_profile(self, name: str, level: float) -> Interval:
        if (name, level) not in self._profiles:
            self._profiles[name, level] = self._profiled(name, level)
        return self._profiles[name, level]

    def _profiled(self, name: str, level: float) -> Interval:
        value, error = self.params[name], self.errors[name]
        if self.noise == 0:
            return value, value
        step = error if 0 < error < math.inf else abs(value) or 1.0
        rise = (self._quantile(level) * self.noise) ** 2
        problem = self.problem.weighted(self.weight)
        return profiled(problem, self.optimum, name, value=value, step=step, rise=rise)

    def _by_bootstrap(self, name: str, level: float) -> Interval:
        values = self.replicates[name]
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    @cached_property
    def replicates(self) -> Mapping[str, Array]:
        """Parameters [400] refitted to the curve with resampled residuals, each as large as its point's leverage hid.

        Davison and Hinkley, Bootstrap Methods and their Application (1997), section 6.3. Seeded: the same every time.
        """
        picked = np.random.default_rng(0).integers(len(self.points), size=(REPLICATES, len(self.points)))
        modified = self._scaled / np.sqrt(np.maximum(1 - self.diagnostics.leverage, 0.05))
        modified = modified - modified.mean()
        root = np.broadcast_to(self.problem.root_weight, picked.shape)
        quality = self.curve(self.points.resource) + modified[picked] / root
        again = Problem(self.family, self.problem.scales, self.problem.resource, quality, root)
        u, _ = descended(again, np.repeat(self.optimum, REPLICATES, axis=0))
        return named(again, u)

    @cached_property
    def replicated_curves(self) -> list[Curve]:
        """The replicates as curves; one whose parameters ran out of their bounds is none."""
        rows = zip(*self.replicates.values(), strict=True)
        return [curve for row in rows if (curve := _curve(self.family, row)) is not None]

    def band(self, resource: ArrayLike, level: float = LEVEL, kind: str = "confidence") -> Band:
        """The curve at ``resource`` [n] with its band: of the curve itself, or of one new measurement.

        A new measurement's noise is that of the fit; where ``sigma`` was given, that of the measurements around it.
        """
        if kind not in KINDS:
            raise unknown("kind of band", kind, KINDS)
        r = np.atleast_1d(self.family.checked(resource))
        mean = self.curve(r)
        if not math.isfinite(self.noise):
            return Band(r, mean, np.full_like(mean, -np.inf), np.full_like(mean, np.inf), level, kind)
        variance = np.sum((jacobian(self.curve, r) @ self._spread.root) ** 2, axis=1) * self.noise**2
        if kind == "prediction":
            variance = variance + (self.noise * self._unit(r)) ** 2
        reach = self._quantile(level) * np.sqrt(variance)
        return Band(r, mean, mean - reach, mean + reach, level, kind)

    def _unit(self, resource: Array) -> Array:
        """What the noise counts in at ``resource`` [n]: ``sigma`` there, or that of the first or last point beyond."""
        points = self.points
        if points.sigma is None:
            return np.ones_like(resource)
        return np.asarray(np.interp(resource, points.resource, points.sigma))

    @cached_property
    def aicc(self) -> float:
        """Akaike's criterion for few points (Hurvich and Tsai 1989); the noise is a parameter; inf without enough."""
        n, k = len(self.points), len(self.params) + (self.points.sigma is None)
        return self._deviance + 2 * k + (2 * k * (k + 1) / (n - k - 1) if n > k + 1 else math.inf)

    @cached_property
    def bic(self) -> float:
        """Schwarz's criterion (1978)."""
        return self._deviance + (len(self.params) + (self.points.sigma is None)) * math.log(len(self.points))

    @property
    def _deviance(self) -> float:
        """-2 log likelihood of Gaussian noise, without the constants that all families share."""
        if self.points.sigma is not None:
            return self.rss
        floor = (1e-12 * float(np.max(np.abs(self.points.quality)))) ** 2 or np.finfo(float).tiny
        return len(self.points) * math.log(max(self.rss / len(self.points), floor))

    @cached_property
    def unidentified(self) -> Mapping[str, str]:
        """What the data do not tell, with the reason: parameters by name, and ``asymptote``."""
        found = dict.fromkeys(self._at_limit(), "the best value is at the end of the searched range")
        found |= {
            name: "it changes nothing at the measured resources"
            for name, error in self.errors.items()
            if math.isinf(error)
        }
        reason = self._asymptote_doubt()
        return found | ({"asymptote": reason} if reason else {})

    def _at_limit(self) -> tuple[str, ...]:
        return self.problem.scales.at_limit(self.optimum[0])

    @property
    def asymptote(self) -> float | None:
        """What unlimited resources approach; None where there is no such thing or the data do not tell."""
        return None if "asymptote" in self.unidentified else self.curve.asymptote

    def _asymptote_doubt(self) -> str | None:
        if not math.isfinite(self.curve.asymptote):
            return f"{self.family.name} has none"
        last, turn = float(self.points.resource[-1]), self.curve.inflection
        if turn is not None and turn >= last:
            return f"the data end at {last:g}, before the inflection at {turn:.4g}"
        low, high = self._asymptote_interval()
        span = float(np.ptp(self.points.quality))
        if high - low > KNOWN * max(span, 2 * self.noise):
            return f"anything from {low:.4g} to {high:.4g} fits the data (95 %), which span {span:.4g}"
        return None

    def _asymptote_interval(self) -> Interval:
        """Of the parameter that is the asymptote, if one is, else of a constant."""
        name = next((name for name, value in self.params.items() if value == self.curve.asymptote), None)
        if name is None or self.noise == 0:
            return self.curve.asymptote, self.curve.asymptote
        return self.interval(name)


@dataclass(frozen=True)
class Fits:
    """One family fitted to many curves by least squares: the parameters [k] by name, and sums of squares [k]."""

    family: type[Curve]
    params: Mapping[str, Array]
    rss: Array
    dof: int

    def __len__(self) -> int:
        return len(self.rss)

    def __getitem__(self, index: int) -> Curve:
        """One of the fitted curves."""
        return self.family(**{name: float(values[index]) for name, values in self.params.items()})

    def __iter__(self) -> Iterator[Curve]:
        return (self[index] for index in range(len(self)))


def _curve(family: type[Curve], values: Iterable[float]) -> Curve | None:
    try:
        return family(*(float(value) for value in values))
    except CurveError:
        return None


def named(problem: Problem, u: Array) -> dict[str, Array]:
    """All parameters [k] by name, in the order of the family's."""
    linear, _ = problem.residuals(u)
    found = {name: linear[..., j] for j, name in enumerate(problem.family.linear)}
    found |= {name: values[..., 0] for name, values in problem.scales.natural(u).items()}
    return {name: found[name] for name in problem.family.parameters()}
