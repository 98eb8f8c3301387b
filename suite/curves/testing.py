"""The tests that every family of curves must pass; use them for your own families as well.

    from suite.curves.testing import check_family

    def test_my_family():
        check_family(MyFamily)

Curves are drawn around the family's own ``starts``, over data in units from a millionth to a million. Amplitudes span
ten decades, with either sign if the bounds allow it. A failure is a `PropertyError` that names the family, the
property and the smallest counter-example that Hypothesis found.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from suite.core.errors import SetupError, SuiteError, unknown
from suite.curves.families.curve import ANY, Curve
from suite.curves.properties import course, declared
from suite.curves.properties.case import Broken, CurveCase

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

DECADES = (-5, 5)
"""Powers of ten of an amplitude: an offset may be far larger than what is added to it."""
POINTS = 6
"""Resources a case; some properties add the neighbourhood of an inflection."""


class PropertyError(SuiteError, AssertionError):
    """A family breaks one of its properties; ``family`` and ``property`` are their names."""

    def __init__(self, family: str, broken: Property, case: CurveCase, finding: BaseException) -> None:
        self.family, self.property = family, broken.name
        found = finding if isinstance(finding, Broken) else f"{type(finding).__name__}: {finding}"
        super().__init__(f"family {family!r} breaks {broken.name!r} ({broken.claim}) as {case.curve}: {found}")


@dataclass(frozen=True)
class Property:
    """Something that must hold for every curve: a name, a claim in words, and its check."""

    name: str
    claim: str
    check: Callable[[CurveCase], None]

    def __call__(self, case: CurveCase) -> None:
        """Raise `PropertyError` where the property does not hold; a warning or an error of another kind breaks it."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                self.check(case)
            except Exception as finding:
                raise PropertyError(case.curve.name, self, case, finding) from finding


def _named(check: Callable[[CurveCase], None]) -> Property:
    claim = (inspect.getdoc(check) or "").partition(".")[0]
    return Property(check.__name__.replace("_", " "), claim, check)


PROPERTIES: tuple[Property, ...] = tuple(
    _named(check)
    for check in (
        declared.bounds,
        declared.domain,
        declared.starts,
        declared.broadcast,
        declared.linear,
        course.monotone,
        course.bounded,
        course.derivative_by_differences,
        course.derivatives_by_automatic_differentiation,
        course.second_derivative_by_differences,
        course.diminishing,
        course.inflection,
        course.inverse,
        declared.unit_of_resource,
        declared.unit_of_quality,
    )
)


def property_named(name: str) -> Property:
    """The property called ``name``. Raises `UsageError` with the nearest names."""
    named = {each.name: each for each in PROPERTIES}
    if name not in named:
        raise unknown("property", name, named)
    return named[name]


def check_family(
    family: type[Curve],
    *,
    only: Iterable[Property | str] = PROPERTIES,
    max_examples: int | None = None,
    shrink: bool = True,
) -> None:
    """Try the properties on ``max_examples`` curves of the family (default: as Hypothesis' profile says).

    Raises `PropertyError` for the first property that breaks, with the smallest counter-example; without ``shrink``,
    which takes some seconds, with the first that was found.
    """
    chosen = [property_named(each) if isinstance(each, str) else each for each in only]
    hypothesis = _hypothesis()
    count = hypothesis.settings().max_examples if max_examples is None else max_examples

    def holds(case: CurveCase) -> None:
        for each in chosen:
            each(case)

    settings = hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if shrink else [])],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    settings(hypothesis.given(case=cases(family))(holds))()


def cases(family: type[Curve]) -> SearchStrategy[CurveCase]:
    """Curves of ``family`` with resources and data, as a Hypothesis strategy."""
    from hypothesis import strategies as st

    low = family.domain[0]
    units = st.integers(-6, 6).map(lambda power: 10.0**power) if family.scale_free else st.just(1.0)
    shares = st.lists(st.integers(0, 1000), min_size=POINTS, max_size=POINTS, unique=True)
    spans = st.sampled_from((30.0, 1000.0))

    @st.composite
    def case(draw: Any) -> CurveCase:
        data = low + draw(units) * np.geomspace(1, draw(spans), 8)
        curve = family(**{name: draw(_parameter(family, name, data)) for name in family.parameters()})
        start, stop = np.log([0.1 * (data[0] - low), 10 * data[-1]])
        resource = low + np.exp(start + (stop - start) * np.sort(draw(shares)) / 1000)
        return CurveCase(curve, resource, data)

    return case()


def _parameter(family: type[Curve], name: str, data: np.ndarray[Any, np.dtype[np.float64]]) -> SearchStrategy[float]:
    """A candidate of ``starts`` and its neighbourhood, or an amplitude; inside the bounds."""
    from hypothesis import strategies as st

    low, high = family.bounds.get(name, ANY)
    if name in family.linear:
        powers = st.integers(*DECADES)
        sizes = st.builds(lambda eighths, power: eighths / 8 * 10.0**power, st.integers(1, 80), powers)
        drawn = st.builds(lambda size, sign: sign * size, sizes, st.sampled_from((1.0, -1.0)))
        return drawn.filter(lambda value: low < value < high)
    candidates = [float(value) for value in family.starts(data)[name]]
    near = st.integers(0, 40).map(lambda part: 1 + part / 160)
    return st.builds(
        lambda value, by: value * by if low < value * by < high else value, st.sampled_from(candidates), near
    )


def _hypothesis() -> Any:
    try:
        import hypothesis
    except ImportError:
        raise SetupError("testing a family needs hypothesis; install it with: pip install hypothesis") from None
    return hypothesis
