"""One decision of the gate, by the code of a bench run, and what its peers would have said with as much time.

The gate samples in interleaved rounds (`suite.measure.sampler.timing.sample`), judges by a stored expectation of 1
(`suite.gate`) and has what has regressed measured again (`suite.bench.confirm`). The peers, as they do, time the old
code and then the new one, call by call, for half of the gate's budget each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from studies.gate.peers import flagged
from studies.gate.planted import Network
from suite.bench.confirm import Confirmation
from suite.core.metrics import measured
from suite.core.records import Cell, Expectation, Measurement, Verdict
from suite.core.stats.sequential import DecisionBound
from suite.gate.error_rate import bar
from suite.gate.judge import judge
from suite.measure.arms import BASE, NULL, TECHNIQUE
from suite.measure.sampler.memory_layout import moving
from suite.measure.sampler.options import PRECISION, Hooks, SamplerOptions
from suite.measure.sampler.timing import latency, sample
from suite.measure.speed import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

METRIC = "speedup"
CELL = Cell(workload="gate_study", technique="planted", device="cpu")
CALLS = 100_000  # more than fit into a peer's seconds

Repeat = Callable[[], Measurement]


@dataclass(frozen=True, kw_only=True)
class GateTerms:
    """What a decision rests on: the stored bound ``low`` of a ratio of 1, its ``noise``, and a budget in seconds."""

    low: float
    noise: float
    seconds: float
    quiet: bool = True

    @property
    def entry(self) -> Expectation:
        """The stored expectation."""
        return expectation(self.low, self.noise)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the gate and its peers said of a share ``planted``, of which ``realised`` was added; ``processes`` measured.

    ``fresh``: a repeat would have been in a fresh process.
    """

    planted: float
    realised: float
    verdict: str
    reason: str
    value: float
    low: float | None
    high: float | None
    rounds: int | None
    seconds: float
    suspect: str | None
    processes: list[float]
    peers: dict[str, bool]
    fresh: bool = False


def expectation(low: float, noise: float) -> Expectation:
    """An entry of a ratio that is 1, with a lower bound."""
    return Expectation(
        workload=CELL.workload, technique=CELL.technique, metric=METRIC, level="any", value=1.0, low=low, noise=noise,
        unit="1", better="higher", tier="local", processes=5,
    )  # fmt: skip


def speedup(network: Network, share: float, *, terms: GateTerms, seed: int) -> tuple[Measurement, float]:
    """The ratio of the network's time to that of a copy with ``share`` more work, and the seconds that it took.

    Each call of this takes other addresses for weights and inputs.
    """
    calls = {BASE: network.call(), NULL: network.call(), TECHNIQUE: network.call(share)}
    with moving(calls.values(), seed) as move:
        options = SamplerOptions(
            baseline=BASE, null=NULL, seconds=terms.seconds, seed=seed,
            precision=PRECISION, confidence=CONFIDENCE, decisions=_decisions(terms),
        )  # fmt: skip
        timed = sample(dict(calls), options, hooks=Hooks(move=move))
    ratio = timed.ratio(BASE, TECHNIQUE)
    measurement = measured(
        CELL, METRIC, ratio.value, low=ratio.low, high=ratio.high, confidence=ratio.confidence, n=ratio.n,
        suspect=timed.suspect, control=BASE, null=timed.ratio(BASE, NULL).value,
    )  # fmt: skip
    return measurement, timed.elapsed


def _decisions(terms: GateTerms) -> tuple[DecisionBound, ...]:
    """The stored bound and that of the run, here the same run of one timing."""
    bounds = {bound for bound in (terms.low, bar(terms.entry, 1)) if bound is not None}
    return (DecisionBound(numerator=BASE, denominator=TECHNIQUE, bounds=tuple(sorted(bounds))),)


def settled(first: Measurement, repeat: Repeat, terms: GateTerms) -> tuple[Verdict, Sequence[float]]:
    """The verdict after the repeats that it needs, and what the processes measured."""
    asked: list[float] = [first.value]

    def again() -> Mapping[str, Measurement]:
        found = repeat()
        asked.append(found.value)
        return {METRIC: found}

    confirmation = Confirmation(repeat=again, judged=lambda found: _verdicts(found, terms))
    (verdict,) = confirmation.settled(_verdicts([first], terms))
    return verdict, asked


def _verdicts(found: Sequence[Measurement], terms: GateTerms) -> list[Verdict]:
    return [_verdict(one, terms) for one in found]


def _verdict(found: Measurement, terms: GateTerms) -> Verdict:
    said = judge(found, terms.entry, quiet=terms.quiet, today=datetime.now(UTC).date())
    return Verdict(
        kind=said.kind, reason=said.reason, cell=CELL, metric=METRIC, group="speed", measurement=found,
        expectation=terms.entry, code=said.code, threshold=said.evidence.threshold if said.evidence else None,
    )  # fmt: skip


def decide(
    network: Network, share: float, *, terms: GateTerms, seed: int, repeat: Repeat, peers: bool = True
) -> Decision:
    """What the gate and, if asked, its peers say of ``share`` more work; ``repeat`` measures once more."""
    first, seconds = speedup(network, share, terms=terms, seed=seed)
    verdict, values = settled(first, repeat, terms)
    return Decision(
        planted=share, realised=round(network.realised(share), 5), verdict=str(verdict.kind), reason=verdict.reason,
        value=first.value, low=first.low, high=first.high, rounds=first.n, seconds=round(seconds, 3),
        suspect=first.suspect, processes=list(values), peers=_peers(network, share, terms) if peers else {},
    )  # fmt: skip


def _peers(network: Network, share: float, terms: GateTerms) -> dict[str, bool]:
    base, new = (latency(network.call(s), count=CALLS, seconds=terms.seconds / 2) for s in (0.0, share))
    return flagged(base, new)
