"""Fits the two-resource loss law as it was published: Huber's loss of log residuals, from many starts.

Hoffmann et al. 2022, https://arxiv.org/abs/2203.15556, section 3.3; errors by resampling the runs, as Besiroglu et al.
2024, https://arxiv.org/abs/2404.10102. Runs far off are left out by name, not only bounded: those with few tokens for
their size lead the fit, and Huber's loss bounds a residual but no leverage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from suite.core.errors import unknown
from suite.curves.families.curve import Array, CurveError, Interval
from suite.curves.families.loss_law import LossLaw
from suite.curves.fitting.points import FitError, numbers
from suite.curves.fitting.projection import project
from suite.curves.fitting.robust import scale

NAMES = ("E", "A", "B", "alpha", "beta")
DELTA = 1e-3  # of a log residual: from there on it counts linearly, as published
EXPONENTS = np.geomspace(0.05, 1.5, 10)
STARTS = 5
OUTLYING = 5.0  # robust standard deviations
PASSES = 5
REPLICATES = 200
RANGE = (np.array([-60.0, -20, -20, 1e-3, 1e-3]), np.array([60.0, 120, 120, 5, 5]))  # log E, log A, log B, exponents


@dataclass(frozen=True)
class LawFit:
    """A loss law fitted to runs: ``residuals`` [n] are of ln(loss), ``outliers`` positions of runs left out."""

    law: LossLaw
    outliers: tuple[int, ...]
    residuals: Array = field(repr=False)
    runs: Array = field(repr=False)
    """Parameters, tokens and loss [n, 3] of all runs."""

    def __call__(self, resource: ArrayLike) -> Array:
        """Loss [...] of parameters and tokens [..., 2]."""
        return self.law(resource)

    @property
    def params(self) -> dict[str, float]:
        """The constants by name."""
        return {name: getattr(self.law, name) for name in NAMES}

    @property
    def noise(self) -> float:
        """Robust standard deviation of ln(loss)."""
        return scale(np.delete(self.residuals, self.outliers), len(NAMES))

    @cached_property
    def replicates(self) -> Mapping[str, Array]:
        """The constants [200] of laws fitted to resampled runs, outliers left out. Seeded: the same every time."""
        kept = np.delete(self.runs, self.outliers, axis=0)
        picks = np.random.default_rng(0).integers(len(kept), size=(REPLICATES, len(kept)))
        begin = _searched(self.law)
        found = np.array([_natural(_refined(kept[pick], begin)[0]) for pick in picks])
        return dict(zip(NAMES, found.T, strict=True))

    @cached_property
    def replicated_laws(self) -> list[LossLaw]:
        """The replicates as laws; one whose constants ran out of what floats carry is none."""
        return [law for row in zip(*self.replicates.values(), strict=True) if (law := _lawful(row)) is not None]

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors by constant."""
        return {name: float(np.std(values, ddof=1)) for name, values in self.replicates.items()}

    def interval(self, name: str, level: float = 0.95) -> Interval:
        """The middle share ``level`` of the replicates."""
        if name not in NAMES:
            raise unknown("constant", name, NAMES)
        low, high = np.quantile(self.replicates[name], [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)


def fit_loss_law(parameters: ArrayLike, tokens: ArrayLike, loss: ArrayLike) -> LawFit:
    """Fit ``E + A / N^alpha + B / D^beta`` to training runs.

    Args:
        parameters: N of each run [n].
        tokens: D that each was trained on [n].
        loss: what each ended at [n], in nats per token; any positive loss will do.

    Raises `FitError` for fewer than six runs, sizes or numbers of tokens of one kind, or values that are not positive.
    """
    runs = _checked(parameters, tokens, loss)
    kept = np.ones(len(runs), dtype=bool)
    best = _from_many_starts(runs)
    for _ in range(PASSES):
        residuals = _log_residuals(best, runs)
        inside = np.abs(residuals) <= OUTLYING * max(scale(residuals[kept], len(NAMES)), DELTA / OUTLYING)
        if np.array_equal(inside, kept) or inside.sum() <= len(NAMES):
            break
        kept = inside
        best = _refined(runs[kept], best)[0]
    outliers = tuple(int(i) for i in np.flatnonzero(~kept))
    return LawFit(_law(best), outliers, _log_residuals(best, runs), runs)


def _checked(parameters: ArrayLike, tokens: ArrayLike, loss: ArrayLike) -> Array:
    columns = [numbers(*pair) for pair in (("parameters", parameters), ("tokens", tokens), ("loss", loss))]
    if columns[0].ndim != 1 or len({column.shape for column in columns}) > 1:
        raise FitError(
            f"parameters, tokens and loss must be three lists of one length, got {[c.shape for c in columns]}"
        )
    runs = np.stack(columns, axis=-1)
    if not np.all(runs > 0):
        row, column = np.argwhere(~(runs > 0))[0]
        raise FitError(
            f"{('parameters', 'tokens', 'loss')[column]} must be positive, got {runs[row, column]:g} at run {row}"
        )
    if len(runs) <= len(NAMES) or min(len(np.unique(runs[:, j])) for j in (0, 1)) < 3:  # noqa: PLR2004  # E and a power
        raise FitError(
            f"the law has {len(NAMES)} constants: it needs more runs than that, of three sizes and three numbers of "
            f"tokens at least; got {len(runs)} runs, {len(np.unique(runs[:, 0]))} sizes and "
            f"{len(np.unique(runs[:, 1]))} numbers of tokens"
        )
    return runs


def _from_many_starts(runs: Array) -> Array:
    """The best of the grid's best exponents, each refined: search coordinates [5]."""
    grid = np.array(list(product(EXPONENTS, EXPONENTS)))
    n, d, loss = runs.T
    powers = [n ** -grid[:, :1], d ** -grid[:, 1:]]
    columns = np.stack([np.ones_like(powers[0]), *powers], axis=-1) / loss[:, None]  # relative, about as logarithms
    weights, left = project(columns, np.ones((len(grid), len(runs))))
    left = np.where(np.all(weights > 0, axis=-1)[:, None], left, np.inf)
    best = np.argsort(np.sum(np.abs(left), axis=-1))[:STARTS]
    starts = [np.concatenate([np.log(np.maximum(weights[i], 1e-20)), grid[i]]) for i in best]
    found = [_refined(runs, start) for start in starts]
    return min(found, key=lambda one: one[1])[0]


def _refined(runs: Array, begin: Array) -> tuple[Array, float]:
    """Search coordinates [5] of least Huber loss from ``begin``, and that loss."""
    from scipy.optimize import least_squares

    done = least_squares(
        _log_residuals, np.clip(begin, *RANGE), _slopes, args=(runs,), bounds=RANGE, loss="huber", f_scale=DELTA,
        x_scale=[0.1, 1, 1, 0.1, 0.1], max_nfev=300, xtol=1e-10, ftol=1e-10, gtol=1e-12,
    )  # fmt: skip
    return done.x, float(done.cost)


def _terms(u: Array, runs: Array) -> Array:
    """Logarithms of the three terms [n, 3]."""
    e, a, b, alpha, beta = u
    return np.stack([np.full(len(runs), e), a - alpha * np.log(runs[:, 0]), b - beta * np.log(runs[:, 1])], axis=-1)


def _log_residuals(u: Array, runs: Array) -> Array:
    return np.asarray(np.logaddexp.reduce(_terms(u, runs), axis=-1) - np.log(runs[:, 2]))


def _slopes(u: Array, runs: Array) -> Array:
    """Of the log residuals by the search coordinates [n, 5]: each term's share of the loss."""
    terms = _terms(u, runs)
    shares = np.exp(terms - np.logaddexp.reduce(terms, axis=-1, keepdims=True))
    return np.concatenate([shares, -shares[:, 1:] * np.log(runs[:, :2])], axis=-1)


def _natural(u: Array) -> Array:
    return np.concatenate([np.exp(u[:3]), u[3:]])


def _searched(law: LossLaw) -> Array:
    return np.array([*np.log([law.E, law.A, law.B]), law.alpha, law.beta])


def _lawful(constants: Iterable[float]) -> LossLaw | None:
    try:
        return _of(constants)
    except CurveError:
        return None


def _of(constants: Iterable[float]) -> LossLaw:
    e, a, b, alpha, beta = map(float, constants)
    return LossLaw(e, a, b, alpha, beta)


def _law(u: Array) -> LossLaw:
    try:
        return _of(_natural(u))
    except CurveError as error:
        raise FitError(f"no loss law fits these runs: {error}") from None
