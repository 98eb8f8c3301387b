"""What two callables return: numbers in any nesting, and how far they are apart.

Numbers are Python's, arrays of numpy, and tensors of torch on any device.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from suite.core.composition import BASELINE
from suite.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NESTED = (list, tuple)


@dataclass(frozen=True, kw_only=True, repr=False)
class AnswersApart:
    """The largest ``difference`` of two answers, of each array relative to the largest finite number of the baseline's.

    ``reason`` says why they cannot be compared; then the difference is infinite, and close at no tolerance.
    """

    difference: float
    reason: str = ""

    def close(self, tolerance: float) -> bool:
        """Whether no number differs by more than ``tolerance``, relative to the largest of the baseline's."""
        return math.isfinite(self.difference) and self.difference <= tolerance

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return self.reason or f"outputs differ by {self.difference:.3g} of the largest"


def check_answer(name: str, answer: object) -> None:
    """Raise `UsageError` for an answer that says nothing of the work: none, or one that is still to be computed."""
    if inspect.isawaitable(answer) or inspect.isasyncgen(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise UsageError(f"the {name} returns a coroutine, so calling it computes nothing; run it to its end within")
    if inspect.isgenerator(answer):
        raise UsageError(f"the {name} returns a generator, so calling it computes nothing; return a list")


@dataclass(frozen=True, kw_only=True)
class HeldAnswer:
    """A copy of an answer on the host, by the place in its nesting: a function may use its buffers again.

    ``reason`` says why there are no numbers; ``is_nothing`` is an answer of `None`.
    """

    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    is_nothing: bool = False
    reason: str = ""


def held(answer: object) -> HeldAnswer:
    """Copy what a function returned."""
    if answer is None:
        return HeldAnswer(is_nothing=True)
    try:
        arrays = dict(_numbers(answer))
    except (TypeError, ValueError, OverflowError) as error:
        return HeldAnswer(reason=f"the outputs are no numbers: {error}")
    return HeldAnswer(arrays=arrays, reason="" if arrays else "there are no numbers in the outputs")


def apart(baseline: HeldAnswer, candidate: HeldAnswer) -> AnswersApart:
    """How far the ``candidate``'s answer is from the ``baseline``'s; infinite where they cannot be compared."""
    reason = _incomparable(baseline, candidate)
    if reason:
        return AnswersApart(difference=math.inf, reason=reason)
    pairs = [(values, candidate.arrays[place]) for place, values in baseline.arrays.items()]
    return AnswersApart(difference=max(_relative(*pair) for pair in pairs))


def on_device(answer: object) -> bool:
    """Whether a tensor of it, in any nesting, lies on an accelerator."""
    if isinstance(answer, Mapping):
        return any(map(on_device, answer.values()))
    if isinstance(answer, NESTED):
        return any(map(on_device, answer))
    return not getattr(answer, "is_cpu", True)


def _incomparable(baseline: HeldAnswer, candidate: HeldAnswer) -> str:
    if baseline.is_nothing or candidate.is_nothing:
        return _nothing(baseline, candidate)
    if baseline.reason or candidate.reason:
        return baseline.reason or candidate.reason
    ours, theirs = candidate.arrays, baseline.arrays
    if ours.keys() != theirs.keys() or any(ours[key].shape != theirs[key].shape for key in ours):
        return f"the outputs differ in shape: {_shapes(theirs, ours)}"
    if not any(map(_is_finite, theirs.values())):
        return "the baseline's outputs hold no finite number"
    return ""


def _nothing(baseline: HeldAnswer, candidate: HeldAnswer) -> str:
    if baseline.is_nothing and candidate.is_nothing:
        return "both return None, so there are no outputs to compare; return what was computed"
    return f"the {BASELINE if baseline.is_nothing else 'candidate'} returns None, the other one does not"


def _numbers(answer: object, place: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """A copy of each array of an answer, in double precision, with its place in the nesting."""
    import numpy as np

    if isinstance(answer, Mapping):
        for key in answer:
            yield from _numbers(answer[key], f"{place}[{key!r}]")
    elif isinstance(answer, NESTED) and any(map(_is_nested, answer)):
        for index, one in enumerate(answer):
            yield from _numbers(one, f"{place}[{index}]")
    else:
        found = np.asarray(_on_host(_checked(answer)))
        if found.dtype.kind in "USO":
            raise _refused(answer)
        yield place, found.astype(np.complex128 if found.dtype.kind == "c" else np.float64)  # a copy


def _is_nested(value: object) -> bool:
    return isinstance(value, (*NESTED, Mapping)) or hasattr(value, "shape")


def _checked(answer: object) -> object:
    """The answer. Raises `TypeError` for what is computed when it is read, and for what has labels or masks, too."""
    import numpy as np

    numbers = (int, float, complex, np.ndarray, np.generic)
    known = isinstance(answer, numbers) or hasattr(answer, "detach")
    if isinstance(answer, NESTED):
        known = all(isinstance(one, numbers) for one in answer)
    if not known or isinstance(answer, np.ma.MaskedArray):
        raise _refused(answer)
    return answer


def _refused(answer: object) -> TypeError:
    return TypeError(f"{type(answer).__name__}; return numbers, arrays of numpy or tensors of torch, in any nesting")


def _on_host(answer: Any) -> Any:
    """A tensor of torch as an array; anything else as it is."""
    if not hasattr(answer, "detach"):
        return answer
    held = answer.detach().cpu()
    return (held.to_dense() if held.is_sparse else held).double().numpy() if not held.is_complex() else held.numpy()


def _is_finite(values: NDArray[Any]) -> bool:
    import numpy as np

    return bool(np.isfinite(values).any())


def _relative(baseline: NDArray[Any], candidate: NDArray[Any]) -> float:
    """The largest difference over the baseline's largest number; infinite where NaN and infinities differ in place."""
    import numpy as np

    same = (baseline == candidate) | (np.isnan(baseline) & np.isnan(candidate))
    finite = np.isfinite(baseline) & np.isfinite(candidate)
    if not bool(same[~finite].all()):
        return math.inf
    if not finite.any():
        return 0.0
    apart, scale = np.abs(baseline[finite] - candidate[finite]).max(), np.abs(baseline[finite]).max()
    return float(apart / scale) if scale else float(apart)


def _shapes(baseline: Mapping[str, NDArray[Any]], candidate: Mapping[str, NDArray[Any]]) -> str:
    first, second = ({key or "output": value.shape for key, value in one.items()} for one in (baseline, candidate))
    return f"{first} of the baseline, {second} of the candidate"
