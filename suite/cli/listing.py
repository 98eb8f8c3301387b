"""`suite list`: what can be measured, and what is expected of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from suite.bench.combinations import combinations
from suite.cli.command import SET_UP, Command, load_everything
from suite.core.composition import BASELINE
from suite.core.exit_codes import EXIT_PASS
from suite.core.machine.needs import NEEDS, device_types, missing_need
from suite.core.metrics import METRICS, place
from suite.registry import REGISTRY, Registry, Technique
from suite.registry.settings import found_expect_dir, shipped_expectations

FAMILIES = (
    *("precision", "layout", "compilation", "memory", "optimizer", "schedule", "training", "batch", "data loading"),
    *("pruning", "quantization", "teacher and student", "structure", "dynamic inference", "multi-task"),
)  # in the order in which they are listed; others come behind


def lines(
    registry: Registry, what: str | None, directories: Sequence[Path], *, device: str | None = None
) -> Iterator[str]:
    """One line for each workload, technique, metric or expectation; without ``what``, workloads and techniques.

    Techniques are listed by family, with the types of device that they exist on; with a ``device`` also with what it
    lacks for them.
    """
    if what in (None, "workloads"):
        yield "workloads"
        declared = [(w.name, w.about) for w in registry.workloads.values()]
        by_name = [(f"{family.prefix}<name>", family.about) for family in registry.families]
        yield from _aligned((f"  {name}", about) for name, about in (*declared, *by_name))
    if what in (None, "techniques"):
        yield "techniques"
        yield from _techniques(registry, device)
    if what == "combinations":
        yield from _aligned(combinations(registry, Path.cwd()).items())
    if what == "metrics":
        yield from _aligned(
            (m.name, m.unit, m.better, m.tier, m.about) for m in sorted(METRICS.values(), key=lambda m: place(m.name))
        )
    if what == "expectations":
        yield from _expectations(directories)


def _techniques(registry: Registry, device: str | None) -> Iterator[str]:
    found = registry.techniques.values()
    order = {family: at for at, family in enumerate(dict.fromkeys((*FAMILIES, *(one.family for one in found))))}
    listed = sorted(found, key=lambda one: (one.name != BASELINE, order[one.family]))
    rows = _aligned(_technique(registry, one) for one in listed)
    family = None
    for one, row in zip(listed, rows, strict=True):
        if one.family != family and one.name != BASELINE:
            family = one.family
            yield f" {family}"
        yield row
        lacks = [reason for need in one.needs if (reason := _lacking(need, device))]
        yield from (f"      unavailable here: {reason}" for reason in lacks[:1])


def _technique(registry: Registry, one: Technique) -> tuple[str, str, str]:
    return f"  {registry.canonical(one.name)}", ", ".join(device_types(one.needs)) or "any", one.about


def _lacking(need: object, device: str | None) -> str | None:
    """The need that ``device`` lacks; the workload's own needs are checked with the workload."""
    return missing_need(need, device) if device is not None and isinstance(need, str) and need in NEEDS else None


def _aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines whose columns, but for the last, are as wide as their widest text."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield " ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _expectations(directories: Sequence[Path]) -> Iterator[str]:
    from suite.gate import load_both

    for directory in dict.fromkeys(folder.resolve() for folder in directories if folder.is_dir()):
        entries, shapes = load_both(directory)
        for e in entries:
            low = "" if e.low is None else f" >= {e.low:g}"
            high = "" if e.high is None else f" <= {e.high:g}"
            yield f"{e.level} {e.workload} {e.technique} {e.metric} = {e.value:g}{low}{high} ({e.path}:{e.line})"
        for shape in shapes:
            what = f"{shape.metric} {shape.shape} along {shape.along}, slack {shape.slack:g}"
            yield f"{shape.level} {shape.workload} {shape.technique} {what} ({shape.path}:{shape.line})"


def _add_list(parser: argparse.ArgumentParser) -> None:
    kinds = ("workloads", "techniques", "combinations", "metrics", "expectations")
    parser.add_argument("what", choices=kinds, nargs="?")
    for kind in kinds:
        parser.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=argparse.SUPPRESS)
    parser.add_argument("--device", default="auto", help="the device that techniques may be unavailable on")
    parser.add_argument("--expect-dir", type=Path)
    parser.add_argument("--load", action="append", default=[])
    parser.set_defaults(run=_list)


def _list(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """One line for each thing, with what it is."""
    from suite.core.machine.hardware import resolve_device

    load_everything(parsed.load)
    directories = [parsed.expect_dir or found_expect_dir(), shipped_expectations()]
    for line in lines(REGISTRY, parsed.what or parsed.kind, directories, device=resolve_device(parsed.device)):
        print(line)
    return EXIT_PASS


COMMANDS = (
    Command(
        name="list",
        help="list workloads, techniques or metrics",
        add=_add_list,
        example="suite list techniques",
        section=SET_UP,
        rank=8,
    ),
)
