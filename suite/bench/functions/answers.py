"""What two callables return: numbers and text in any nesting, and how far they are apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from suite.bench.functions.reading import EXACT_FLOATS, content, is_array, leaves
from suite.core.composition import BASELINE
from suite.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, repr=False)
class AnswersApart:
    """The largest ``difference`` of two answers, of each array relative to the largest finite number of the baseline's.

    ``reason`` says why they cannot be compared; then the difference is infinite, and close at no tolerance. ``unread``
    says that an answer could not be read, so that nobody knows whether the work was done.
    """

    difference: float
    reason: str = ""
    unread: bool = False

    def close(self, tolerance: float) -> bool:
        """Whether no number differs by more than ``tolerance``, relative to the largest of the baseline's."""
        __tracebackhide__ = True
        check_tolerance(tolerance)
        return math.isfinite(self.difference) and self.difference <= tolerance

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return self.reason or f"outputs differ by {self.difference:.3g} of the largest"


def check_tolerance(tolerance: object, name: str = "the tolerance") -> None:
    """Raise `UsageError` for a tolerance that is no number of at least 0."""
    __tracebackhide__ = True
    if not isinstance(tolerance, int | float) or not tolerance >= 0:
        raise UsageError(f"{name} must be a number of at least 0, got {tolerance!r}")


@dataclass(frozen=True, kw_only=True)
class HeldAnswer:
    """A copy of an answer on the host, by the place in its nesting: a function may use its buffers again.

    ``arrays`` are its numbers, ``exact`` holds text and what else is compared as it is. ``reason`` says why there is
    neither; ``is_nothing`` is an answer of `None`.
    """

    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    exact: Mapping[str, object] = field(default_factory=dict)
    is_nothing: bool = False
    reason: str = ""


def held(answer: object) -> HeldAnswer:
    """Copy what a function returned."""
    if answer is None:
        return HeldAnswer(is_nothing=True)
    try:
        found = {place: content(leaf) for place, leaf in leaves(answer)}
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return HeldAnswer(reason=f"outputs cannot be read: {error}")
    arrays: dict[str, Any] = {place: value for place, value in found.items() if is_array(value)}
    exact = {place: value for place, value in found.items() if place not in arrays}
    return HeldAnswer(arrays=arrays, exact=exact, reason="" if found else "outputs hold no numbers")


def apart(baseline: HeldAnswer, candidate: HeldAnswer) -> AnswersApart:
    """How far the ``candidate``'s answer is from the ``baseline``'s; infinite where they cannot be compared."""
    reason = _incomparable(baseline, candidate)
    if reason:
        unread = bool(baseline.reason or candidate.reason)
        return AnswersApart(difference=math.inf, reason=reason, unread=unread)
    pairs = [(values, candidate.arrays[place]) for place, values in baseline.arrays.items()]
    return AnswersApart(difference=max((_relative(*pair) for pair in pairs), default=0.0))


def can_be_compared(answer: HeldAnswer) -> bool:
    """Whether an answer says anything: it is not `None`, could be read, and holds a finite number or text."""
    return not _incomparable(answer, answer)


def on_device(answer: object) -> bool:
    """Whether a tensor of it, in any nesting, lies on an accelerator."""
    try:
        return any(not getattr(leaf, "is_cpu", True) for _, leaf in leaves(answer))
    except (TypeError, RecursionError):  # it contains itself
        return False


def _incomparable(baseline: HeldAnswer, candidate: HeldAnswer) -> str:
    if baseline.is_nothing or candidate.is_nothing:
        return _nothing(baseline, candidate)
    for name, answer in ((BASELINE, baseline), ("candidate", candidate)):
        if answer.reason:
            return f"the {name}'s {answer.reason}"
    ours, theirs = candidate.arrays, baseline.arrays
    alike = ours.keys() == theirs.keys() and candidate.exact.keys() == baseline.exact.keys()
    if not alike or any(ours[key].shape != theirs[key].shape for key in ours):
        return (
            f"the outputs differ in shape: {_shapes(baseline)} of the baseline, {_shapes(candidate)} of the candidate"
        )
    for key, value in baseline.exact.items():
        if candidate.exact[key] != value:
            return f"the outputs differ{f' at {key}' if key else ''}: {_short(value)}, {_short(candidate.exact[key])}"
    if not baseline.exact and not any(map(_is_finite, theirs.values())):
        return "the baseline's outputs hold no finite number"
    return ""


def _nothing(baseline: HeldAnswer, candidate: HeldAnswer) -> str:
    if baseline.is_nothing and candidate.is_nothing:
        return "both return None, so there are no outputs to compare; return what was computed"
    return f"the {BASELINE if baseline.is_nothing else 'candidate'} returns None, the other one does not"


def _is_finite(values: NDArray[Any]) -> bool:
    import numpy as np

    return bool(values.size) if values.dtype.kind == "O" else bool(np.isfinite(values).any())


def _relative(baseline: NDArray[Any], candidate: NDArray[Any]) -> float:
    """The largest difference over the baseline's largest number; infinite where NaN and infinities differ in place."""
    import numpy as np

    if baseline.dtype.kind in "biuO" and candidate.dtype.kind in "biuO":
        return _relative_of_integers(baseline, candidate)
    baseline, candidate = (_floats(one) for one in (baseline, candidate))
    same = (baseline == candidate) | (np.isnan(baseline) & np.isnan(candidate))
    finite = np.isfinite(baseline) & np.isfinite(candidate)
    if not bool(same[~finite].all()):
        return math.inf
    if not finite.any():
        return 0.0
    apart, scale = np.abs(baseline[finite] - candidate[finite]).max(), np.abs(baseline[finite]).max()
    return float(apart / scale) if scale else float(apart)


def _relative_of_integers(baseline: NDArray[Any], candidate: NDArray[Any]) -> float:
    """The same of whole numbers, exact beyond 2**53: those that differ are subtracted as Python's integers."""
    different = baseline != candidate
    if not different.any():
        return 0.0
    largest = max(abs(int(baseline.max())), abs(int(baseline.min())))
    if largest <= EXACT_FLOATS and max(abs(int(candidate.max())), abs(int(candidate.min()))) <= EXACT_FLOATS:
        apart = int(abs(_floats(baseline) - _floats(candidate)).max())
    else:
        pairs = zip(baseline[different].tolist(), candidate[different].tolist(), strict=True)
        apart = max(abs(int(ours) - int(theirs)) for ours, theirs in pairs)
    try:
        return apart / largest if largest else float(apart)
    except OverflowError:
        return math.inf


def _floats(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers in double precision, infinite where they are beyond it; others as they are."""
    import numpy as np

    if values.dtype.kind != "O":
        return values.astype(np.float64) if values.dtype.kind in "biu" else values
    return np.array([math.inf if abs(one) > 2**1023 else float(one) for one in values.flat]).reshape(values.shape)


def _shapes(answer: HeldAnswer) -> dict[str, object]:
    shapes = {key or "output": value.shape for key, value in answer.arrays.items()}
    return shapes | {key or "output": type(value).__name__ for key, value in answer.exact.items()}


def _short(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 40 else f"{said[:37]}..."  # noqa: PLR2004  # a line of a terminal holds two
