"""Count the work of two callables instead of timing them: the same on any runner, whatever else it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from suite.bench.functions.anew import FirstAnswers
from suite.bench.functions.answers import AnswersApart, apart
from suite.bench.functions.comparing import CANDIDATE, device_of
from suite.bench.functions.result import BoundDecision, Undecided, is_failure
from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.core.fingerprints import differences
from suite.core.metrics import METRICS, place
from suite.measure.counting import calls
from suite.measure.counting.calls import CallCount

Call = Callable[[], Any]
AGAIN = 3  # calls of one shape after the first, in which nothing is to be compiled


@dataclass(frozen=True, kw_only=True, repr=False)
class WorkDifference:
    """The counts of both callables by metric; a count of one alone is there of that one only."""

    baseline: Mapping[str, CallCount]
    candidate: Mapping[str, CallCount]
    undecided: Undecided = field(default=is_failure, compare=False)

    def no_more(self) -> BoundDecision:
        """Whether no count of the candidate's is worse than the baseline's.

        Where one does not repeat, ``--tradeoff-inconclusive`` decides.
        """
        both = [name for name in self._names() if name in self.baseline and name in self.candidate]
        doubts = [f"{name}: {said}" for name in both if (said := self._doubt(name))]
        if doubts:
            figure = f"inconclusive: {'; '.join(doubts)}"
            return BoundDecision(holds=self.undecided(figure), figure=figure, is_open=True)
        worse = [name for name in both if self._is_worse(name)]
        return BoundDecision(holds=not worse, figure="; ".join(map(self._told, worse)) or f"no more work: {self}")

    def _names(self) -> list[str]:
        return sorted(self.baseline.keys() | self.candidate.keys(), key=place)

    def _doubt(self, name: str) -> str | None:
        return self.baseline[name].doubt or self.candidate[name].doubt

    def _is_worse(self, name: str) -> bool:
        change = self.candidate[name].value - self.baseline[name].value
        return change > 0 if METRICS[name].better == "lower" else change < 0

    def _told(self, name: str) -> str:
        """A count of both, and what came and went."""
        before, now = self.baseline.get(name), self.candidate.get(name)
        said = f"{name} {'-' if before is None else before.value} -> {'-' if now is None else now.value}"
        if before is None or now is None:
            return said
        return ", ".join([said, *differences(now.fingerprint, before.fingerprint, now.lines, before.lines)])

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return "; ".join(map(self._told, self._names()))


@dataclass(frozen=True, kw_only=True, repr=False)
class CountedTradeoff:
    """``work`` and ``outputs`` of a candidate against a baseline, on the ``device`` that the outputs lie on."""

    work: WorkDifference
    outputs: AnswersApart
    device: str = "cpu"

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return f"{self.work}, {self.outputs}"


def count(*, baseline: Call, candidate: Call, undecided: Undecided = is_failure) -> CountedTradeoff:
    """Counts and outputs of two callables without arguments, each called about ten times.

    Raises `UsageError` where torch sees no operator of either: its operators are what is counted.
    """
    first = FirstAnswers.of({BASELINE: baseline, CANDIDATE: candidate})
    found = {name: _counted(call) for name, call in ((BASELINE, baseline), (CANDIDATE, candidate))}
    if not any(one.value for counts in found.values() for one in counts.values()):
        raise UsageError(
            "neither function dispatches an operator of torch, and these are what is counted; time other functions: "
            "leave out count=True"
        )
    return CountedTradeoff(
        work=WorkDifference(baseline=found[BASELINE], candidate=found[CANDIDATE], undecided=undecided),
        outputs=apart(first.held[BASELINE], first.held[CANDIDATE]), device=device_of(first.answers),
    )  # fmt: skip


def _counted(call: Call) -> dict[str, CallCount]:
    """All counts of a call. What torch.compile made of it is made anew, so that it is seen."""
    from suite.measure.counting.compiler import watched
    from suite.measure.counting.operators import place as line
    from suite.measure.counting.operators import work_of

    _, compiled = watched(call, lambda _: [call() for _ in range(AGAIN)], line)
    return calls.served_counts(call, compiled, work_of)
