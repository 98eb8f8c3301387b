"""The catalogue of metrics: one row per quantity that the suite measures."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

from suite.core.errors import UsageError, unknown
from suite.core.records import Better, Cell, Measurement, Metric, Tier

_ROWS = (
    # quality, over seeds; the scores themselves are declared with the workloads (`declare_score`)
    Metric(
        name="train_seconds",
        unit="s",
        better="lower",
        tier="local",
        group="quality",
        about="seconds in the training loop, fine-tuning included, mean over seeds",
    ),
    Metric(
        name="time_to_target",
        unit="s",
        better="lower",
        tier="local",
        group="quality",
        about="training seconds until the validation accuracy reaches the workload's target, mean over seeds",
    ),
    Metric(
        name="energy_per_epoch",
        unit="J",
        better="lower",
        tier="local",
        group="quality",
        about="joules per epoch of training, fine-tuning included, by the counter of energy_per_item, mean over seeds",
    ),
    Metric(
        name="energy_to_target",
        unit="J",
        better="lower",
        tier="local",
        group="quality",
        about="joules of training until the validation accuracy reaches the workload's target, mean over seeds",
    ),
    Metric(
        name="output_error",
        unit="1",
        better="lower",
        tier="portable",
        group="quality",
        about="relative L2 distance of the served outputs from those of the same weights in eager float32",
    ),
    # size
    Metric(
        name="parameters",
        unit="1",
        better="lower",
        tier="exact",
        group="size",
        about="weights of the network after training and pruning, packed or not",
    ),
    Metric(
        name="nonzero_parameters",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="weights that are not zero",
    ),
    Metric(
        name="artefact_bytes",
        unit="B",
        better="lower",
        tier="exact",
        group="size",
        about="bytes of the serialized artefact that ships",
    ),
    Metric(
        name="entropy_bytes",
        unit="B",
        better="lower",
        tier="portable",
        group="size",
        about="bytes of that artefact after lossless entropy coding (LZMA; preset 0 above 8 MB)",
    ),
    Metric(
        name="macs",
        unit="1",
        better="lower",
        tier="exact",
        group="size",
        about="multiply-accumulates of one item, before quantization",
    ),
    Metric(
        name="labelled_share",
        unit="1",
        better="higher",
        tier="family",
        group="size",
        about="share of multiply-accumulates that the engine's kernels run in the precision of the technique's name",
    ),
    Metric(
        name="exit_rate",
        unit="1",
        better="higher",
        tier="portable",
        group="size",
        about="share of test items that leave the network early",
    ),
    Metric(
        name="mean_macs",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="multiply-accumulates of one item, mean over test items that may leave early",
    ),
    # counts of work, under a version of torch
    Metric(
        name="operators",
        unit="1",
        better="lower",
        tier="exact",
        group="size",
        about="operators that one served batch dispatches, views apart",
    ),
    Metric(
        name="view_operators",
        unit="1",
        better="lower",
        tier="exact",
        group="size",
        about="views that one served batch takes of tensors",
    ),
    Metric(
        name="training_operators",
        unit="1",
        better="lower",
        tier="exact",
        group="size",
        about="operators that one training step dispatches, views apart",
    ),
    Metric(
        name="instructions",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="instructions of one served batch under valgrind, without those that follow addresses",
    ),
    Metric(
        name="instructions_b1",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="instructions of one served item under valgrind, without those that follow addresses",
    ),
    Metric(
        name="training_instructions",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="instructions of one training step under valgrind, without those that follow addresses",
    ),
    Metric(
        name="allocations",
        unit="1",
        better="lower",
        tier="exact",
        group="size",
        about="tensors that get memory of their own in one served batch; not of compiled networks",
    ),
    Metric(
        name="allocated_bytes",
        unit="B",
        better="lower",
        tier="exact",
        group="size",
        about="bytes that these tensors get, freed ones too",
    ),
    Metric(
        name="graphs",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="graphs that torch.compile makes of the served network",
    ),
    Metric(
        name="graph_breaks",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="places at which such a graph ends early",
    ),
    Metric(
        name="recompilations",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="compilations in the second to fourth call of one shape",
    ),
    Metric(
        name="generated_kernels",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="kernels that TorchInductor generates for the served network",
    ),
    Metric(
        name="fused_operators",
        unit="1",
        better="higher",
        tier="portable",
        group="size",
        about="operators in graphs that need no kernel and no call of their own",
    ),
    Metric(
        name="moved_bytes",
        unit="B",
        better="lower",
        tier="family",
        group="size",
        about="bytes that operators of one served batch read and write, caches disregarded; not of compiled networks",
    ),
    Metric(
        name="kernel_launches",
        unit="1",
        better="lower",
        tier="portable",
        group="size",
        about="kernels that one served batch launches on an accelerator",
    ),
    # speed, paired
    Metric(
        name="speedup_b1",
        unit="1",
        better="higher",
        tier="family",
        group="speed",
        judged="interval",
        about="baseline / technique, inference, batch 1",
    ),
    Metric(
        name="speedup",
        unit="1",
        better="higher",
        tier="family",
        group="speed",
        judged="interval",
        about="baseline / technique, inference, the workload's serving batch",
    ),
    Metric(
        name="speedup_saturated",
        unit="1",
        better="higher",
        tier="family",
        group="speed",
        judged="interval",
        about="baseline / technique, inference, the batch that saturates this device",
    ),
    Metric(
        name="speedup_vs_channels_last",
        unit="1",
        better="higher",
        tier="family",
        group="speed",
        judged="interval",
        about="eager channels_last / technique, inference, the workload's serving batch",
    ),
    Metric(
        name="speed_vs_kernel",
        unit="1",
        better="higher",
        tier="family",
        group="speed",
        judged="interval",
        about="a fixed convolution, product or copy / the baseline, inference, the workload's serving batch",
    ),
    Metric(
        name="train_step_speedup",
        unit="1",
        better="higher",
        tier="family",
        group="speed",
        judged="interval",
        about="baseline / technique, one training step, per example",
    ),
    Metric(
        name="network_bytes",
        unit="B",
        better="lower",
        tier="portable",
        group="speed",
        about="bytes that the busiest of several ranks sends in one training step",
    ),
    Metric(
        name="throughput",
        unit="1/s",
        better="higher",
        tier="local",
        group="speed",
        about="items served a second, the workload's serving batch; inputs are on the device already",
    ),
    Metric(
        name="energy_per_item",
        unit="J",
        better="lower",
        tier="local",
        group="speed",
        about="joules per served item, the workload's serving batch, by a counter of the whole package or board",
    ),
    Metric(
        name="latency_p50",
        unit="s",
        better="lower",
        tier="local",
        group="speed",
        about="median latency of one item, with inputs on the device already",
    ),
    Metric(
        name="latency_p99",
        unit="s",
        better="lower",
        tier="local",
        group="speed",
        about="99th percentile of the latency of one item",
    ),
    Metric(
        name="compile_seconds_cold",
        unit="s",
        better="lower",
        tier="local",
        group="speed",
        needs_fresh_process=True,
        about="first call with an empty compiler cache",
    ),
    Metric(
        name="compile_seconds_warm",
        unit="s",
        better="lower",
        tier="local",
        group="speed",
        needs_fresh_process=True,
        about="first call with a filled compiler cache",
    ),
    Metric(
        name="device_share",
        unit="1",
        better="higher",
        tier="local",
        group="speed",
        about="device time / wall time of a served batch on an accelerator; below one half the host limits it",
    ),
    # memory
    Metric(
        name="held_memory_inference",
        unit="B",
        better="lower",
        tier="local",
        group="memory",
        about="bytes that the served network holds between batches: weights, buffers, packed weights",
    ),
    Metric(
        name="held_memory_training",
        unit="B",
        better="lower",
        tier="local",
        group="memory",
        about="bytes held between training steps: weights, buffers, gradients, optimizer state",
    ),
    Metric(
        name="peak_memory_inference",
        unit="B",
        better="lower",
        tier="local",
        group="memory",
        about="bytes held between batches and the peak allocator bytes of one served batch",
    ),
    Metric(
        name="peak_memory_training",
        unit="B",
        better="lower",
        tier="local",
        group="memory",
        about="bytes held between steps and the peak allocator bytes of one training step",
    ),
    Metric(
        name="peak_rss_rise",
        unit="B",
        better="lower",
        tier="local",
        group="memory",
        needs_fresh_process=True,
        about="rise of the peak resident set in a fresh process with the default allocator",
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ROWS}
"""Every metric that is known: the rows above, and three for each score that a loaded workload declares."""

_SCORES: dict[str, tuple[str, Better]] = {}
INSTRUCTIONS = ("instructions", "instructions_b1", "training_instructions")
COUNTS = (
    *("operators", "view_operators", "training_operators", "allocations", "allocated_bytes"),
    *INSTRUCTIONS,
    *("graphs", "graph_breaks", "recompilations", "generated_kernels", "fused_operators", "kernel_launches"),
)
"""Counts of work (`suite.measure.counting`): they hold under one version of torch, and on one kind of device."""
ENERGY = "energy_per_item"
ENERGIES = (ENERGY, "energy_per_epoch", "energy_to_target")
"""Joules by counters (`suite.core.machine.energy`), suspect where a reading is invalid."""
VS_CONTROL, WORST_SEED = "_vs_control", "_worst_seed"
COMPILED = frozenset({"artefact_bytes", "entropy_bytes"})  # what a compiler makes is its family's
_POSITIVE = frozenset({"mean_squared_error", "mean_absolute_error", "bits_per_byte"})
_SHARE_SCORES = ("accuracy", "macro_precision", "macro_recall", "average_precision_50", "average_precision_75")
SHARES = frozenset(
    {"device_share", "exit_rate", *(name + end for name in _SHARE_SCORES for end in ("", VS_CONTROL, WORST_SEED))}
)
"""Metrics that lie between 0 and 1, or as differences between -1 and 1."""
RENAMED = {"mean_average_precision": "average_precision_50"}  # COCO's name is for the mean over overlaps 0.5 to 0.95
"""Scores that had another name."""
ABSOLUTE_UNITS = frozenset({"s", "1/s", "J"})
"""Units of times, rates and energies: they vary with the machine's load."""


