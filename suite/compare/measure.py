"""One cell under two versions: sizes once, then sets of process pairs until the verdict stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from suite.compare.counts import compared
from suite.compare.exact import Exact
from suite.compare.instructions import Counter, data_of, sentence
from suite.compare.judge import LOOKS, Rules, Timing, Verdict, first_verdict
from suite.compare.process import MISSING, Process, SideError, image
from suite.compare.protocol import Begin, CountWork, Done, End, Question, Ready, SideRequest, WorkCounted
from suite.compare.sides import Side
from suite.compare.turns import (
    LEAST_ROUNDS,
    PLACES,
    Rounds,
    TooFewRoundsError,
    Turns,
    calibrate,
    check_budget,
    play,
    pooled,
)
from suite.core.errors import UnavailableError

if TYPE_CHECKING:
    from torch import Tensor

Log = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class ComparisonPlan:
    """``pairs`` of processes a set, and ``budget`` seconds of timing for a metric of a cell in each set.

    Where it can, each process of a pair forks ``forks`` children one after another, and each has its part of the
    pair's time: most of the luck of a process is drawn anew in a child, at a hundredth of the time of loading.
    """

    pairs: int = 8
    forks: int = 6
    budget: float = 16.0
    rules: Rules = field(default_factory=Rules)
    gates_sizes: bool = True
    tolerance: float | None = None
    """Largest relative difference of outputs that does not fail; ``None``: it is only reported."""
    doubt: str | None = None
    """Why no timing of this run could be trusted: then nothing is timed, and all are inconclusive."""
    counts: Literal["none", "served", "training"] = "none"
    """Whether work is counted: that of a served batch, and of a training step too."""
    instructions: bool = False
    """Whether the instructions of these calls are counted, too, by valgrind."""
    caches: bool = False
    """Whether valgrind simulates caches then, and cycles are estimated."""


@dataclass(kw_only=True)
class Compared:
    """All that was found of one cell. ``problem`` says why it could not be compared."""

    cell: str
    exact: list[Exact] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    problem: tuple[Verdict, str] | None = None
    notes: list[str] = field(default_factory=list)
    users: bool = False
    """Whether the workload is the user's own."""
    request: SideRequest | None = None
    """With the weights that both sides load."""


@dataclass(frozen=True, kw_only=True)
class PairedSides:
    """Two sides, the folder of their files and the receiver of progress lines.

    ``start`` starts a worker and ``preload`` what both are forked from (others in tests).
    """

    current: Side
    reference: Side
    folder: Path
    log: Log
    start: Callable[..., Any] = Process
    preload: Callable[..., AbstractContextManager[Any]] = image

    def image(self, request: SideRequest) -> AbstractContextManager[Any]:
        """What the workers of both sides are forked from, if they can be."""
        return self.preload(self.current, self.reference, request, folder=self.folder)

    def process(self, side: Side, request: SideRequest, number: int, **details: Any) -> Any:
        """A worker of one side; see `Process` for the ``details``."""
        other = self.reference if side is self.current else self.current
        return self.start(side, request, folder=self.folder, other=other, number=number, **details)


def compare_cell(
    cell: str, request: SideRequest, metrics: Sequence[str], *, bench: PairedSides, plan: ComparisonPlan,
    counter: Counter | None = None,
) -> Compared:  # fmt: skip
    """Sizes, counts and timings; what goes wrong is a problem of this cell alone. A ``counter`` counts instructions."""
    found = Compared(cell=cell, request=request)
    try:
        if counter is not None:
            _begin(counter, request)
        request = found.request = _describe(found, request, bench, plan)
        if counter is not None:
            _count_instructions(found, request, bench, plan, counter)
        found.timings = [Timing(metric=metric, trouble=plan.doubt) for metric in metrics]
        time_all(cell, found.timings, request, bench=bench, plan=plan)
    except SideError as error:
        found.problem = _problem(error, ours=error.side == bench.current.name)
        if found.problem[0] == "unavailable" and error.side == bench.current.name and _reference_serves(request, bench):
            found.problem = "error", f"{error}; {bench.reference.name} serves it here"
    return found


