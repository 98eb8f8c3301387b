"""Time two callables in turns, with the sampler, the null arm and the checks of `suite bench`."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from suite.bench.functions.answers import AnswersApart, HeldAnswer, apart, check_answer, held, on_device
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio, Undecided, is_failure
from suite.bench.functions.spoiling import spoilt
from suite.core.composition import BASELINE
from suite.core.errors import ImplausibleError, UsageError

COPY, CANDIDATE = "null", "candidate"
SECONDS = 2.0
LOOKED_AT = 0.25  # of the timed turns, at random
TOLERANCE = 0.015  # relative half width of the interval beyond which a sample may exceed its budget
AS_BEFORE = 1e-6  # relative difference of a timed call's output from the untimed one's
UNLIKE = "it changes its inputs, draws random numbers, or keeps something between calls; make every call the same work"

Call = Callable[[], Any]


def compare(
    *,
    baseline: Call,
    candidate: Call,
    seconds: float = SECONDS,
    synchronize: Call | None = None,
    seed: int = 0,
    undecided: Undecided = is_failure,
) -> FunctionTradeoff:
    """Speed-up and outputs of ``candidate`` against ``baseline``, two callables without arguments.

    Both are called in turns for about ``seconds``, up to four times as long on a noisy machine; a second copy of the
    baseline takes part. ``synchronize`` waits for an accelerator; if the outputs are tensors on one, torch's own is
    taken. Outputs of timed calls, chosen at random, are compared with those before. Raises `UsageError` for what cannot
    be compared and `ImplausibleError` where timed calls answer otherwise.
    """
    if not seconds > 0:
        raise UsageError(f"the budget must be positive, got seconds={seconds!r}")
    arms = {BASELINE: baseline, COPY: copied(baseline), CANDIDATE: candidate}
    answers, first = first_answers({BASELINE: baseline, CANDIDATE: candidate})
    waits = synchronize or _waits(answers)
    again = _Repeats(first=first, luck=random.SystemRandom())
    sample = _sampled(arms, again.keep, waits, seconds=seconds, seed=seed)
    again.check()
    null = sample.ratio(BASELINE, COPY).value
    return FunctionTradeoff(
        speedup=SpeedRatio.of(
            sample.ratio(BASELINE, CANDIDATE), null=null, suspect=sample.suspect, undecided=undecided
        ),
        outputs=apart(first[BASELINE], first[CANDIDATE]),
        device=device_of(answers),
    )


def first_answers(calls: Mapping[str, Call]) -> tuple[dict[str, Any], dict[str, HeldAnswer]]:
    """What each call answers, as it is and as it was. Raises `ImplausibleError` where it answers otherwise again."""
    answers, first = {}, {}
    for name, call in calls.items():
        answers[name] = _called(name, call)
        first[name] = held(answers[name])  # before the next call, which may use the same buffer
        _check_anew(name, call, answers[name], first[name])
    return answers, first


def copied(call: Call) -> Call:
    """The same function as another object, so that the two arms of one callable are two; others stay as they are."""
    if not isinstance(call, FunctionType):
        return call
    made = FunctionType(call.__code__, call.__globals__, call.__name__, call.__defaults__, call.__closure__)
    made.__kwdefaults__ = call.__kwdefaults__
    return made


def _called(name: str, call: Call) -> Any:
    if not callable(call):
        raise UsageError(f"the {name} is {call!r}, which cannot be called; give a function: lambda: ...")
    answer = call()
    check_answer(name, answer)
    return answer


def _check_anew(name: str, call: Call, answer: Any, first: HeldAnswer) -> None:
    """Raise `ImplausibleError` for a call that answers otherwise again, or answers what stood in its former answer."""
    if first.is_nothing or first.reason:
        return
    again = apart(first, held(call()))
    if not again.close(AS_BEFORE):
        raise ImplausibleError(
            f"the {name} answers otherwise in its second call than in its first one ({again}): {UNLIKE}"
        )
    with spoilt(answer):
        try:
            anew = apart(first, held(call()))
        except Exception as error:  # noqa: BLE001  # whatever it is, the calls before did not raise it
            anew = AnswersApart(difference=math.inf, reason=f"{type(error).__name__}: {error}")
    if not anew.close(AS_BEFORE):
        raise ImplausibleError(
            f"the {name} does not compute its answer anew: after its former answer was overwritten, {anew}; it keeps "
            "its result, works on its input in place, or returns its input; copy within the function"
        )


def _sampled(
    arms: dict[str, Call], keep: Callable[[str, object], None], synchronize: Call, *, seconds: float, seed: int
) -> Any:
    from suite.measure.sampler.options import PRECISION, Hooks, SamplerOptions
    from suite.measure.sampler.timing import sample

    options = SamplerOptions(
        baseline=BASELINE, null=COPY, seconds=seconds, seed=seed, precision=PRECISION,
        tolerance=TOLERANCE, host_bound=synchronize is _nothing,
    )  # fmt: skip
    return sample(arms, options, hooks=Hooks(synchronize=synchronize, keep=keep))


def _nothing() -> None:
    """There is nothing to wait for."""


def _waits(answers: dict[str, Any]) -> Call:
    """What waits for the accelerator, if an answer lies on one, or may: nothing says nothing of where it was made."""
    if "torch" not in sys.modules:
        return _nothing
    import torch

    hidden = any(answer is None for answer in answers.values()) and torch.accelerator.is_available()
    return torch.accelerator.synchronize if hidden or any(map(on_device, answers.values())) else _nothing


def device_of(answers: dict[str, Any]) -> str:
    """Where the answers lie: the accelerator that torch has, or the CPU."""
    if not any(map(on_device, answers.values())):
        return "cpu"
    import torch

    found = torch.accelerator.current_accelerator()
    return "cpu" if found is None else found.type


@dataclass(kw_only=True)
class _Repeats:
    """Compares outputs of timed calls, those of each arm's first turn and others at random, with the ``first`` ones."""

    first: dict[str, HeldAnswer]
    luck: random.Random
    wrong: dict[str, AnswersApart] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def keep(self, arm: str, output: object) -> None:
        """The last output of a turn, outside of the clock."""
        if arm not in self.seen or self.luck.random() < LOOKED_AT:
            self.seen.add(arm)
            self._look(arm, output)

    def _look(self, arm: str, output: object) -> None:
        name = CANDIDATE if arm == CANDIDATE else BASELINE
        first, now = self.first[name], held(output)
        found = apart(first, now)
        alike = (first.is_nothing and now.is_nothing) or (first.reason and first.reason == now.reason)
        if not found.close(AS_BEFORE) and not alike:
            self.wrong.setdefault(name, found)

    def check(self) -> None:
        """Raise `ImplausibleError` where a timed call answered otherwise than the first one did."""
        for arm, found in self.wrong.items():
            raise ImplausibleError(
                f"the {arm} answers otherwise in a timed call than in its first one ({found}): {UNLIKE}"
            )
