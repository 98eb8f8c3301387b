"""A fresh process that measures one cell: ``python -P -m suite.bench.workers.worker REQUEST.json``.

The request names the cell, the modules to load and the files with the finished networks and the data; the recipe is
rebuilt here from the cell's canonical name. The answer is written beside the request.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

from suite.core.records import Cell, Measurement


def main(path: Path) -> None:
    """Carry out the request in ``path`` and write ``path`` with the suffix ``.answer``."""
    began = perf_counter()
    request = json.loads(path.read_text("utf-8"))
    from suite.core.machine import quiet  # torch must see the environment first

    quiet.pin()
    quiet.apply_threads()
    answer = TASKS[request["task"]](request, Cell(**request["cell"]))
    answer["seconds"] = perf_counter() - began
    path.with_suffix(".answer").write_text(json.dumps(answer), "utf-8")


def _speed(request: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """The median ratios of this process, by metric."""
    from suite.measure import speed
    from suite.measure.arms import serving_arms

    rebuilt = _Rebuilt(request, cell)
    case, budget, seed = rebuilt.case, speed.SamplingBudget(**request["budget"]), request["seed"]
    bounds = request["bounds"]
    found: list[Measurement] = []
    if "inference" in request["parts"]:
        sides = serving_arms(rebuilt.base, rebuilt.technique, is_baseline=case.composition.is_baseline)
        found += speed.inference(
            cell, sides, batch=case.batch, budget=budget, seed=seed, saturating=request["saturating"], bounds=bounds,
            judged=rebuilt.judged,
        ).measurements  # fmt: skip
    if "training" in request["parts"]:
        base, recipe = rebuilt.base.recipe, rebuilt.technique.recipe
        found += speed.training(
            cell, base, recipe, reference=rebuilt.reference, budget=budget, seed=seed, bounds=bounds
        ).measurements
    return {"measurements": [_row(measurement) for measurement in found]}


def _row(found: Any) -> dict[str, Any]:
    kept = ("metric", "value", "low", "high", "confidence", "n", "suspect", "null", "note")
    return {name: getattr(found, name) for name in kept} | {"conditions": dict(found.conditions)}


def _rss(request: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """Bytes by which serving a batch raises the peak resident set above that of the process with its network."""
    from suite.training.serving import serve

    rebuilt = _Rebuilt(request, cell)
    served = serve(rebuilt.technique)
    inputs = served.prepare_inputs(rebuilt.inputs())
    before = _forget_peak()
    served.settle()
    for _ in range(3):
        served(inputs)
    return {"rise": max(0, _peak_rss() - before)}


def _compile(request: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """Seconds of the first call: of serving, and of a training step where training is compiled."""
    from suite.measure.step import training_step
    from suite.training.devices import synchronize
    from suite.training.serving import serve

    rebuilt = _Rebuilt(request, cell)
    served = serve(rebuilt.technique)  # quantizing is no compilation
    inputs = served.prepare_inputs(rebuilt.inputs())
    served.settle()
    synchronize(cell.device)
    began = perf_counter()
    if "prepare" in rebuilt.case.composition.slots:
        training_step(rebuilt.technique.recipe, device=cell.device, reference=rebuilt.reference)
    served(inputs)
    synchronize(cell.device)
    return {"first_call": perf_counter() - began}


TASKS = {"speed": _speed, "rss": _rss, "compile": _compile}


class _Rebuilt:
    """The baseline and the technique of a cell, with the networks that the parent finished."""

    def __init__(self, request: dict[str, Any], cell: Cell) -> None:
        from suite.bench.resolved_cell import case
        from suite.bench.trained_store import TrainedStore
        from suite.bench.workers.payload import read
        from suite.core.machine import flags
        from suite.registry import REGISTRY
        from suite.training.devices import select_device
        from suite.training.loop import Trained

        for module in request["load"]:
            REGISTRY.load(module)
        flags.write(request["flags"])
        select_device(cell.device)
        workload = REGISTRY.find_workload(cell.workload)
        self.case = case(REGISTRY, workload, cell.technique, cell.device, request.get("batch"))
        store = TrainedStore(registry=REGISTRY, device=cell.device, trains=False, splits=read(request["data"], "cpu"))
        recipes = (store.recipe(workload, found, 0) for found in (REGISTRY.baseline, self.case.composition))
        self.base, self.technique = (
            Trained(recipe=recipe, network=read(request[name], cell.device), device=cell.device, seed=0, seconds=0.0)
            for name, recipe in zip(("base", "technique"), recipes, strict=True)
        )
        self.reference = store.reference(workload, 0)
        self.judged = read(request["judged"], "cpu") if "judged" in request else {}

    def inputs(self) -> Any:
        """A served batch of the technique's own test inputs."""
        from suite.training.trees import fill_up

        return fill_up(self.technique.recipe.data().test.inputs, self.case.batch)


def _forget_peak() -> int:
    """Let the peak start from what is resident now, where Linux allows it; returns where it starts, in bytes.

    Loading the network and the data has a peak of its own, which would hide that of serving.
    """
    with suppress(OSError):  # another system, or a kernel without it: the rise is then that above everything before
        Path("/proc/self/clear_refs").write_text("5", "utf-8")
    return _peak_rss()


def _peak_rss() -> int:
    """Peak resident set of this process in bytes.

    On Linux ``VmHWM``: ``ru_maxrss`` is inherited through fork and exec, so a child would start at its parent's peak.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource  # not on every platform, and needed by this task alone

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
