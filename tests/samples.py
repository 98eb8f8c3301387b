"""Sample records: a header, measurements of the catalogue's metrics, and a small run whose answers are known."""

from suite.core.metrics import METRICS
from suite.core.records import Cell, CellFailure, Measurement, RunHeader, Where

WORKLOAD, DEVICE = "digits_cnn", "cpu"
PRUNED, CONTROL = "structured_pruning(ratio=0.5,epochs=5)", "extra_epochs(epochs=5)"


def header(**fields):
    plain = {
        "run": "2026-11-23T15-04-05-cpu",
        "started": "2026-11-23T15:04:05+00:00",
        "command": "suite bench",
        "commit": "3f9c2ab",
        "where": Where(machine="cpu-x86_64-test-2c", family="cpu-x86_64-avx2", device=DEVICE, threads=1),
        "seeds": (0, 1, 2),
        "profile": "default",
        "quiet": True,
        "scores": {WORKLOAD: ("accuracy",)},
    }
    return RunHeader(**{**plain, **fields})


def measured(technique, metric, value, *, workload=WORKLOAD, device=DEVICE, **details):
    known = METRICS[metric]
    return Measurement(
        cell=Cell(workload=workload, technique=technique, device=device),
        metric=metric,
        value=value,
        unit=known.unit,
        better=known.better,
        tier=known.tier,
        group=known.group,
        **details,
    )


def figures(technique, **values):
    """One measurement for each metric: a value, or ``(value, low, high)``."""
    triples = {name: value if isinstance(value, tuple) else (value, None, None) for name, value in values.items()}
    return [measured(technique, name, v, low=low, high=high) for name, (v, low, high) in triples.items()]


def versus(technique, value, low, high, control):
    """The paired difference of accuracy to a control."""
    return measured(technique, "accuracy_vs_control", value, low=low, high=high, control=control)


RUN = [
    *figures(
        "baseline", accuracy=(0.99, 0.98, 0.995), artefact_bytes=900_000, speedup=(1.0, 0.99, 1.01), throughput=1000.0
    ),
    *figures("baseline", macs=2e6, peak_memory_inference=8e6, train_seconds=(10.0, 9.5, 10.5)),
    *figures("static_int8", accuracy=(0.989, 0.979, 0.994), artefact_bytes=225_000, speedup=(2.0, 1.9, 2.1), macs=2e6),
    *figures("static_int8", peak_memory_inference=6e6, train_seconds=(10.0, 9.5, 10.5)),
    versus("static_int8", -0.001, -0.003, 0.001, "baseline"),
    *figures(PRUNED, accuracy=(0.97, 0.96, 0.98), artefact_bytes=180_000, speedup=(2.5, 2.4, 2.6), macs=1e6),
    *figures(PRUNED, peak_memory_inference=4e6, train_seconds=(13.0, 12.6, 13.4)),
    versus(PRUNED, -0.02, -0.03, -0.01, CONTROL),
    *figures(CONTROL, accuracy=(0.99, 0.98, 0.995), artefact_bytes=900_000, speedup=(1.0, 0.99, 1.01)),
    versus(CONTROL, 0.001, -0.002, 0.004, "baseline"),
]

UNAVAILABLE = CellFailure(
    cell=Cell(workload=WORKLOAD, technique="pure_fp16", device=DEVICE),
    group="speed",
    kind="unavailable",
    reason="no fp16 kernels",
)
