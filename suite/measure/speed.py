"""Speed of inference and training, always as rounds interleaved with the baseline in one process."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic  # now: a module loaded later may replace it
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from suite.core.composition import BASELINE
from suite.core.machine import flags, nvml
from suite.core.machine.hardware import device_type, machine_key, threads
from suite.core.metrics import measured
from suite.core.phases import phase
from suite.core.records import Cell, Measurement
from suite.core.stats.sequential import DecisionBound
from suite.measure.arms import BASE, IMAGES_LAST, KERNEL, NULL, TECHNIQUE, Arm
from suite.measure.device_time import device_share
from suite.measure.integrity.kept_outputs import KeptOutputs
from suite.measure.integrity.outputs import Judged, Request, check, on_this_thread
from suite.measure.integrity.training_steps import check_learning
from suite.measure.kernels import Kernel, kind_of
from suite.measure.sampler.memory_layout import moving
from suite.measure.sampler.timing import LEAST_FOR_P99, Keep, Sample, latency, sample
from suite.measure.step import training_step
from suite.training.devices import synchronize
from suite.training.recipe import Recipe, Reference

CONFIDENCE = 0.99
PRECISION = 0.0025  # relative half width of the interval at which sampling may stop
HOST_BOUND = 0.5  # share of device time below which the host's launches are what is timed

LATENCY = "latency_b1"
STEP = "train_step_speedup"
RATIOS = {
    "speedup": ("inference", BASE),
    "speedup_b1": ("inference_b1", BASE),
    "speedup_saturated": ("inference_saturated", BASE),
    "speedup_vs_channels_last": ("inference", IMAGES_LAST),
    "speed_vs_kernel": ("inference", KERNEL),
}
"""By metric, the sample and the side whose time stands over the technique's."""

Bounds = Mapping[str, tuple[float, ...]]
"""By metric, the bounds that a ratio is to be judged by."""


@dataclass(frozen=True, kw_only=True)
class SamplingBudget:
    """Seconds of sampling for the serving batch, for batch 1, for one item's latency and for a training step.

    Where a round is long, time is given for ``rounds`` of them all the same, up to ``longest`` seconds. Where
    rounds are short, a sample may take four times as long: while an interval holds a bound that it is to be judged by,
    or where there is none, while the machine is so restless that an interval is wider than +-``tolerance``.
    """

    batch: float = 4.0
    single: float = 2.0
    latency: float = 1.0
    training: float = 4.0
    rounds: int = 12
    longest: float = 60.0
    tolerance: float = 0.015


QUICK = SamplingBudget(batch=2.0, single=1.0, latency=0.5, training=2.0, rounds=9, longest=15.0, tolerance=math.inf)
REPLICA = replace(QUICK, latency=0.2)  # several short processes beat one long one


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Measurements with the raw samples they come from; a measurement's ``samples`` names its own."""

    measurements: tuple[Measurement, ...]
    samples: Mapping[str, Sample]
    latency: np.ndarray[Any, Any] | None = None


def inference(
    cell: Cell,
    sides: Mapping[str, Arm],
    *,
    batch: int,
    budget: SamplingBudget,
    seed: int = 0,
    saturating: int | None = None,
    bounds: Bounds | None = None,
    judged: Mapping[str, Judged] | None = None,
) -> Timed:
    """Speed-ups at the serving ``batch``, at batch 1 and at the ``saturating`` batch, if given.

    The baseline is timed against a reference kernel too. A sample grows while its ratio cannot be told from one of the
    ``bounds``. ``judged`` are, for baseline and technique, the outputs that timed turns have to agree with.
    """
    batches = {"inference": batch, "inference_b1": 1}
    if saturating is not None:
        batches["inference_saturated"] = saturating
    kernels = _kernels(cell, sides[BASE])
    samples = {
        source: _sample(
            cell, {**sides, **kernels} if source == "inference" else _pair(sides), size, budget, seed=seed + k,
            seconds=budget.single if source == "inference_b1" else budget.batch, goals=_goals(source, bounds or {}),
            judged=judged or {},
        )
        for k, (source, size) in enumerate(batches.items())
    }  # fmt: skip
    conditions = {source: _conditions(cell.device, size, samples[source]) for source, size in batches.items()}
    seconds = _latencies(cell, sides[TECHNIQUE], budget.latency)
    found = [
        *(
            _ratio(cell, name, samples, source, conditions[source] | _kind(kernels.get(against)), against=against)
            for name, (source, against) in RATIOS.items()
            if source in samples and against in samples[source].seconds
        ),
        _throughput(cell, samples["inference"], batch, conditions["inference"]),
        *_latency(cell, seconds, conditions["inference_b1"]),
    ]
    if TECHNIQUE in samples["inference"].shares:
        share = samples["inference"].shares[TECHNIQUE]
        found.append(measured(cell, "device_share", share, conditions=conditions["inference"]))
    return Timed(measurements=tuple(found), samples=samples, latency=seconds)


