"""Time two callables in turns, with the sampler, the null arm and the checks of `suite bench`."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from suite.bench.functions.answers import AnswersApart, apart, check_answer
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio, Undecided, is_failure
from suite.core.composition import BASELINE
from suite.core.errors import ImplausibleError, UsageError

COPY, CANDIDATE = "null", "candidate"
SECONDS = 2.0
LOOKED_AT = 0.1  # of the timed turns, at random
CONFIDENCE = 0.99
PRECISION, TOLERANCE = 0.0025, 0.015
AS_BEFORE = 1e-6  # relative difference of a timed call's output from the untimed one's

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
    first = {name: _called(name, call) for name, call in ((BASELINE, baseline), (CANDIDATE, candidate))}
    kept = _KeptAnswers(first=first, luck=random.Random(seed))  # noqa: S311  # guards no secret
    sample = _sampled(arms, kept.keep, synchronize or _waits(first), seconds=seconds, seed=seed)
    kept.check()
    null = sample.ratio(BASELINE, COPY).value
    return FunctionTradeoff(
        speedup=SpeedRatio.of(
            sample.ratio(BASELINE, CANDIDATE), null=null, suspect=sample.suspect, undecided=undecided
        ),
        outputs=apart(first[BASELINE], first[CANDIDATE]),
    )


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


def _sampled(
    arms: dict[str, Call], keep: Callable[[str, object], None], synchronize: Call, *, seconds: float, seed: int
) -> Any:
    from suite.measure.sampler.options import Hooks, SamplerOptions
    from suite.measure.sampler.timing import sample

    options = SamplerOptions(
        baseline=BASELINE, null=COPY, seconds=seconds, seed=seed, precision=PRECISION, confidence=CONFIDENCE,
        tolerance=TOLERANCE, host_bound=synchronize is _nothing,
    )  # fmt: skip
    return sample(arms, options, hooks=Hooks(synchronize=synchronize, keep=keep))


def _nothing() -> None:
    """There is nothing to wait for."""


def _waits(answers: dict[str, Any]) -> Call:
    """What waits for the device that an answer lies on."""
    if "torch" not in sys.modules or all(getattr(one, "is_cpu", True) for one in answers.values()):
        return _nothing
    import torch

    return torch.accelerator.synchronize


@dataclass(kw_only=True)
class _KeptAnswers:
    """Outputs of timed calls, drawn at random, and of the ``first`` calls."""

    first: dict[str, Any]
    luck: random.Random
    found: dict[str, list[Any]] = field(default_factory=dict)

    def keep(self, arm: str, output: object) -> None:
        """The last output of a turn, outside of the clock."""
        if self.luck.random() < LOOKED_AT:
            self.found.setdefault(CANDIDATE if arm == CANDIDATE else BASELINE, []).append(output)

    def check(self) -> None:
        """Raise `ImplausibleError` where a timed call answered otherwise than the first one did."""
        for arm, outputs in self.found.items():
            if self.first[arm] is None and all(one is None for one in outputs):
                continue
            for output in outputs:
                self._check(arm, apart(self.first[arm], output))

    def _check(self, arm: str, found: AnswersApart) -> None:
        if not found.close(AS_BEFORE):
            raise ImplausibleError(
                f"the {arm} answers otherwise in a timed call than in its first one ({found}): it changes its inputs, "
                "draws random numbers, or keeps something between calls; make every call the same work"
            )
