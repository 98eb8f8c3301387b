"""Speed of inference and training, always as rounds interleaved with the baseline in one process."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from suite.measure.timing import Sample, latency, sample
from suite.metrics import measured
from suite.phases import phase
from suite.records import Cell, Measurement
from suite.training.devices import synchronize
from suite.training.loop import Trained, TrainingStep, start
from suite.training.recipe import Recipe, Reference
from suite.training.serving import Served, fill_up, serve, warm_up

CONFIDENCE = 0.99
PRECISION = 0.0025  # relative half width of the interval at which sampling may stop
SATURATED_GAIN = 1.05  # doubling the batch must bring this much throughput to go on
LARGEST_BATCH = 8192

BASE, TECHNIQUE, CHANNELS_LAST = "baseline", "technique", "channels_last"
LATENCY = "latency_b1"
RATIOS = {"speedup": "inference", "speedup_b1": "inference_b1", "speedup_saturated": "inference_saturated"}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Seconds of sampling for the serving batch, for batch 1 and for one image's latency."""

    batch: float = 8.0
    single: float = 2.0
    latency: float = 1.0
    training: float = 4.0


QUICK = Budget(batch=2.0, single=1.0, latency=0.5, training=2.0)
REPLICA = Budget(batch=2.0, single=1.0, latency=0.2, training=2.0)  # several short processes beat one long one


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Measurements with the raw samples they come from; a measurement's ``samples`` names its own."""

    measurements: tuple[Measurement, ...]
    samples: Mapping[str, Sample]
    latency: np.ndarray | None = None


def serving_sides(base: Trained, technique: Trained, *, is_baseline: bool) -> dict[str, Served]:
    """What is timed against what: the baseline, the technique and the baseline's weights in eager channels_last.

    The baseline itself is timed against its own copy: an A/A test of the sampler.
    """
    sides = {BASE: serve(base), TECHNIQUE: serve(base if is_baseline else technique)}
    if base.recipe.layout == "contiguous":
        sides[CHANNELS_LAST] = serve(_in_channels_last(base))
    return sides


def inference(
    cell: Cell,
    sides: Mapping[str, Served],
    inputs: Tensor,
    *,
    budget: Budget,
    seed: int = 0,
    saturating: int | None = None,
) -> Timed:
    """Speed-ups at the serving batch (``inputs`` [B, ...]), at batch 1 and at the ``saturating`` batch, if given."""
    samples = {
        "inference": _sample(sides, inputs, seconds=budget.batch, seed=seed),
        "inference_b1": _sample(_pair(sides), inputs[:1], seconds=budget.single, seed=seed + 1),
    }
    if saturating is not None:
        many = fill_up(inputs, saturating)
        samples["inference_saturated"] = _sample(_pair(sides), many, seconds=budget.batch, seed=seed + 2)
    one = sides[TECHNIQUE].prepare_inputs(inputs[:1])
    seconds = latency(
        _call(sides[TECHNIQUE], one), seconds=budget.latency, synchronize=lambda: synchronize(cell.device)
    )
    found = [
        *(_ratio(cell, name, samples, source, BASE) for name, source in RATIOS.items() if source in samples),
        _throughput(cell, samples["inference"], len(inputs)),
        *_latency(cell, seconds),
    ]
    if CHANNELS_LAST in sides:
        found.append(_ratio(cell, "speedup_vs_channels_last", samples, "inference", CHANNELS_LAST))
    return Timed(measurements=tuple(found), samples=samples, latency=seconds)


def training(
    cell: Cell, base: Recipe, technique: Recipe, *, reference: Reference, budget: Budget, seed: int = 0
) -> Timed:
    """Speed-up of one training step: forward, backward and update on one fixed batch, each side its own network."""
    steps = {
        BASE: training_step(base, device=cell.device, reference=reference),
        TECHNIQUE: training_step(technique, device=cell.device, reference=reference),
    }
    found = sample(
        steps, seconds=budget.training, precision=PRECISION, confidence=CONFIDENCE, baseline=BASE, seed=seed,
        synchronize=lambda: synchronize(cell.device),
    )  # fmt: skip
    samples = {"training": found}
    return Timed(measurements=(_ratio(cell, "train_step_speedup", samples, "training", BASE),), samples=samples)


