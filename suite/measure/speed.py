"""Speed of inference and training, always as rounds interleaved with the baseline in one process."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import monotonic  # now: a module loaded later may replace it
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from suite.core.composition import BASELINE
from suite.core.machine import flags, nvml
from suite.core.machine.energy import counters_of
from suite.core.machine.hardware import device_type, machine_key, threads
from suite.core.metrics import ENERGY, measured
from suite.core.phases import phase
from suite.core.records import Cell, Measurement
from suite.core.stats.sequential import DecisionBound
from suite.measure.arms import BASE, IMAGES_LAST, KERNEL, NULL, TECHNIQUE, Arm
from suite.measure.device_time import device_share
from suite.measure.energy import energy
from suite.measure.integrity.kept_outputs import KeptOutputs
from suite.measure.integrity.outputs import Judged, ServedCall, check, on_this_thread
from suite.measure.integrity.training_steps import check_learning
from suite.measure.kernels import Kernel, kind_of
from suite.measure.ranked_step import RankedStep
from suite.measure.sampler.memory_layout import moving
from suite.measure.sampler.options import (
    PRECISION,
    Call,
    Hooks,
    Instruments,
    Keep,
    SamplerOptions,
    drop_output,
)
from suite.measure.sampler.timing import LEAST_FOR_P99, Sample, latency, sample
from suite.measure.step import TimedStep, training_step
from suite.training.devices import synchronize
from suite.training.recipe import Recipe, Reference

CONFIDENCE = 0.99
HOST_BOUND = 0.5  # share of device time below which the host's launches dominate the time

LATENCY = "latency_b1"
STEP = "train_step_speedup"
RATIOS = {
    "speedup": ("inference", BASE),
    "speedup_b1": ("inference_b1", BASE),
    "speedup_saturated": ("inference_saturated", BASE),
    "speedup_vs_channels_last": ("inference", IMAGES_LAST),
    "speed_vs_kernel": ("inference", KERNEL),
}
"""By metric, the sample and the arm in the numerator; the technique is the denominator."""

Settings = Mapping[str, int | str]
Bounds = Mapping[str, tuple[float, ...]]
"""By metric, the bounds that judge a ratio."""


@dataclass(frozen=True, kw_only=True)
class SamplingBudget:
    """Seconds of sampling for the serving batch, for batch 1, for one item's latency and for a training step.

    ``energy`` are the seconds at most in which the counters of energy are read; 0: they are not.

    If rounds are long, the budget grows to ``rounds`` of them, up to ``longest`` seconds. If they are short, a sample
    may take four budgets while an interval contains a bound that judges it. Without bounds it may take four while an
    interval is wider than +-``tolerance``, on a noisy machine.
    """

    batch: float = 4.0
    single: float = 2.0
    latency: float = 1.0
    training: float = 4.0
    energy: float = 0.0
    rounds: int = 12
    longest: float = 60.0
    tolerance: float = 0.015


DEFAULT = SamplingBudget(energy=6.0)
QUICK = SamplingBudget(batch=2.0, single=1.0, latency=0.5, training=2.0, rounds=9, longest=15.0, tolerance=math.inf)
SAME = replace(QUICK, batch=1.0, single=0.5)  # of a quick run, for networks of the baseline's own architecture
REPLICA = replace(QUICK, latency=0.2)  # several short processes beat one long one


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Measurements with the raw samples they come from; a measurement's ``samples`` names its own."""

    measurements: tuple[Measurement, ...]
    samples: Mapping[str, Sample]
    latency: np.ndarray[Any, Any] | None = None


def inference(
    cell: Cell,
    arms: Mapping[str, Arm],
    *,
    batch: int,
    budget: SamplingBudget,
    seed: int = 0,
    saturating: int | None = None,
    bounds: Bounds | None = None,
    judged: Mapping[str, Judged] | None = None,
) -> Timed:
    """Speed-ups at the serving ``batch``, at batch 1 and at the ``saturating`` batch, if given.

    The baseline is timed against a reference kernel too. A sample grows while the interval of its ratio contains one of
    the ``bounds``. ``judged`` are the outputs of baseline and technique that the timed turns must reproduce.
    """
    batches = {"inference": batch, "inference_b1": 1}
    if saturating is not None:
        batches["inference_saturated"] = saturating
    kernels = _kernels(cell, arms[BASE])
    samples = {
        source: _sample(
            cell, {**arms, **kernels} if source == "inference" else _pair(arms), size, budget, seed=seed + k,
            seconds=budget.single if source == "inference_b1" else budget.batch,
            decisions=_decisions(source, bounds or {}), judged=judged or {},
        )
        for k, (source, size) in enumerate(batches.items())
    }  # fmt: skip
    conditions = {source: _conditions(cell.device, size, samples[source]) for source, size in batches.items()}
    seconds = _latencies(cell, arms[TECHNIQUE], budget.latency)
    measurements = [
        *_ratios(cell, samples, conditions, kernels),
        _throughput(cell, samples["inference"], batch, conditions["inference"]),
        *_latency(cell, seconds, conditions["inference_b1"]),
        *_device_share(cell, samples["inference"], conditions["inference"]),
        *_energy(cell, arms[TECHNIQUE], batch, budget.energy, conditions["inference"]),
    ]
    return Timed(measurements=tuple(measurements), samples=samples, latency=seconds)