def doubted(timed: Timed, doubts: Mapping[str, str]) -> Timed:
    """``timed`` with one more reason, by the name of a sample, why its times cannot be trusted."""

    def joined(suspect: str | None, source: str | None) -> str | None:
        return "; ".join(filter(None, (suspect, doubts.get(source or "")))) or None

    return replace(
        timed,
        measurements=tuple(replace(m, suspect=joined(m.suspect, m.samples)) for m in timed.measurements),
        samples={name: replace(one, suspect=joined(one.suspect, name)) for name, one in timed.samples.items()},
    )


def _kernels(cell: Cell, base: Arm) -> dict[str, Kernel]:
    """What the baseline itself is timed against: kernels like its own work."""
    if cell.technique != BASELINE:
        return {}
    return {KERNEL: Kernel(kind=kind_of(base.served.network), device=cell.device)}


def _kind(kernel: Kernel | None) -> dict[str, int | str]:
    return {} if kernel is None else {"kernel": kernel.kind}


def _goals(source: str, bounds: Bounds) -> tuple[DecisionBound, ...]:
    """The bounds of the ratios that a sample brings."""
    wanted = {name: against for name, (its, against) in RATIOS.items() if its == source and name in bounds}
    return tuple(
        DecisionBound(numerator=against, denominator=TECHNIQUE, bounds=tuple(bounds[name]))
        for name, against in wanted.items()
    )


def training(
    cell: Cell,
    base: Recipe,
    technique: Recipe,
    *,
    reference: Reference,
    budget: SamplingBudget,
    seed: int = 0,
    bounds: Bounds | None = None,
    first_losses: Mapping[str, float | None] = MappingProxyType({}),
) -> Timed:
    """Speed-up of one training step per example: forward, backward and update on one fixed batch, each side its own.

    The null arm is the baseline's step on a network of its own. ``first_losses`` are those of the real trainings, which
    the timed steps have to agree with.
    """
    recipes = {BASE: base, NULL: base, TECHNIQUE: technique}
    steps = {name: training_step(recipe, device=cell.device, reference=reference) for name, recipe in recipes.items()}
    settings = {name: step.step.trainee.recipe.flags for name, step in steps.items()}
    restore = {name: step.reset for name, step in steps.items()}
    sizes = {name: len(step.batch) for name, step in steps.items()}
    factor = sizes[TECHNIQUE] / sizes[BASE]
    wanted = tuple(bound / factor for bound in (bounds or {}).get(STEP, ()))  # of a step, not of an example
    goal = DecisionBound(numerator=BASE, denominator=TECHNIQUE, bounds=wanted)
    found = _timed(
        cell, dict(steps), settings, restore, seconds=budget.training, seed=seed, budget=budget,
        goals=(goal,) if wanted else (),
    )  # fmt: skip
    with phase("timing"):
        check_learning(steps, first_losses)
    samples, conditions = {"training": found}, {"training": _conditions(cell.device, sizes[BASE], found)}
    ratio = _ratio(cell, STEP, samples, "training", conditions["training"])
    return Timed(measurements=(_scaled(ratio, factor),), samples=samples)


