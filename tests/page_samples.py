"""Made-up runs for the page: any number of cells, all kinds of verdict, and names that try to be something else."""

import random
from dataclasses import replace

from samples import RUN, UNAVAILABLE, figures, header, measured

from suite.core.records import Cell, CellFailure, Expectation, GroupEnd, Reason, RunEnd, Verdict, VerdictKind, Where
from suite.report.history.file import remember
from suite.report.results.folder import RunFolder

HOSTILE = "<img src=x onerror=alert(1)>`**bold**`\x1b[31m\u202e<b>"
METRICS = (
    "accuracy", "accuracy_vs_control", "artefact_bytes", "entropy_bytes", "parameters", "nonzero_parameters", "macs",
    "speedup", "speedup_b1", "speedup_saturated", "train_step_speedup", "throughput", "latency_p50", "latency_p99",
    "output_error", "train_seconds", "held_memory_inference", "peak_memory_inference", "held_memory_training",
    "peak_memory_training",
)  # fmt: skip
FAMILIES = ("pruning", "quantization", "compilation", "training", "architecture")
KINDS = {f"{family}_{number}": family for family in FAMILIES for number in range(9)}
CEILINGS = {"float32": 50e9, "bfloat16": 180e9, "copy": 10e9}
VERDICTS = (*[VerdictKind.PASS] * 16, VerdictKind.REGRESSED, VerdictKind.INCONCLUSIVE, VerdictKind.UNVERIFIED)


def expected(found, **fields):
    """A stored entry that the measurement answers."""
    plain = {
        "workload": found.cell.workload, "technique": found.cell.technique, "metric": found.metric, "level": "any",
        "value": found.value, "unit": found.unit, "better": found.better, "tier": found.tier, "low": found.value * 0.95,
        "path": "expectations/any/digits_cnn.toml", "line": 7,
    }  # fmt: skip
    return Expectation(**{**plain, **fields})


def judged(found, kind=VerdictKind.PASS, **fields):
    """A verdict on the measurement."""
    plain = {"expectation": expected(found), "reason": "" if kind is VerdictKind.PASS else f"made up to be {kind}"}
    return Verdict(
        kind=kind, cell=found.cell, metric=found.metric, group=found.group, measurement=found, **{**plain, **fields}
    )


