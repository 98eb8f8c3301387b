"""`suite profile`: a cell under torch's profiler, NVIDIA's or py-spy, and what limits it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from suite.analysis.advise import tensorboard
from suite.analysis.profile import describe, roofline, tools
from suite.analysis.profile.bottleneck import Bottleneck, analyse
from suite.analysis.profile.recording import Recording, record
from suite.analysis.profile.work import work
from suite.analysis.profile.worker import ProfileRequest
from suite.bench.resolved_cell import Case
from suite.bench.trained_store import TrainedStore
from suite.core.errors import ResultsError, SetupError
from suite.core.transport import to_line
from suite.measure.ceilings import Ceilings, ceilings
from suite.registry import Registry
from suite.training.devices import select_device

TOOLS = ("torch", "nsys", "py-spy")
SHOWN = 8  # operators in the plot
SECONDS = 20.0  # that a sampling profiler looks


def bottleneck(registry: Registry, case: Case, what: str, *, trace: Path | None = None) -> tuple[Bottleneck, Recording]:
    """Record a cell, untrained (weights do not matter for time), and say what limits it."""
    select_device(case.cell.device)
    store = TrainedStore(registry=registry, device=case.cell.device, trains=False)
    recording = record(work(case, store, what), trace=trace)
    return analyse(recording, ceilings(case.cell.device)), recording


def with_torch(registry: Registry, case: Case, what: str, *, out: Path, board: Path | None = None) -> Iterator[str]:
    """Profile with torch; writes ``trace.json``, ``bottleneck.json`` and, with matplotlib, ``roofline.png``."""
    if board is not None:
        tensorboard.require()  # before minutes are spent
    made_folder(out)
    found, recording = bottleneck(registry, case, what, trace=out / "trace.json")
    best = ceilings(case.cell.device)
    yield from describe.lines(found, recording, best)
    yield ""
    yield describe.table(found)
    yield ""
    (out / "bottleneck.json").write_text(json.dumps(describe.as_json(found), indent=2) + "\n", "utf-8")
    yield str(out / "trace.json")
    yield str(out / "bottleneck.json")
    yield _plotted(found, best, out / "roofline.png")
    if board is not None:
        tensorboard.write(board, found, out / "trace.json")
        yield f"tensorboard --logdir {board}"


def _plotted(found: Bottleneck, best: Ceilings, path: Path) -> str:
    longest = sorted(found.kernels, key=lambda kernel: -kernel.mark.seconds)[:SHOWN]
    marks = [replace(kernel.mark, name=kernel.mark.name.removeprefix("aten::")) for kernel in longest]
    try:
        return str(roofline.plot([*marks, found.total], best, path, title=f"Roofline of {found.name}"))
    except SetupError as missing:
        return f"no roofline.png: {missing}"


def with_program(case: Case, what: str, tool: str, *, out: Path, load: list[str]) -> Iterator[str]:
    """Run the cell in a process of its own under ``nsys`` or ``py-spy``; yields the file that the tool wrote."""
    path = tools.program(tool)
    made_folder(out)
    request = to_line(ProfileRequest(cell=str(case), what=what, seconds=SECONDS, load=tuple(load)))
    worker = [sys.executable, "-P", "-m", "suite.analysis.profile.worker", request]
    target = out / ("profile.nsys-rep" if tool == "nsys" else "profile.svg")
    done = subprocess.run([path, *_options(tool, target), *worker], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0 or not target.exists():
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise SetupError(f"{tool} ended with {done.returncode}: {said[-1] if said else 'it printed nothing'}")
    yield str(target)


def _options(tool: str, target: Path) -> list[str]:
    if tool == "nsys":
        return ["profile", "--trace=cuda,nvtx,osrt", "--force-overwrite=true", f"--output={target.with_suffix('')}"]
    return ["record", "--output", str(target), "--subprocesses", "--"]


def made_folder(path: Path) -> None:
    """Make a folder for results. Raises `ResultsError` where that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultsError(f"cannot write to {path}: {error.strerror}; give another folder with --out") from error
