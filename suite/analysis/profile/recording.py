"""Records a piece of work: the time of fetching and of computing, undisturbed, then its operators under a profiler."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch.autograd import DeviceType  # type: ignore[attr-defined]  # it is in the documentation of profilers
from torch.profiler import ProfilerActivity, profile, record_function

from suite.analysis.profile.counting import Counted, Counting
from suite.analysis.profile.work import Work
from suite.core.machine.flags import applied
from suite.training.devices import synchronize

WARM_UP = 3
TIMED, LONGEST = 9, 60  # rounds at least and at most
PROFILED = 5
CALIBRATION = 100  # calls of tiny operators
MICRO = 1e-6
COMPILED = "compiled code"
ROUND = "suite round"


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator's share of a round: ``calls``, seconds inside it, FLOPs, bytes and type.

    On a CPU ``seconds`` hold the cost of its ``events`` (calls of operators, itself and those inside it); on an
    accelerator they are the device's alone.
    """

    name: str
    calls: float
    events: float
    seconds: float
    flops: float
    moved: float
    dtype: str = "float32"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Seconds of each undisturbed round, fetching and computing apart, and the operators of one round.

    ``profiled`` are the seconds of computing while the profiler looked.

    ``tiny`` is what a call of an operator on one number takes under the profiler: dispatch and nothing else.
    """

    name: str
    device: str
    data: tuple[float, ...]
    compute: tuple[float, ...]
    profiled: tuple[float, ...]
    operators: tuple[Operator, ...]
    tiny: float


def record(work: Work, *, seconds: float = 2.0, trace: Path | None = None) -> Recording:
    """Run ``work`` for about ``seconds`` and then under the profiler, whose Chrome trace goes to ``trace``."""
    with applied(work.flags):
        for _ in range(WARM_UP):
            work.compute(work.fetch())
        data, compute = _timed(work, seconds)
        counts = _counted(work)
        events, tiny = _profiled(work, trace)
    return Recording(
        name=work.name,
        device=work.device,
        data=data,
        compute=compute,
        profiled=tuple((end - start) * MICRO for start, end in _rounds(events)),
        operators=_operators(events, counts, on_device=not work.device.startswith("cpu")),
        tiny=tiny,
    )


def _timed(work: Work, seconds: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    rounds: list[tuple[float, float]] = []
    while len(rounds) < TIMED or (sum(map(sum, rounds)) < seconds and len(rounds) < LONGEST):
        rounds.append(_round(work))
    data, compute = zip(*rounds, strict=True)
    return data, compute


def _round(work: Work) -> tuple[float, float]:
    began = perf_counter()
    item = work.fetch()
    synchronize(work.device)
    fetched = perf_counter()
    work.compute(item)
    synchronize(work.device)
    return fetched - began, perf_counter() - fetched


def _counted(work: Work) -> Mapping[str, Counted]:
    """Counts of one round; compiled code runs eagerly for it, so its bytes are those before fusion."""
    item = work.fetch()
    counting = Counting()
    with _eagerly(), counting:
        work.compute(item)
    return counting.counts


def _eagerly() -> AbstractContextManager[object]:
    """Nothing is compiled inside. Where no compiler was loaded there is none to stop, and loading it takes seconds."""
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    return torch.compiler.set_stance("force_eager")  # type: ignore[no-any-return]


def _profiled(work: Work, trace: Path | None) -> tuple[list[Any], float]:
    one = torch.ones(1, 1)
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if work.device.startswith("cuda") else [])]
    with profile(activities=kinds, record_shapes=True, acc_events=True) as profiler:
        for number in range(PROFILED):
            marked_round(work, number)
        with record_function("suite calibration"):
            for _ in range(CALIBRATION):
                torch.add(one, one)
                torch.mm(one, one)
    if trace is not None:
        profiler.export_chrome_trace(str(trace))
    events = list(profiler.events())
    return events, _tiny(events)


def marked_round(work: Work, number: int) -> None:
    """One round with its two parts named in the trace."""
    with _range(f"{ROUND} {number}: data", work.device):
        item = work.fetch()
    with _range(f"{ROUND} {number}: compute", work.device):
        work.compute(item)
        synchronize(work.device)


@contextmanager
def _range(name: str, device: str) -> Iterator[None]:
    """A range in torch's trace, and in NVIDIA's where CUDA is used."""
    if not device.startswith("cuda"):
        with record_function(name):
            yield
        return
    with record_function(name), torch.cuda.nvtx.range(name):
        yield


def _tiny(events: list[Any]) -> float:
    inside = [e for e in events if e.cpu_parent is not None and e.cpu_parent.name == "suite calibration"]
    return float(median(event.cpu_time_total for event in inside)) * MICRO


def _operators(events: list[Any], counts: Mapping[str, Counted], *, on_device: bool) -> tuple[Operator, ...]:
    """Every counted operator with the median over rounds of what the outermost calls of it took."""
    rounds = _rounds(events)
    tops = _outermost(events, counts, rounds)
    uncalled = {name: count for name, count in counts.items() if name not in tops}
    compiled = Counted(1, sum(c.flops for c in uncalled.values()), sum(c.moved for c in uncalled.values()))
    known = {**counts, COMPILED: compiled}
    return tuple(_operator(name, found, known[name], len(rounds), on_device) for name, found in tops.items())


def _operator(name: str, calls: list[tuple[int, Any]], count: Counted, rounds: int, on_device: bool) -> Operator:  # noqa: FBT001
    seconds = [0.0] * rounds
    for number, event in calls:
        seconds[number] += (event.device_time_total if on_device else event.cpu_time_total) * MICRO
    return Operator(
        name=name,
        calls=len(calls) / rounds,
        events=sum(_events(event) for _, event in calls) / rounds,
        seconds=median(seconds),
        flops=count.flops,
        moved=count.moved,
        dtype=count.dtype,
    )


def _events(event: Any) -> int:
    return 1 + sum(_events(child) for child in event.cpu_children)


def _rounds(events: list[Any]) -> list[tuple[float, float]]:
    """Start and end (us) of every round's computing, as the host saw it."""
    named = (e for e in _on_host(events) if e.name.startswith(ROUND) and e.name.endswith("compute"))
    return sorted({(e.time_range.start, e.time_range.end) for e in named if not e.is_async})


def _on_host(events: list[Any]) -> Iterator[Any]:
    """Without those of the device's timeline: there each range of the host's stands once more, under the same name."""
    return (event for event in events if event.device_type == DeviceType.CPU)


def _outermost(
    events: list[Any], counts: Mapping[str, Counted], rounds: list[tuple[float, float]]
) -> dict[str, list[tuple[int, Any]]]:
    """By operator: the round and event of each call that lies in no other counted one."""
    starts = [start for start, _ in rounds]
    found: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for event in _on_host(events):
        name = _name(event)
        number = bisect_right(starts, event.time_range.start) - 1
        timed = number >= 0 and event.time_range.start <= rounds[number][1]
        if timed and (name in counts or name == COMPILED) and not _inside(event, counts):
            found[name].append((number, event))
    return found


def _inside(event: Any, counts: Mapping[str, Counted]) -> bool:
    parent = event.cpu_parent
    while parent is not None:
        if _name(parent) in counts or _name(parent) == COMPILED:
            return True
        parent = parent.cpu_parent
    return False


def _name(event: Any) -> str:
    return COMPILED if "CompiledFxGraph" in event.name else str(event.name)
