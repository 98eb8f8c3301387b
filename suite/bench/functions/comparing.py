"""Time two callables in turns, with the sampler, the null arm and the checks of `suite bench`."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, perf_counter  # now: a module loaded later may replace them
from types import FunctionType
from typing import TYPE_CHECKING, Any

from suite.bench.functions.anew import AS_BEFORE, UNLIKE, FirstAnswers
from suite.bench.functions.answers import AnswersApart, HeldAnswer, apart, can_be_compared, held, on_device
from suite.bench.functions.elsewhere import watched
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio, Undecided, is_failure
from suite.core.composition import BASELINE
from suite.core.errors import ImplausibleError, UsageError

if TYPE_CHECKING:
    from suite.measure.sampler.timing import Sample

COPY, CANDIDATE = "null", "candidate"
SECONDS = 2.0
LOOKED_AT = 0.25  # of the timed turns, at random
TOLERANCE = 0.015  # relative half width of the interval beyond which a sample may exceed its budget

Call = Callable[[], Any]


def compare(
    *,
    baseline: Call,
    candidate: Call,
    seconds: float = SECONDS,
    synchronize: Call | None = None,
    seed: int = 0,
    undecided: Undecided = is_failure,
    speed_only: bool = False,
) -> FunctionTradeoff:
    """Speed-up and outputs of ``candidate`` against ``baseline``, two callables without arguments.

    Both are called in turns for about ``seconds``, up to four times as long on a noisy machine; a second copy of the
    baseline takes part. ``synchronize`` waits for an accelerator; if the outputs are tensors on one, torch's own is
    taken. Outputs of timed calls, chosen at random, are compared with those before. Outputs that cannot be read leave
    the speed undecided, but for ``speed_only``. Raises `UsageError` for what cannot be compared and `ImplausibleError`
    where timed calls answer otherwise.
    """
    check_seconds(seconds)
    arms = {BASELINE: baseline, COPY: copied(baseline), CANDIDATE: candidate}
    first = FirstAnswers.of({BASELINE: baseline, CANDIDATE: candidate}, speed_only=speed_only)
    waits = synchronize or _waits(first.answers)
    again = _Repeats(first=first.held, luck=random.SystemRandom())
    with watched(on_host=waits is _nothing) as elsewhere:

        def keep(arm: str, output: object) -> None:
            elsewhere.turn_ended(arm)
            again.keep(arm, output)
            elsewhere.turn_begins()

        sample = _sampled(arms, keep, waits, seconds=seconds, seed=seed)
    again.check()
    first.check_again()
    outputs = apart(first.held[BASELINE], first.held[CANDIDATE])
    unread = outputs.reason if outputs.unread and not speed_only else ""
    return FunctionTradeoff(
        speedup=_speedup(sample, elsewhere.doubt, undecided, unread), outputs=outputs,
        device=device_of(first.answers), notes=tuple(first.notes.values()),
    )  # fmt: skip


def _speedup(sample: Sample, doubt: str, undecided: Undecided, unread: str) -> SpeedRatio:
    """The ratio with what is to be said against it."""
    return SpeedRatio.of(
        sample.ratio(BASELINE, CANDIDATE), null=sample.ratio(BASELINE, COPY).value, undecided=undecided,
        suspect="; ".join(filter(None, (sample.suspect, doubt))) or None, unread=unread,
    )  # fmt: skip


def check_seconds(seconds: object, name: str = "seconds=") -> None:
    """Raise `UsageError` for a budget of time that is no finite, positive number."""
    if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise UsageError(f"the budget must be a positive number of seconds, got {name}{seconds!r}")


def copied(call: Call) -> Call:
    """The same function as another object, so that the two arms of one callable are two; others stay as they are."""
    if not isinstance(call, FunctionType):
        return call
    made = FunctionType(call.__code__, call.__globals__, call.__name__, call.__defaults__, call.__closure__)
    made.__kwdefaults__ = call.__kwdefaults__
    return made


def _sampled(
    arms: dict[str, Call], keep: Callable[[str, object], None], synchronize: Call, *, seconds: float, seed: int
) -> Any:
    from suite.measure.sampler.options import PRECISION, Hooks, Instruments, SamplerOptions
    from suite.measure.sampler.timing import sample

    options = SamplerOptions(
        baseline=BASELINE, null=COPY, seconds=seconds, seed=seed, precision=PRECISION,
        tolerance=TOLERANCE, host_bound=synchronize is _nothing,
    )  # fmt: skip
    instruments = Instruments(clock=perf_counter, witness=monotonic)
    return sample(arms, options, hooks=Hooks(synchronize=synchronize, keep=keep), instruments=instruments)


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
        says_nothing = not can_be_compared(first)
        alike = says_nothing and (first.is_nothing, first.reason) == (now.is_nothing, now.reason)
        if not found.close(AS_BEFORE) and not alike:
            self.wrong.setdefault(name, found)

    def check(self) -> None:
        """Raise `ImplausibleError` where a timed call answered otherwise than the first one did."""
        for arm, found in self.wrong.items():
            raise ImplausibleError(
                f"the {arm} answers otherwise in a timed call than in its first one ({found}): {UNLIKE}"
            )
