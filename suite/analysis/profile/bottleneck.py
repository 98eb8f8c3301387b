"""What a step's time goes to, and which of it is the bottleneck.

Four limits, of which a machine's owner can lift one at a time: waiting for **data**; the host's **launches** (Python
and the dispatch of operators); **memory** traffic; **arithmetic**. What neither ceiling of the machine explains is
**unexplained**: sorting, kernels without a FLOP formula, calls that wait for something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from suite.analysis.profile.roofline import Mark, least_seconds
from suite.core.errors import UsageError
from suite.measure.ceilings import Ceilings

if TYPE_CHECKING:
    from suite.analysis.profile.recording import Operator, Recording

LIMITS = ("data", "launch", "memory", "arithmetic", "unexplained")
VERDICTS = {"data": "data-bound", "launch": "launch-bound", "memory": "memory-bound", "arithmetic": "compute-bound"}
UNCLEAR = "unclear"
DOMINANT = 0.5  # share of a step from which on one limit is the bottleneck
TINY_CALLS = 4.0  # calls of a one-number operator that a call on hardly any data may take and still be dispatch
EXPLAINED = 0.1  # of an operator's time that a ceiling must account for
RESAMPLES = 400


@dataclass(frozen=True, kw_only=True)
class OperatorWork:
    """An operator's work without its dispatch: seconds and calls in one round, and the ceiling that holds it."""

    mark: Mark
    calls: float
    limit: str


@dataclass(frozen=True, kw_only=True)
class Bottleneck:
    """The verdict on one recording: seconds of a step by limit, in the order of `LIMITS`.

    ``certainty`` is the share of resampled rounds with the same verdict. ``operators`` counts the calls of a step.
    """

    name: str
    seconds: Mapping[str, float]
    kernels: tuple[OperatorWork, ...]
    operators: float
    certainty: float

    @property
    def step(self) -> float:
        """Seconds of a step, fetching included."""
        return sum(self.seconds.values())

    @property
    def shares(self) -> Mapping[str, float]:
        """Parts of a step by limit; they add up to 1."""
        return shares(self.seconds)

    @property
    def verdict(self) -> str:
        """The limit that takes at least half of a step, or ``unclear``."""
        return verdict(self.shares)

    @property
    def most_speedup(self) -> float | None:
        """How many times as fast a step can be if the bottleneck costs nothing any more; ``None`` where unclear.

        Amdahl 1967: 1 / (1 - share).
        """
        if self.verdict == UNCLEAR:
            return None
        return amdahl(max(self.shares.values()))

    @property
    def total(self) -> Mark:
        """All kernels together, over the time of computing."""
        marks = [kernel.mark for kernel in self.kernels]
        flops, moved = sum(m.flops for m in marks), sum(m.moved for m in marks)
        return Mark(name="total", flops=flops, moved=moved, seconds=self.step - self.seconds["data"])


def analyse(recording: Recording, ceilings: Ceilings) -> Bottleneck:
    """Split the median step of a recording by what limits it. Raises `UsageError` for a recording without time.

    A profiler can only slow a step: where the undisturbed steps took longer, something else disturbed them.
    """
    if not recording.data or median(recording.compute) <= 0:
        raise UsageError(f"{recording.name}: no round took any time, so no bottleneck can be found")
    accelerated = not recording.device.startswith("cpu")
    kernels = tuple(kernel(found, ceilings, 0.0 if accelerated else recording.tiny) for found in recording.operators)
    data, compute = np.asarray(recording.data), np.asarray(recording.compute)
    profiled = median(recording.profiled)
    seconds = split(float(np.median(data)), min(float(np.median(compute)), profiled), kernels)
    return Bottleneck(
        name=recording.name,
        seconds=seconds,
        kernels=kernels,
        operators=sum(found.calls for found in recording.operators),
        certainty=_certainty(data, np.minimum(compute, profiled), kernels, verdict(shares(seconds))),
    )


def kernel(operator: Operator, ceilings: Ceilings, tiny: float) -> OperatorWork:
    """What is left of an operator's time without dispatch: ``tiny`` seconds for each event inside it.

    A call whose kernel would be shorter than that even at the ceilings is dispatch, up to `TINY_CALLS` of them.
    """
    arithmetic, memory = least_seconds(operator.flops, operator.moved, ceilings, operator.dtype)
    ideal = max(arithmetic, memory)
    small = ideal < tiny * operator.calls
    overhead = tiny * operator.calls * (TINY_CALLS if small else 1.0)
    left = max(0.0, operator.seconds - overhead)
    limit = "arithmetic" if arithmetic > memory else "memory"
    mark = Mark(name=operator.name, flops=operator.flops, moved=operator.moved, seconds=left)
    return OperatorWork(mark=mark, calls=operator.calls, limit=limit if ideal >= EXPLAINED * left else "unexplained")


def split(data: float, compute: float, kernels: Sequence[OperatorWork]) -> dict[str, float]:
    """Seconds by limit: what the kernels do not fill of ``compute`` is the host's; they are scaled where they exceed.

    A profiler slows what it looks at, so that kernels can seem to take longer than the undisturbed step.
    """
    busy = sum(found.mark.seconds for found in kernels)
    scale = min(1.0, compute / busy) if busy > 0 else 1.0
    found = dict.fromkeys(LIMITS, 0.0) | {"data": data, "launch": max(0.0, compute - busy)}
    for each in kernels:
        found[each.limit] += scale * each.mark.seconds
    return found


def shares(seconds: Mapping[str, float]) -> dict[str, float]:
    """Parts of the whole, in the order of ``seconds``."""
    whole = sum(seconds.values())
    return {name: part / whole for name, part in seconds.items()}


def verdict(parts: Mapping[str, float]) -> str:
    """The name of the bottleneck, ``unclear`` where no limit takes half or what takes it is unexplained."""
    largest = max(parts, key=lambda name: parts[name])
    return VERDICTS.get(largest, UNCLEAR) if parts[largest] >= DOMINANT else UNCLEAR


def amdahl(share: float) -> float:
    """The most that a step can speed up when ``share`` of it vanishes; infinite for all of it."""
    if not 0 <= share <= 1:
        raise UsageError(f"a share is between 0 and 1, got {share!r}")
    return 1 / (1 - share) if share < 1 else float("inf")


def _certainty(
    data: np.ndarray[tuple[int], np.dtype[np.float64]],
    compute: np.ndarray[tuple[int], np.dtype[np.float64]],
    kernels: Sequence[OperatorWork],
    found: str,
) -> float:
    """Share of bootstrap samples of the rounds with the same verdict; seeded."""
    picked = np.random.default_rng(0).integers(len(data), size=(RESAMPLES, len(data)))
    medians = zip(np.median(data[picked], axis=1), np.median(compute[picked], axis=1), strict=True)
    return float(np.mean([verdict(shares(split(float(d), float(c), kernels))) == found for d, c in medians]))