def _ratios(
    cell: Cell,
    samples: Mapping[str, Sample],
    conditions: Mapping[str, Mapping[str, int | str]],
    kernels: Mapping[str, Kernel],
) -> list[Measurement]:
    """The ratios that the samples of inference give."""
    return [
        _ratio(cell, name, samples, source, {**conditions[source], **_kind(kernels.get(against))}, against=against)
        for name, (source, against) in RATIOS.items()
        if source in samples and against in samples[source].seconds
    ]


def _device_share(cell: Cell, timed: Sample, conditions: Mapping[str, int | str]) -> list[Measurement]:
    """The share of the technique's time that the accelerator works; empty on a CPU."""
    if TECHNIQUE not in timed.shares:
        return []
    return [measured(cell, "device_share", timed.shares[TECHNIQUE], conditions=conditions)]


def doubted(timed: Timed, doubts: Mapping[str, str]) -> Timed:
    """``timed`` with one more reason, by the name of a sample, why its times cannot be trusted."""

    def joined(suspect: str | None, source: str | None) -> str | None:
        return _joined(suspect, doubts.get(source or ""))

    return replace(
        timed,
        measurements=tuple(replace(m, suspect=joined(m.suspect, m.samples)) for m in timed.measurements),
        samples={name: replace(taken, suspect=joined(taken.suspect, name)) for name, taken in timed.samples.items()},
    )


def _joined(*reasons: str | None) -> str | None:
    return "; ".join(filter(None, reasons)) or None


def _kernels(cell: Cell, base: Arm) -> dict[str, Kernel]:
    """Reference kernels for the baseline: work like its own."""
    if cell.technique != BASELINE:
        return {}
    return {KERNEL: Kernel(kind=kind_of(base.served.network), device=cell.device)}


def _kind(kernel: Kernel | None) -> dict[str, int | str]:
    return {} if kernel is None else {"kernel": kernel.kind}


def _decisions(source: str, bounds: Bounds) -> tuple[DecisionBound, ...]:
    """The bounds of the ratios that a sample gives."""
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
    """Speed-up of one training step per example: forward, backward and update on one fixed batch for each arm.

    The null arm is the baseline's step on a second network. ``first_losses`` are those of the real trainings; the timed
    steps must reproduce them.
    """
    recipes = {BASE: base, NULL: base, TECHNIQUE: technique}
    with ExitStack() as running:
        steps = {name: _step(recipe, cell.device, reference, running) for name, recipe in recipes.items()}
        return _training(cell, steps, budget=budget, seed=seed, bounds=bounds or {}, first_losses=first_losses)


def _step(recipe: Recipe, device: str, reference: Reference, running: ExitStack) -> TimedStep | RankedStep:
    """The step in this process, or in ranks of their own that end with ``running``."""
    if recipe.launch.ranks == 1:
        return training_step(recipe, device=device, reference=reference)
    step = RankedStep(recipe, device=device, reference=reference)
    running.callback(step.close)
    return step


def _training(
    cell: Cell,
    steps: Mapping[str, TimedStep | RankedStep],
    *,
    budget: SamplingBudget,
    seed: int,
    bounds: Bounds,
    first_losses: Mapping[str, float | None],
) -> Timed:
    calls = _Calls(
        calls=dict(steps),
        settings={name: step.flags for name, step in steps.items()},
        restore={name: step.reset for name, step in steps.items()},
    )
    sizes = {name: step.items for name, step in steps.items()}
    factor = sizes[TECHNIQUE] / sizes[BASE]
    wanted = tuple(bound / factor for bound in bounds.get(STEP, ()))  # of a step, not of an example
    decision = DecisionBound(numerator=BASE, denominator=TECHNIQUE, bounds=wanted)
    timed = _timed(
        cell, calls, seconds=budget.training, seed=seed, budget=budget, decisions=(decision,) if wanted else ()
    )
    timed = replace(timed, suspect=_joined(timed.suspect, steps[TECHNIQUE].suspect))
    with phase("timing"):
        check_learning(steps, first_losses)
        sent = _network_bytes(cell, steps[TECHNIQUE], first_losses.get(TECHNIQUE))
    samples = {"training": timed}
    ratio = _ratio(cell, STEP, samples, "training", _conditions(cell.device, sizes[BASE], timed))
    return Timed(measurements=(_scaled(ratio, factor), *sent), samples=samples)