def _reference_serves(request: SideRequest, bench: PairedSides) -> bool:
    """Whether what the current code calls unavailable can be had: then it was lost."""
    try:
        described = replace(request, describe=True, outputs="reference.pt")
        with bench.process(bench.reference, described, 1) as process:
            process.ready()
    except SideError:
        return False
    return True


def _problem(error: SideError, *, ours: bool) -> tuple[Verdict, str]:
    if error.kind == "UnavailableError":
        return "unavailable", str(error)
    if ours:
        return "error", str(error)
    return ("missing" if error.kind in MISSING else "inconclusive"), str(error)


def _describe(found: Compared, request: SideRequest, bench: PairedSides, plan: ComparisonPlan) -> SideRequest:
    """Fill in what is exact; returns the request with the weights that both sides load."""
    asked = replace(request, describe=True, outputs="current.pt", data=_data(bench, plan, 0))
    timed = replace(request, trains=False, weights=str(bench.folder / "weights.pt"))
    described = replace(timed, describe=True, outputs="reference.pt", data=_data(bench, plan, 1))
    with bench.image(request) as loaded:
        with bench.process(bench.current, asked, 0, image=loaded) as process:
            ours, our_counts = process.ready(), _counted(process, plan)
        with bench.process(bench.reference, described, 1, image=loaded) as process:
            theirs, their_counts = process.ready(), _counted(process, plan)
    bench.log({"cell": found.cell, "current": vars(ours), "reference": vars(theirs)})
    bench.log({"cell": found.cell, "current_counts": vars(our_counts), "reference_counts": vars(their_counts)})
    found.exact = [_sized(name, ours, theirs, plan) for name in ("parameters", "artefact_bytes")]
    if theirs.own_weights:
        found.notes.append(f"{found.cell}: the networks' weights differ in names or shapes; each side has its own")
    else:
        found.exact.append(_outputs(bench.folder, plan))
    found.exact += compared(our_counts, their_counts, gates=plan.gates_sizes)
    return timed


def _begin(counter: Counter, request: SideRequest) -> None:
    """Load under valgrind while the cell is described; why that is impossible is told when it is counted."""
    with suppress(UnavailableError):
        counter.begin(request)


def _count_instructions(
    found: Compared, request: SideRequest, bench: PairedSides, plan: ComparisonPlan, counter: Counter
) -> None:
    """What goes wrong under valgrind costs these counts alone, and is told."""
    served = ["speed", *(["speed_b1"] if request.batch > 1 else [])]
    metrics = [*served, *(["train_step"] if plan.counts == "training" else [])]
    try:
        counted = counter.count(request, metrics, gates=plan.gates_sizes)
    except SideError as error:
        found.notes.append(f"{found.cell}: {sentence(error)}")
    except UnavailableError as error:
        found.notes.append(f"{found.cell}: {error}")
    else:
        found.exact += counted
        bench.log({"cell": found.cell, "instructions": [vars(one) for one in counted]})


def _data(bench: PairedSides, plan: ComparisonPlan, number: int) -> str:
    """Where a side writes its data for the process that counts instructions; another cell's go."""
    if not plan.instructions:
        return ""
    Path(data_of(bench.folder, number)).unlink(missing_ok=True)
    return data_of(bench.folder, number)


def _counted(process: Any, plan: ComparisonPlan) -> WorkCounted:
    if plan.counts == "none":
        return WorkCounted(values={}, fingerprints={}, doubts={}, lines={})
    counted: WorkCounted = process.ask(CountWork(training=plan.counts == "training"), WorkCounted)
    return counted


def _sized(name: str, ours: Ready, theirs: Ready, plan: ComparisonPlan) -> Exact:
    now, before = getattr(ours, name), getattr(theirs, name)
    grown: Verdict = "regressed" if now > before and plan.gates_sizes else "differs"
    return Exact(metric=name, current=now, reference=before, verdict="same" if now == before else grown)