def declare_score(name: str, *, unit: str, better: Better, about: str = "") -> None:
    """Put a score's three metrics into the catalogue: its value, the difference to the control, the worst seed.

    Raises `UsageError` where the name is taken by another metric, or by a score of another unit or direction.
    """
    if _SCORES.get(name, (unit, better)) != (unit, better) or (name in METRICS and name not in _SCORES):
        raise UsageError(
            f"the score {name!r} in {unit!r}, {better} is better, is declared already as another metric; rename one"
        )
    if name not in _SCORES:
        _SCORES[name] = (unit, better)
        METRICS.update({row.name: row for row in _score_rows(name, unit, better, about)})


def current(name: str) -> str:
    """The name that a metric has today; warns of an old one, unless a loaded workload has declared it as its own."""
    ending = next((end for end in (VS_CONTROL, WORST_SEED) if name.endswith(end)), "")
    new = RENAMED.get(name.removesuffix(ending))
    if new is None or name in METRICS:
        return name
    warnings.warn(f"the metric {name} is called {new}{ending} now; write that", FutureWarning, stacklevel=3)
    return new + ending


def metric(name: str) -> Metric:
    """The metric called ``name``, or an error that lists the nearest ones. An old name is accepted with a warning."""
    try:
        return METRICS[current(name)]
    except KeyError:
        raise unknown("metric", name, METRICS) from None