def _network_bytes(cell: Cell, step: TimedStep | RankedStep, first_loss: float | None) -> list[Measurement]:
    """What a rank sends in a step that was checked to train; empty of one process, and where nobody counts."""
    if not isinstance(step, RankedStep):
        return []
    step.check(TECHNIQUE, first_loss)
    sent = step.network_bytes()
    return [] if sent is None else [measured(cell, "network_bytes", sent, conditions={"batch": step.items})]


def _scaled(ratio: Measurement, factor: float) -> Measurement:
    """The ratio per example: a step on half the batch in half the time is no faster."""
    low, high = (None if bound is None else bound * factor for bound in (ratio.low, ratio.high))
    return replace(ratio, value=ratio.value * factor, low=low, high=high)


def paired(cell: Cell, arms: Mapping[str, Arm], batch: int, budget: SamplingBudget) -> Sample:
    """Rounds of the technique and the baseline at a batch."""
    return _sample(cell, _pair(arms), batch, budget, seconds=budget.batch, seed=batch)


def _sample(
    cell: Cell,
    arms: Mapping[str, Arm | Kernel],
    batch: int,
    budget: SamplingBudget,
    *,
    seconds: float,
    seed: int,
    decisions: Sequence[DecisionBound] = (),
    judged: Mapping[str, Judged] = MappingProxyType({}),
) -> Sample:
    """Rounds of all arms. The timed turns must return the ``judged`` outputs."""
    calls: dict[str, Call] = {name: arm.call(batch) for name, arm in arms.items()}
    timed_calls = _Calls(calls=calls, settings={name: arm.flags for name, arm in arms.items()})
    kept = KeptOutputs(seed=seed, arms=frozenset(name for name, call in calls.items() if isinstance(call, ServedCall)))
    timed = _timed(cell, timed_calls, seconds=seconds, seed=seed, budget=budget, decisions=decisions, keep=kept)
    with phase("timing"):
        check(calls, baseline=BASE, kept=kept.answers, judged=_of_all_arms(judged))
    return timed


def _of_all_arms(judged: Mapping[str, Judged]) -> dict[str, Judged]:
    """Each copy of the baseline answers like the baseline."""
    copies = dict.fromkeys((NULL, IMAGES_LAST), judged[BASE]) if BASE in judged else {}
    return copies | dict(judged)


@dataclass(frozen=True, kw_only=True)
class _Calls:
    """What one sample times, by arm: calls, torch's settings for them, and calls that restore an arm's weights."""

    calls: Mapping[str, Call]
    settings: Mapping[str, Settings]
    restore: Mapping[str, Call] = field(default_factory=dict)

    @property
    def on_one_thread(self) -> bool:
        return torch.get_num_threads() == 1 and all(own.get("threads", 1) == 1 for own in self.settings.values())

    def resets(self) -> dict[str, Call]:
        """By arm, a call that sets torch's settings, and the arm's own weights, to those that it is timed under.

        Every setting of any arm is written for all of them: one arm must not inherit the settings of another.
        """
        now = flags.read()
        names = {name for own in self.settings.values() for name in own}

        def reset(arm: str) -> Call:
            wanted = {name: self.settings[arm].get(name, now[name]) for name in names}

            def settle() -> None:
                flags.write(wanted)
                if arm in self.restore:
                    self.restore[arm]()

            return settle

        return {arm: reset(arm) for arm in self.settings}