def _outputs(folder: Path, plan: ComparisonPlan) -> Exact:
    import torch

    files = (torch.load(folder / f"{name}.pt", weights_only=False) for name in ("current", "reference"))
    difference = output_difference(*files)
    verdict: Verdict = "same" if difference == 0 else "differs"
    if plan.tolerance is not None and not difference <= plan.tolerance:
        verdict = "regressed"
    return Exact(metric="output_difference", current=difference, reference=None, verdict=verdict)


def output_difference(ours: Any, theirs: Any) -> float:
    """Largest absolute difference over the largest absolute finite output of the reference.

    Infinite if the shapes differ, or if NaN and infinities are at different positions.
    """
    from suite.training.trees import leaves

    first, second = ([leaf.double() for leaf in leaves(tree)] for tree in (ours, theirs))
    if [leaf.shape for leaf in first] != [leaf.shape for leaf in second]:
        return float("inf")
    pairs = list(zip(first, second, strict=True))
    if not all(_same_beyond_numbers(a, b) for a, b in pairs):
        return float("inf")
    scale = max((_largest(leaf[leaf.isfinite()]) for leaf in second), default=0.0)
    apart = max((_largest((a - b)[a.isfinite()]) for a, b in pairs), default=0.0)
    return apart if apart == 0 else apart / scale if scale else float("inf")


def _same_beyond_numbers(first: Tensor, second: Tensor) -> bool:
    """Whether NaN and the infinities of both stand at the same places."""
    same = (first == second) | (first.isnan() & second.isnan())
    return bool(same[~(first.isfinite() & second.isfinite())].all())


def _largest(values: Tensor) -> float:
    """The largest absolute value; 0 where there is none."""
    return float(values.abs().max()) if values.numel() else 0.0


def time_all(
    cell: str, timings: Sequence[Timing], request: SideRequest, *, bench: PairedSides, plan: ComparisonPlan
) -> None:
    """Look at every timing until it passes, is suspected or both looks are used up; confirm what is suspected."""
    for look in range(LOOKS):
        open_ = [timing for timing in timings if _is_open(timing, plan.rules)]
        for timing in open_:
            timing.looks = look + 1
        _set(cell, open_, "looked", request, bench=bench, plan=plan)
    suspected = [timing for timing in timings if first_verdict(timing, plan.rules) == "suspected"]
    _set(cell, suspected, "confirmed", request, bench=bench, plan=plan)


def one_set(found: Compared, metric: str, *, bench: PairedSides, plan: ComparisonPlan) -> list[float]:
    """Log ratios of one set of pairs, whatever they say; empty where a side fails."""
    timing = Timing(metric=metric)
    assert found.request is not None  # noqa: S101  # it was timed before
    try:
        _set(found.cell, [timing], "looked", found.request, bench=bench, plan=plan)
    except SideError:
        return []
    return timing.looked


def _is_open(timing: Timing, rules: Rules) -> bool:
    return timing.trouble is None and first_verdict(timing, rules) == "undecided"


def _set(
    cell: str, timings: Sequence[Timing], stage: str, request: SideRequest, *, bench: PairedSides, plan: ComparisonPlan
) -> None:
    """One set of pairs of fresh processes; which side starts first alternates."""
    for number in range(plan.pairs):
        going = [timing for timing in timings if timing.trouble is None]
        if going:
            _pair(cell, going, stage, request, bench=bench, plan=plan, number=number)


