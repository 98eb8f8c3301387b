"""The catalogue of metrics: one row per quantity that the suite measures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from suite.errors import unknown
from suite.records import Cell, Measurement, Metric

_ROWS = (
    # quality, over seeds
    Metric(
        name="accuracy",
        unit="1",
        better="higher",
        tier="portable",
        group="quality",
        noise="absolute",
        about="share of test images classified correctly, mean over seeds",
    ),
    Metric(
        name="accuracy_worst_seed",
        unit="1",
        better="higher",
        tier="portable",
        group="quality",
        noise="absolute",
        about="accuracy of the worst seed",
    ),
    Metric(
        name="accuracy_vs_control",
        unit="1",
        better="higher",
        tier="portable",
        group="quality",
        noise="absolute",
        about="accuracy minus the control's on the same images",
    ),
    Metric(
        name="macro_precision",
        unit="1",
        better="higher",
        tier="portable",
        group="quality",
        noise="absolute",
        about="precision, mean over classes, all seeds' predictions pooled",
    ),
    Metric(
        name="macro_recall",
        unit="1",
        better="higher",
        tier="portable",
        group="quality",
        noise="absolute",
        about="recall, mean over classes, all seeds' predictions pooled",
    ),
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
        tier="exact",
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
        about="bytes of that artefact after lossless entropy coding (LZMA)",
    ),
    Metric(
        name="macs",
        unit="1",
        better="lower",
        tier="exact",
        group="size",
        about="multiply-accumulates of one image, before quantization",
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
        name="speedup_b64",
        unit="1",
        better="higher",
        tier="family",
        group="speed",
        judged="interval",
        about="baseline / technique, inference, the workload's serving batch (64 unless it says otherwise)",
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
        name="train_step_speedup",
        unit="1",
        better="higher",
        tier="family",
        group="speed",
        judged="interval",
        about="baseline / technique, one training step",
    ),
    Metric(
        name="throughput",
        unit="1/s",
        better="higher",
        tier="local",
        group="speed",
        about="images served a second, the workload's serving batch",
    ),
    Metric(
        name="latency_p50", unit="s", better="lower", tier="local", group="speed", about="median latency of one image"
    ),
    Metric(
        name="latency_p99",
        unit="s",
        better="lower",
        tier="local",
        group="speed",
        about="99th percentile of the latency of one image",
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
    # memory
    Metric(
        name="peak_memory_inference",
        unit="B",
        better="lower",
        tier="local",
        group="memory",
        about="peak allocator bytes of one served batch above what is held between batches",
    ),
    Metric(
        name="peak_memory_training",
        unit="B",
        better="lower",
        tier="local",
        group="memory",
        about="peak allocator bytes of one training step above what is held between steps",
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


def metric(name: str) -> Metric:
    """The metric called ``name``, or an error that lists the nearest ones."""
    try:
        return METRICS[name]
    except KeyError:
        raise unknown("metric", name, METRICS) from None


def measured(cell: Cell, name: str, value: float, **details: Any) -> Measurement:
    """A `Measurement` of the catalogue's metric ``name``; ``details`` are its further fields."""
    row = metric(name)
    plain = Measurement(
        cell=cell, metric=name, value=float(value), unit=row.unit, better=row.better, tier=row.tier, group=row.group
    )
    return replace(plain, **details)