def _timed(
    cell: Cell,
    timed: _Calls,
    *,
    seconds: float,
    seed: int,
    budget: SamplingBudget,
    decisions: Sequence[DecisionBound],
    keep: Keep = drop_output,
) -> Sample:
    calls, resets = timed.calls, timed.resets()
    before, entered = nvml.snapshot(cell.device), flags.read()
    enough = max(seconds, min(budget.longest, budget.rounds * _round_seconds(cell, calls, resets)))
    short = enough == seconds  # long rounds already have a larger budget; four of those would take minutes
    on_host, shares = cell.device.startswith("cpu"), _shares(cell, calls, resets)
    options = SamplerOptions(
        baseline=BASE, null=NULL, seconds=enough, seed=seed, precision=PRECISION, confidence=CONFIDENCE,
        tolerance=budget.tolerance if short else math.inf, decisions=tuple(decisions) if short else (),
        host_bound=on_host or _waits_for_host(shares),
    )  # fmt: skip
    alone = on_this_thread(str(cell), applies=on_host and timed.on_one_thread)
    with moving(calls.values() if on_host else (), seed) as move, alone:
        hooks = Hooks(synchronize=lambda: synchronize(cell.device), reset=resets, move=move, keep=keep)
        taken = sample(calls, options, hooks=hooks, instruments=Instruments(witness=monotonic))
    flags.write(entered)
    after = nvml.snapshot(cell.device)
    suspect = _joined(taken.suspect, nvml.doubt(before, after))
    return replace(taken, suspect=suspect, note=nvml.note(before, after), shares=shares)


def _round_seconds(cell: Cell, calls: Mapping[str, Call], resets: Mapping[str, Call]) -> float:
    """The approximate seconds of one round: every arm once, unpaired, for planning only."""
    taken = 0.0
    for name, call in calls.items():
        resets[name]()
        taken += float(latency(call, count=1, seconds=1e-9, warmup=1, synchronize=lambda: synchronize(cell.device))[0])
    return taken


def _conditions(device: str, batch: int, timed: Sample) -> dict[str, int | str]:
    """The conditions of a sample beside the machine: ``threads`` as the run's `Where` counts them, torch's precisions.

    ``matmul`` and, on CUDA, ``cudnn_tf32`` are the process's settings; a technique's own belong to the technique.
    ``host`` is the host's processor, named only if the launches dominate the time of an arm.
    """
    now = flags.read()
    conditions: dict[str, int | str] = {"batch": batch, "threads": threads(device)}
    conditions["matmul"] = now["float32_matmul_precision"]
    if device_type(device) == "cuda":
        conditions["cudnn_tf32"] = now["cudnn_allow_tf32"]
    if _waits_for_host(timed.shares):
        conditions["host"] = machine_key("cpu")
    return conditions


def _pair(arms: Mapping[str, Arm]) -> dict[str, Arm]:
    return {name: arms[name] for name in (BASE, NULL, TECHNIQUE)}


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


def _shares(cell: Cell, calls: Mapping[str, Call], resets: Mapping[str, Call]) -> dict[str, float]:
    """By arm, the share of a call's time that the accelerator works; empty on a CPU, or without device times.

    The host limits a ratio if it limits one of the two arms. The null arm does the baseline's work.
    """
    shares: dict[str, float] = {}
    for name in (BASE, TECHNIQUE) if device_type(cell.device) != "cpu" else ():
        resets[name]()
        share = device_share(calls[name], cell.device)
        shares |= {} if share is None else {name: share}
    return shares


def _waits_for_host(shares: Mapping[str, float]) -> bool:
    return any(share < HOST_BOUND for share in shares.values())


def _latencies(cell: Cell, arm: Arm, seconds: float) -> np.ndarray[Any, Any]:
    call = arm.call(1)
    with flags.applied(arm.served.recipe.flags):
        return latency(call, seconds=seconds, synchronize=lambda: synchronize(cell.device))


def _energy(cell: Cell, arm: Arm, batch: int, seconds: float, conditions: Mapping[str, int | str]) -> list[Measurement]:
    """The energy of a served item; empty without a counter, for which the run's header has the reason.

    An invalid reading keeps what the counters said, and is suspect.
    """
    if not seconds:
        return []
    found = counters_of(cell.device)
    if not found.counters:
        return []
    call = arm.call(batch)
    with flags.applied(arm.served.recipe.flags):
        read = energy(call, found.counters, seconds=seconds, synchronize=lambda: synchronize(cell.device))
    return [
        measured(
            cell, ENERGY, read.joules / max(1, read.calls * batch), n=max(1, read.periods),
            suspect=f"invalid: {read.reason}" if read.state == "invalid" else None, conditions=conditions,
            note=f"{found}, {read.periods} periods of the counter in {read.seconds:.2f} s",
        )
    ]  # fmt: skip


def _latency(cell: Cell, seconds: np.ndarray[Any, Any], conditions: Mapping[str, int | str]) -> list[Measurement]:
    """Median, and the 99th percentile if enough calls were timed for it to differ from the slowest one."""
    quantiles = {"latency_p50": 0.5} | ({"latency_p99": 0.99} if len(seconds) >= LEAST_FOR_P99 else {})
    return [
        measured(cell, name, np.quantile(seconds, q), n=len(seconds), samples=LATENCY, conditions=conditions)
        for name, q in quantiles.items()
    ]