def _pair(
    cell: str,
    timings: Sequence[Timing],
    stage: str,
    request: SideRequest,
    *,
    bench: PairedSides,
    plan: ComparisonPlan,
    number: int,
) -> None:
    """One log ratio more of each timing: the median over rounds of all children that the pair forks, or of itself."""
    sides = (bench.current, bench.reference)
    timed = replace(request, metrics=tuple(timing.metric for timing in timings))
    began = perf_counter()
    with ExitStack() as stack:
        order = (0, 1) if number % 2 == 0 else (1, 0)
        loaded = stack.enter_context(bench.image(timed))
        players: dict[int, Any] = {
            index: stack.enter_context(bench.process(sides[index], timed, index, image=loaded)) for index in order
        }
        can_fork = [players[index].ready().forks for index in order]
        loading, forks = perf_counter() - began, plan.forks if all(can_fork) else 1
        pair = _Pair(cell=cell, stage=stage, number=number, players=players, bench=bench)
        pair.time(timings, plan.budget / plan.pairs, forks=forks, loading=loading)


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """Two loaded processes that take turns; the index of the current code's is 0."""

    cell: str
    stage: str
    number: int
    players: Mapping[int, Any]
    bench: PairedSides
    random: Random = field(default_factory=Random)  # no two pairs alike

    def time(self, timings: Sequence[Timing], seconds: float, *, forks: int, loading: float) -> None:
        """Times each for ``seconds`` in all, in up to ``forks`` children: making them takes no longer than ``loading``.

        Fewer have a timing's rounds if they are too slow for that many; with one there is no child at all.
        """
        shares = {timing.metric: _TimeShare(timing, seconds) for timing in timings}
        preparing = self._begin(forked=forks > 1)
        forks = min(forks, max(1, int(loading / preparing)))
        for fork in range(forks):
            if not any(share.wants(fork) for share in shares.values()):
                break
            if fork:
                self._begin(forked=True)
            for share in shares.values():
                if share.wants(fork):
                    self._play(share, fork, forks)
            self._ask(End())
        for share in shares.values():
            self._settle(share)

    def _begin(self, *, forked: bool) -> float:
        began = perf_counter()
        self._ask(Begin(forked=forked))
        return max(1e-9, perf_counter() - began)

    def _ask(self, question: Question) -> None:
        for index in sorted(self.players, key=lambda _: self.random.random()):
            self.players[index].ask(question, Done)

    def _play(self, share: _TimeShare, fork: int, forks: int) -> None:
        both, metric = (self.players[0], self.players[1]), share.timing.metric
        try:
            turns = share.turns or share.plan(calibrate(*both, metric), forks)
        except TooFewRoundsError as error:
            share.timing.trouble = str(error)
            return
        stay = share.seconds / PLACES if forks == 1 else 0.0
        found = play(
            *both, metric, turns, seconds=share.seconds / share.forks, random=self.random, stay=stay
        )  # fmt: skip
        share.played.append(found)
        self._log(share, {"fork": fork, **vars(found)})

    def _settle(self, share: _TimeShare) -> None:
        """The pair's log ratio, or why there is none."""
        timing = share.timing
        if timing.trouble:
            return
        try:
            found = pooled(share.played, timing.metric)
        except TooFewRoundsError as error:
            timing.trouble = str(error)
            return
        getattr(timing, self.stage).append(found.log_ratio)
        timing.rounds += len(found.current)
        timing.dropped += found.dropped
        self._log(share, {"log_ratio": found.log_ratio})

    def _log(self, share: _TimeShare, figures: Mapping[str, Any]) -> None:
        named = {"cell": self.cell, "metric": share.timing.metric, "stage": self.stage, "pair": self.number}
        self.bench.log({**named, **figures})


@dataclass
class _TimeShare:
    """A timing's ``seconds`` of one pair, in equal parts for ``forks`` children."""

    timing: Timing
    seconds: float
    forks: int = 1
    turns: Turns | None = None
    played: list[Rounds] = field(default_factory=list)

    def plan(self, turns: Turns, forks: int) -> Turns:
        """Keep and return the ``turns``, for as many children as have the least number of rounds each.

        Raises `TooFewRoundsError` where not even one has.
        """
        check_budget(turns, self.timing.metric, self.seconds)
        self.turns = turns
        self.forks = min(forks, max(1, int(self.seconds / (LEAST_ROUNDS * turns.round_seconds))))
        return turns

    def wants(self, fork: int) -> bool:
        """Whether this child has a part of it."""
        return fork < self.forks


def append_to(path: Path) -> Log:
    """A log that writes JSON lines."""

    def log(record: Mapping[str, Any]) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    return log