def training_step(recipe: Recipe, *, device: str, reference: Reference) -> Callable[[], object]:
    """One step of the recipe on its first batch, compiled and warmed up outside the timed rounds.

    The learning rate is zero: the weights stay, so that every round computes on the same numbers (a network that
    fits its one batch perfectly drifts into subnormal gradients, which CPUs compute slowly).
    """
    trainee = start(replace(recipe, learning_rate=0.0), device=device, reference=reference)
    step = TrainingStep(trainee, total_steps=None)
    generator = torch.Generator().manual_seed(recipe.seed)
    batch = next(iter(recipe.batches(recipe.data().train.to(device), generator)))
    with phase("compiling"):
        for _ in range(3):
            step(batch)
    return lambda: step(batch)


def _sample(sides: Mapping[str, Served], inputs: Tensor, *, seconds: float, seed: int) -> Sample:
    calls: dict[str, Callable[[], object]] = {}
    for name, served in sides.items():
        placed = served.prepare_inputs(inputs)
        warm_up(served, placed)
        calls[name] = _call(served, placed)
    device = sides[BASE].device
    return sample(
        calls, seconds=seconds, precision=PRECISION, confidence=CONFIDENCE, baseline=BASE, seed=seed,
        synchronize=lambda: synchronize(device),
    )  # fmt: skip


def _call(served: Served, placed: Tensor) -> Callable[[], object]:
    return lambda: served(placed)


def _pair(sides: Mapping[str, Served]) -> dict[str, Served]:
    return {BASE: sides[BASE], TECHNIQUE: sides[TECHNIQUE]}


def _ratio(cell: Cell, name: str, samples: Mapping[str, Sample], source: str, numerator: str) -> Measurement:
    timed = samples[source]
    ratio = timed.ratio(numerator, TECHNIQUE, CONFIDENCE)
    return measured(
        cell, name, ratio.value, low=ratio.low, high=ratio.high, confidence=CONFIDENCE, n=ratio.n, samples=source,
        suspect=timed.suspect, control="channels_last" if numerator == CHANNELS_LAST else "baseline",
    )  # fmt: skip


def _throughput(cell: Cell, timed: Sample, batch: int) -> Measurement:
    seconds = float(np.median(timed.seconds[TECHNIQUE]))
    return measured(cell, "throughput", batch / seconds, n=timed.rounds, suspect=timed.suspect, samples="inference")


def _latency(cell: Cell, seconds: np.ndarray) -> list[Measurement]:
    p50, p99 = np.quantile(seconds, [0.5, 0.99])
    details = {"n": len(seconds), "samples": LATENCY}
    return [measured(cell, "latency_p50", p50, **details), measured(cell, "latency_p99", p99, **details)]


def saturating_batch(base: Served, inputs: Tensor) -> int:
    """The batch beyond which the baseline's throughput grows by less than 5 % a doubling.

    Where memory ends first, half of what fits: two networks are timed side by side.
    """
    best, rate = inputs, _throughput_of(base, inputs)
    while len(best) < LARGEST_BATCH:
        try:
            doubled = torch.cat([best, best])
            faster = _throughput_of(base, doubled)
        except torch.OutOfMemoryError:
            torch.accelerator.empty_cache()
            return max(len(inputs), len(best) // 2)
        if faster < SATURATED_GAIN * rate:
            break
        best, rate = doubled, faster
    return len(best)


def _throughput_of(served: Served, inputs: Tensor) -> float:
    """Images a second at the batch of ``inputs`` [B, ...], from a few unpaired calls: a search, not a measurement."""
    placed = served.prepare_inputs(inputs)
    warm_up(served, placed)
    seconds = latency(_call(served, placed), count=20, synchronize=lambda: synchronize(served.device))
    return len(inputs) / float(np.median(seconds))


def _in_channels_last(base: Trained) -> Trained:
    network = copy.deepcopy(base.network).to(memory_format=torch.channels_last)
    return replace(base, recipe=replace(base.recipe, layout="channels_last"), network=network)
