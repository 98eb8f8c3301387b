"""What a fit takes: measured points, checked once, with errors that say which point is wrong and what helps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from suite.core.errors import SuiteError
from suite.curves.families.curve import Array, Curve, CurveError


class FitError(SuiteError):
    """Points that cannot be fitted."""


@dataclass(frozen=True)
class Points:
    """Resources and qualities [n] in the order of the resource, with the noise ``sigma`` [n] where it is known."""

    resource: Array
    quality: Array
    sigma: Array | None = None

    def __len__(self) -> int:
        return len(self.quality)

    def without(self, index: int) -> Points:
        """All points but one."""
        kept = np.arange(len(self)) != index
        return Points(self.resource[kept], self.quality[kept], None if self.sigma is None else self.sigma[kept])


def checked(resource: ArrayLike, quality: ArrayLike, sigma: ArrayLike | None, family: type[Curve]) -> Points:
    """The points of one curve, sorted by resource. Repeated measurements at one resource are points of their own."""
    r, q = numbers("resource", resource), numbers("quality", quality)
    if r.ndim != 1 or q.shape != r.shape:
        hint = "; many curves at once: fit_many" if max(r.ndim, q.ndim) > 1 else ""
        raise FitError(
            f"resource and quality must be two lists of one length, got shapes {r.shape} and {q.shape}{hint}"
        )
    s = None if sigma is None else np.broadcast_to(numbers("sigma", sigma), q.shape)
    if s is not None and not np.all(s > 0):
        raise FitError(f"sigma must be positive, got {s[~(s > 0)][0]:g} at point {int(np.argmin(s > 0))}")
    check_resources(r, family)
    order = np.argsort(r, kind="stable")
    return Points(r[order], q[order], None if s is None else s[order])


def check_resources(resource: Array, family: type[Curve]) -> None:
    """Whether resources [n] lie in the family's domain and are enough to tell its parameters apart."""
    needed, distinct = len(family.parameters()), len(np.unique(resource))
    try:
        family.checked(resource)
    except CurveError as error:
        raise FitError(f"{error}; leave such points out, or choose a family that is defined there") from None
    if distinct < needed:
        names = ", ".join(family.parameters())
        raise FitError(
            f"{family.name} has {needed} parameters ({names}) and needs as many different resources, got {distinct}"
        )


def numbers(what: str, given: ArrayLike) -> Array:
    """Finite floats of any shape. Raises `FitError` naming the first that is not."""
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise FitError(f"{what} must be numbers: {error}") from None
    wrong = ~np.isfinite(found)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        where = index[0] if len(index) == 1 else index
        raise FitError(f"{what} must be finite, got {found[index]} at point {where}; leave it out")
    return found