def many_measurements(count, *, seed=0, workloads=20):
    """``count`` measurements of 20 metrics a cell, spread over workloads, each with the baseline as its first cell."""
    draw, cells = random.Random(seed), -(-count // len(METRICS))  # noqa: S311  # made-up values
    found = []
    for number in range(cells):
        workload, place = f"workload_{number % workloads}", number // workloads
        technique = f"{FAMILIES[place % 5]}_{place % 9}(share={place})" if place else "baseline"
        found += [_made(draw, workload, technique, metric) for metric in METRICS]
    return found[:count]


def _made(draw, workload, technique, metric):
    value = draw.lognormvariate(0, 0.4)
    if metric == "accuracy":
        value = 0.9 + 0.09 * draw.random()
    elif metric == "accuracy_vs_control":
        value = draw.gauss(-0.003, 0.005)
    elif metric.endswith(("bytes", "parameters", "macs")) or "memory" in metric:
        value = round(value * 1e6)
    timed = "speedup" in metric or metric.startswith("accuracy")
    half = 0.01 * abs(value) + 0.001 if timed else None
    ends = {} if half is None else {"low": value - half, "high": value + half, "confidence": 0.99}
    return measured(technique, metric, value, workload=workload, control="baseline", **ends)


def write_run(reports, measurements, *, verdicts=(), failures=(), ended=True, **fields):
    """A results folder that holds these records."""
    names = sorted({found.cell.workload for found in measurements})
    scores = dict.fromkeys(names, ("accuracy",))
    folder = RunFolder.create(reports, header(**{"scores": scores, **fields}))
    folder.append(*measurements, *failures, *verdicts)
    if ended:
        folder.end(RunEnd(groups=1, done=1, whole=True, code=0))
    return folder


def many(reports, count, **fields):
    """A run of ``count`` measurements with a verdict for each."""
    draw, found = random.Random(1), many_measurements(count)  # noqa: S311  # made-up values
    return write_run(reports, found, verdicts=[judged(one, draw.choice(VERDICTS)) for one in found], **fields)


def small(reports, **fields):
    """Three cells and the baseline: one regression, one cell that cannot run here."""
    by_name = {(one.cell.technique, one.metric): one for one in RUN}
    slow = by_name["static_int8", "speedup"]
    stored = expected(slow, value=2.4, low=2.2)
    regressed = judged(slow, VerdictKind.REGRESSED, expectation=stored, code=Reason.BELOW, detectable=0.03)
    passed = judged(by_name["static_int8", "accuracy"])
    failed = Verdict(
        kind=VerdictKind.UNAVAILABLE, cell=UNAVAILABLE.cell, metric="", group="speed", reason=UNAVAILABLE.reason
    )
    details = {"verdicts": [regressed, passed, failed], "failures": [UNAVAILABLE], **fields}
    return write_run(reports, RUN, **details)


def with_everything(reports, **fields):
    """Three runs with a history; the last has 150 cells, a sweep, raw samples, energies, all kinds of verdict."""
    for day in (21, 22, 23):
        folder = write_run(reports, RUN, run=f"run-{day}", started=f"2026-11-{day}T00:00:00+00:00", **fields)
        remember(folder, reports)
    found = [
        replace(one, samples=f"{one.cell}-inference" if one.metric == "speedup" else None) for one in _everything()
    ]
    draw = random.Random(2)  # noqa: S311  # made-up values
    further = {"families": KINDS, "ceilings": CEILINGS, "energy": "intel-rapl:0 package-0"}
    verdicts = [judged(one, draw.choice(VERDICTS), detectable=0.05) for one in found]
    verdicts[0] = judged(found[0], VerdictKind.REGRESSED, reason="below its bound", code=Reason.BELOW)
    folder = write_run(reports, found, verdicts=verdicts, failures=[UNAVAILABLE], **{**further, **fields})
    for one in found[:200]:
        if one.samples:
            ratios = [one.value * draw.lognormvariate(0, 0.02) for _ in range(40)]
            folder.write_samples(one.samples, {"seconds_baseline": ratios, "seconds_technique": [1.0] * len(ratios)})
    return folder


def _everything():
    swept = [
        one
        for ratio in (0.25, 0.5, 0.75, 0.9)
        for one in figures(
            f"structured_pruning(ratio={ratio})", accuracy=(0.99 - ratio / 50, 0.985 - ratio / 50, 0.994 - ratio / 50),
            artefact_bytes=round(900_000 * (1 - ratio)), speedup=(1 + ratio, 0.98 + ratio, 1.02 + ratio),
        )
    ]  # fmt: skip
    beside = [one for name in ("baseline", "static_int8") for one in _counted(name)]
    return [*RUN, *swept, *beside, *many_measurements(2800, workloads=1)]


def _counted(technique):
    """What the roofline and the axis of energy need."""
    return [
        measured(technique, "moved_bytes", 64e6, conditions={"batch": 64}), measured(technique, "throughput", 1500.0),
        measured(technique, "energy_per_item", 0.01 if technique == "baseline" else 0.004),
    ]  # fmt: skip


def elsewhere(machine):
    """The header's place on another machine."""
    return Where(machine=machine, family="cpu-x86_64-avx512", device="cpu", threads=2)


def hostile(reports):
    """A run whose technique, command and reasons hold HTML, Markdown and control characters."""
    found = [replace(one, cell=replace(one.cell, technique=_spoilt(one.cell.technique))) for one in RUN]
    verdicts = [
        judged(one, VerdictKind.REGRESSED, reason=f"because {HOSTILE}") for one in found if one.metric == "speedup"
    ]
    failure = CellFailure(
        cell=Cell(workload="digits_cnn", technique=HOSTILE, device="cpu"), group="speed", kind="error", reason=HOSTILE
    )
    return write_run(reports, found, verdicts=verdicts, failures=[failure], command=f"suite bench </script>{HOSTILE}")


def _spoilt(technique):
    return technique if technique == "baseline" else f"{technique}{HOSTILE}"


def unfinished(reports):
    """A run that was killed after one of its two groups."""
    found = RUN[:3]
    end = GroupEnd(cell=found[0].cell, group=found[0].group, metrics=1)
    folder = RunFolder.create(reports, header(groups=2))
    folder.append(*found, end)
    return folder
