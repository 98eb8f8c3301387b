"""Whether a function computes its answer at each call: checked before the clock starts, and after it has stopped."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from suite.bench.functions.answers import AnswersApart, HeldAnswer, apart, can_be_compared, held
from suite.bench.functions.reading import check_answer, is_flat, leaves
from suite.bench.functions.spoiling import overwritten, spoilt
from suite.bench.functions.state import Reached, constants
from suite.core.errors import ImplausibleError, UsageError

AS_BEFORE = 1e-6  # relative difference of a later call's output from the first one's
UNLIKE = "it changes its inputs, draws random numbers, or keeps something between calls; make every call the same work"
MEND = "copy within the function, and prepare what all calls share before the comparison"
NAMED = 3  # of what a function keeps

Call = Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class FirstAnswers:
    """What each of the ``calls`` answered before the clock: ``answers`` as they are, ``held`` as they were.

    ``reached`` is what each function could keep before its first call; ``notes`` say what was not checked.
    """

    calls: Mapping[str, Call]
    reached: Mapping[str, Reached]
    speed_only: bool = False
    answers: dict[str, Any] = field(default_factory=dict)
    held: dict[str, HeldAnswer] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, calls: Mapping[str, Call], *, speed_only: bool = False) -> FirstAnswers:
        """Call each function. Raises `UsageError` for what cannot be called or read, `ImplausibleError` as `check`."""
        for name, call in calls.items():
            if not callable(call):
                raise UsageError(f"the {name} is {call!r}, which cannot be called; give a function: lambda: ...")
        reached = {name: Reached.by(call) for name, call in calls.items()}  # of both before either is called
        made = cls(calls=calls, reached=reached, speed_only=speed_only)
        for name, call in calls.items():
            answer = made.answers[name] = call()
            check_answer(name, answer, speed_only=speed_only)
            made.held[name] = held(answer)  # before the next call, which may use the same buffer
            made.check(name, answer)
        return made

    def check_again(self) -> None:
        """Check each function once more: it may have begun to keep its answer after some calls."""
        for name, call in self.calls.items():
            self.check(name, call())

    def check(self, name: str, answer: Any) -> None:
        """Raise `ImplausibleError` where a function answers otherwise again, or what a call before has left.

        Its ``answer`` is overwritten and it is called again; then all that it reaches and that has changed since the
        start is.
        """
        first, call = self.held[name], self.calls[name]
        if not can_be_compared(first):
            return
        again = call()
        found = apart(first, held(again))
        if not found.close(AS_BEFORE):
            raise ImplausibleError(
                f"the {name} answers otherwise in a later call than in its first one ({found}): {UNLIKE}"
            )
        self._check_new(name, answer, again)
        with spoilt(answer) as skipped:
            found = _after(call, first)
        if not found.close(AS_BEFORE):
            raise ImplausibleError(
                f"the {name} does not compute its answer anew: after its former answer was overwritten, {found}; it "
                f"keeps its result, works on its input in place, or returns its input; {MEND}"
            )
        if skipped:
            self.notes[name] = (
                f"the answer of the {name} holds {skipped[0]}, which cannot be overwritten: "
                "whether it is kept was not checked"
            )
        self._check_state(name)

    def _check_new(self, name: str, answer: Any, again: Any) -> None:
        """Tuples cannot be overwritten; but a new call makes a new one, as the former is still there."""
        pairs = zip(leaves(answer), leaves(again), strict=True)
        kept = [
            now for (_, before), (_, now) in pairs if now is before and isinstance(now, tuple) and now and is_flat(now)
        ]
        if kept and not any(one is kept[0] for one in constants(self.calls[name])):
            raise ImplausibleError(f"the {name} returns the same tuple again, so it keeps its result; {MEND}")

    def _check_state(self, name: str) -> None:
        changed = self.reached[name].changed(self.calls[name])
        if not changed:
            return
        with overwritten([one for _, one in changed]):
            found = _after(self.calls[name], self.held[name])
        if not found.close(AS_BEFORE):
            names = ", ".join(sorted({name or "a variable" for name, _ in changed})[:NAMED])
            raise ImplausibleError(
                f"the {name} reads what a call before has left in {names}: after that was overwritten, {found}; it "
                f"changes its input in place, or keeps its result; {MEND}"
            )


def _after(call: Call, first: HeldAnswer) -> AnswersApart:
    """How far the answer is from the first one; infinite where the call raises what the calls before did not."""
    try:
        return apart(first, held(call()))
    except Exception as error:  # noqa: BLE001  # whatever it is
        return AnswersApart(difference=math.inf, reason=f"{type(error).__name__}: {error}")