def limits(name: str) -> tuple[float, float]:
    """The least and the greatest value that a metric can have, in its unit; infinite where nothing limits it.

    Nothing is known of the scores that users declare.
    """
    if name in SHARES:
        return (-1.0, 1.0) if name.endswith(VS_CONTROL) else (0.0, 1.0)
    plain = name.removesuffix(VS_CONTROL).removesuffix(WORST_SEED)
    positive = name in METRICS and (plain not in _SCORES or plain in _POSITIVE) and not name.endswith(VS_CONTROL)
    return (0.0 if positive else -math.inf), math.inf


def tiers(name: str) -> tuple[Tier, ...]:
    """The tiers that a stored entry of the metric may have; the first one is usual.

    Sizes are exact unless they follow from trained weights, a serializer or a compiler: that is for the technique to
    say (`suite.measure.size`), and it may say otherwise than when the entry was stored.
    """
    row = metric(name)
    if row.group != "size":
        return (row.tier,)
    compiled: tuple[Tier, ...] = ("family",) if name in COMPILED else ()
    return tuple(dict.fromkeys((row.tier, "exact", "portable", *compiled)))


def is_paired(name: str) -> bool:
    """Whether a metric is a ratio of times from the same rounds, judged by its whole interval."""
    return name in METRICS and METRICS[name].judged == "interval"


def place(name: str) -> tuple[int, int]:
    """The position of a metric in reports: scores first, then the catalogue's order; unknown names last."""
    for index, score in enumerate(_SCORES):
        if name in (score, score + VS_CONTROL, score + WORST_SEED):
            return 0, 3 * index + (score, score + VS_CONTROL, score + WORST_SEED).index(name)
    return 1, _PLACES.get(name, len(_PLACES))


def _score_rows(name: str, unit: str, better: Better, about: str) -> tuple[Metric, ...]:
    said = about or name.replace("_", " ")
    texts = {
        name: f"{said}, mean over seeds",
        name + VS_CONTROL: f"{said}, minus the control's on the same items",
        name + WORST_SEED: f"{said}, of the worst seed",
    }
    return tuple(
        Metric(name=row, unit=unit, better=better, tier="portable", group="quality", noise="absolute", about=text)
        for row, text in texts.items()
    )


_PLACES = {name: index for index, name in enumerate(METRICS)}
declare_score("accuracy", unit="1", better="higher", about="share of test items classified correctly")
declare_score("macro_precision", unit="1", better="higher", about="precision, plain mean over the classes")
declare_score("macro_recall", unit="1", better="higher", about="recall, plain mean over the classes")
declare_score("mean_squared_error", unit="1", better="lower", about="mean squared error of the test items")
declare_score("mean_absolute_error", unit="1", better="lower", about="mean absolute error of the test items")
declare_score("bits_per_byte", unit="bit", better="lower", about="bits that the model needs for a byte of test text")
declare_score(
    "average_precision_50", unit="1", better="higher",
    about="average precision at an intersection over union of 0.5, plain mean over the classes",
)  # fmt: skip


def measured(cell: Cell, name: str, value: float, **details: Any) -> Measurement:
    """A `Measurement` of the catalogue's metric ``name``; ``details`` are its further fields.

    More ranks than one are among its conditions.
    """
    row = metric(name)
    if cell.ranks > 1:
        details["conditions"] = {**details.get("conditions", {}), "ranks": cell.ranks}
    plain = Measurement(
        cell=cell, metric=name, value=float(value), unit=row.unit, better=row.better, tier=row.tier, group=row.group
    )
    return replace(plain, **details)