def _scaled(ratio: Measurement, factor: float) -> Measurement:
    """Per example: a step on half the batch that takes half the time is no faster."""
    low, high = (None if bound is None else bound * factor for bound in (ratio.low, ratio.high))
    return replace(ratio, value=ratio.value * factor, low=low, high=high)


def paired(cell: Cell, sides: Mapping[str, Arm], batch: int, budget: SamplingBudget) -> Sample:
    """Rounds of the technique and the baseline at a batch."""
    return _sample(cell, _pair(sides), batch, budget, seconds=budget.batch, seed=batch)


def _sample(
    cell: Cell,
    sides: Mapping[str, Arm | Kernel],
    batch: int,
    budget: SamplingBudget,
    *,
    seconds: float,
    seed: int,
    goals: Sequence[DecisionBound] = (),
    judged: Mapping[str, Judged] = MappingProxyType({}),
) -> Sample:
    """Rounds of all sides. What timed turns returned has to be what was ``judged``."""
    calls: dict[str, Callable[[], object]] = {name: side.call(batch) for name, side in sides.items()}
    settings = {name: side.flags for name, side in sides.items()}
    kept = KeptOutputs(seed=seed, arms=frozenset(name for name, call in calls.items() if isinstance(call, Request)))
    found = _timed(cell, calls, settings, {}, seconds=seconds, seed=seed, budget=budget, goals=goals, keep=kept)
    with phase("timing"):
        check(calls, baseline=BASE, kept=kept.answers, judged=_of_all_arms(judged))
    return found


def _of_all_arms(judged: Mapping[str, Judged]) -> dict[str, Judged]:
    """Each copy of the baseline answers like the baseline."""
    copies = dict.fromkeys((NULL, IMAGES_LAST), judged[BASE]) if BASE in judged else {}
    return copies | dict(judged)


def _resets(
    settings: Mapping[str, Mapping[str, int | str]], restore: Mapping[str, Callable[[], object]]
) -> dict[str, Callable[[], object]]:
    """For each side what puts torch's settings, and its own weights, to what it is timed under.

    Every setting that any side has is written for all of them: what one side sets, the others must not inherit.
    """
    now = flags.read()
    names = {name for wanted in settings.values() for name in wanted}

    def reset(side: str) -> Callable[[], object]:
        wanted = {name: settings[side].get(name, now[name]) for name in names}

        def settle() -> None:
            flags.write(wanted)
            if side in restore:
                restore[side]()

        return settle

    return {side: reset(side) for side in settings}


def _timed(
    cell: Cell,
    calls: Mapping[str, Callable[[], object]],
    settings: Mapping[str, Mapping[str, int | str]],
    restore: Mapping[str, Callable[[], object]],
    *,
    seconds: float,
    seed: int,
    budget: SamplingBudget,
    goals: Sequence[DecisionBound],
    keep: Keep | None = None,
) -> Sample:
    resets = _resets(settings, restore)
    before, entered = nvml.snapshot(cell.device), flags.read()
    enough = max(seconds, min(budget.longest, budget.rounds * _round_seconds(cell, calls, resets)))
    short = enough == seconds  # long rounds have their time already, and four times that would be minutes
    on_host, shares = cell.device.startswith("cpu"), _shares(cell, calls, resets)
    alone = on_this_thread(str(cell), applies=on_host and _on_one_thread(settings))
    with moving(calls.values() if on_host else (), seed) as move, alone:
        found = sample(
            calls, seconds=enough, precision=PRECISION, tolerance=budget.tolerance if short else math.inf,
            goals=goals if short else (), confidence=CONFIDENCE, baseline=BASE, seed=seed, reset=resets,
            move=move, keep=keep,
            synchronize=lambda: synchronize(cell.device), null=NULL,
            host_bound=on_host or _waits_for_host(shares), witness=monotonic,
        )  # fmt: skip
    flags.write(entered)
    after = nvml.snapshot(cell.device)
    suspect = "; ".join(filter(None, (found.suspect, nvml.doubt(before, after)))) or None
    return replace(found, suspect=suspect, note=nvml.note(before, after), shares=shares)


def _on_one_thread(settings: Mapping[str, Mapping[str, int | str]]) -> bool:
    return torch.get_num_threads() == 1 and all(wanted.get("threads", 1) == 1 for wanted in settings.values())


def _round_seconds(
    cell: Cell, calls: Mapping[str, Callable[[], object]], resets: Mapping[str, Callable[[], object]]
) -> float:
    """About how long one round takes: every side once, unpaired, to plan with and never to compare."""
    taken = 0.0
    for name, call in calls.items():
        resets[name]()
        taken += float(latency(call, count=1, seconds=1e-9, warmup=1, synchronize=lambda: synchronize(cell.device))[0])
    return taken


def _conditions(device: str, batch: int, timed: Sample) -> dict[str, int | str]:
    """What a sample depends on beside the machine: ``threads`` as the run's `Where` counts them, torch's precisions.

    ``matmul`` and, on CUDA, ``cudnn_tf32`` are the process's settings; a technique's own belong to the technique.
    ``host`` is the host's processor, named only where the launches of one of the sides are what is timed.
    """
    now = flags.read()
    found: dict[str, int | str] = {"batch": batch, "threads": threads(device)}
    found["matmul"] = now["float32_matmul_precision"]
    if device_type(device) == "cuda":
        found["cudnn_tf32"] = now["cudnn_allow_tf32"]
    if _waits_for_host(timed.shares):
        found["host"] = machine_key("cpu")
    return found


def _pair(sides: Mapping[str, Arm]) -> dict[str, Arm]:
    return {name: sides[name] for name in (BASE, NULL, TECHNIQUE)}


def _ratio(
    cell: Cell,
    name: str,
    samples: Mapping[str, Sample],
    source: str,
    conditions: Mapping[str, int | str],
    *,
    against: str = BASE,
) -> Measurement:
    timed = samples[source]
    ratio = timed.ratio(against, TECHNIQUE)
    return measured(
        cell, name, ratio.value, low=ratio.low, high=ratio.high, confidence=ratio.confidence, n=ratio.n, samples=source,
        suspect=timed.suspect, note=timed.note, control=against, conditions=conditions,
        null=timed.ratio(BASE, NULL).value,
    )  # fmt: skip


def _throughput(cell: Cell, timed: Sample, batch: int, conditions: Mapping[str, int | str]) -> Measurement:
    seconds = float(np.median(timed.seconds[TECHNIQUE]))
    return measured(
        cell, "throughput", batch / seconds, n=timed.rounds, suspect=timed.suspect, note=timed.note,
        samples="inference", conditions=conditions,
    )  # fmt: skip


def _shares(
    cell: Cell, calls: Mapping[str, Callable[[], object]], resets: Mapping[str, Callable[[], object]]
) -> dict[str, float]:
    """By side, how much of a call's time the accelerator works; nothing on a CPU, or where it keeps no time.

    A ratio is the host's as soon as one of its sides is. The null arm is the baseline's own work.
    """
    found: dict[str, float] = {}
    for name in (BASE, TECHNIQUE) if device_type(cell.device) != "cpu" else ():
        resets[name]()
        share = device_share(calls[name], cell.device)
        found |= {} if share is None else {name: share}
    return found


def _waits_for_host(shares: Mapping[str, float]) -> bool:
    return any(share < HOST_BOUND for share in shares.values())


def _latencies(cell: Cell, side: Arm, seconds: float) -> np.ndarray[Any, Any]:
    call = side.call(1)
    with flags.applied(side.served.recipe.flags):
        return latency(call, seconds=seconds, synchronize=lambda: synchronize(cell.device))


def _latency(cell: Cell, seconds: np.ndarray[Any, Any], conditions: Mapping[str, int | str]) -> list[Measurement]:
    """Median, and the 99th percentile where enough calls were timed for it to be more than the slowest one."""
    quantiles = {"latency_p50": 0.5} | ({"latency_p99": 0.99} if len(seconds) >= LEAST_FOR_P99 else {})
    return [
        measured(cell, name, np.quantile(seconds, q), n=len(seconds), samples=LATENCY, conditions=conditions)
        for name, q in quantiles.items()
    ]
