"""A fresh process that measures one cell: ``python -P -m suite.run.worker REQUEST.json``.

The request names the cell, the modules to load and a file with the trained weights; the recipe is rebuilt here from
the cell's canonical name. The answer is written beside the request.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from suite.records import Cell
from suite.training.recipe import Split, Splits


def main(path: Path) -> None:
    """Carry out the request in ``path`` and write ``path`` with the suffix ``.answer``."""
    began = perf_counter()
    request = json.loads(path.read_text("utf-8"))
    from suite.machine import quiet  # torch must see the environment first

    quiet.pin()
    quiet.apply_threads()
    answer = TASKS[request["task"]](request, Cell(**request["cell"]))
    answer["seconds"] = perf_counter() - began
    path.with_suffix(".answer").write_text(json.dumps(answer), "utf-8")


def _speed(request: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """The median ratios of this process, by metric."""
    from suite.measure import speed

    rebuilt = _Rebuilt(request, cell)
    budget = speed.Budget(**request["budget"])
    sides = speed.serving_sides(rebuilt.base, rebuilt.technique, is_baseline=rebuilt.is_baseline)
    inputs, seed = rebuilt.inputs(request["batch"]), request["seed"]
    timed = speed.inference(cell, sides, inputs, budget=budget, seed=seed, saturating=request["saturating"])
    found = list(timed.measurements)
    if request["training"]:
        base, recipe = rebuilt.base.recipe, rebuilt.technique.recipe
        timed = speed.training(cell, base, recipe, reference=rebuilt.reference, budget=budget, seed=request["seed"])
        found += timed.measurements
    return {
        "measurements": [
            {"metric": m.metric, "value": m.value, "low": m.low, "high": m.high, "n": m.n, "suspect": m.suspect}
            for m in found
        ]
    }


def _rss(request: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """Bytes by which serving a batch raises the peak resident set above that of the process with its network."""
    from suite.training.serving import serve

    rebuilt = _Rebuilt(request, cell)
    served = serve(rebuilt.technique)
    inputs = served.prepare_inputs(rebuilt.inputs(request["batch"]))
    before = _peak_rss()
    for _ in range(3):
        served(inputs)
    return {"rise": _peak_rss() - before}


def _compile(request: dict[str, Any], cell: Cell) -> dict[str, Any]:
    """Seconds of the first call: of serving, and of a training step where training is compiled."""
    from suite.measure.speed import training_step
    from suite.training.serving import serve

    rebuilt = _Rebuilt(request, cell)
    served = serve(rebuilt.technique)  # quantizing is no compilation
    inputs = served.prepare_inputs(rebuilt.inputs(request["batch"]))
    began = perf_counter()
    if request["training"]:
        training_step(rebuilt.technique.recipe, device=cell.device, reference=rebuilt.reference)
    served(inputs)
    return {"first_call": perf_counter() - began}


TASKS = {"speed": _speed, "rss": _rss, "compile": _compile}


class _Rebuilt:
    """The baseline and the technique of a cell with the weights that the parent trained."""

    def __init__(self, request: dict[str, Any], cell: Cell) -> None:
        import torch

        from suite.composition import BASELINE
        from suite.registry import REGISTRY
        from suite.run.store import TrainedStore
        from suite.training.devices import select_device

        for module in request["load"]:
            REGISTRY.load(module)
        select_device(cell.device)
        weights = torch.load(request["weights"], weights_only=True)
        splits = Splits(**{part: Split(inputs=i, targets=t) for part, (i, t) in weights["data"].items()})
        store = TrainedStore(registry=REGISTRY, device=cell.device, trains=False, splits=splits)
        self.is_baseline = cell.technique == BASELINE
        self.base = store.get(cell.workload, BASELINE, 0)
        self.technique = store.get(cell.workload, cell.technique, 0)
        self.base.network.load_state_dict(weights["base"])
        self.technique.network.load_state_dict(weights["technique"])
        self.reference = lambda composition: store.get(cell.workload, composition, 0).network
        self._inputs = splits.test.inputs

    def inputs(self, batch: int) -> Any:
        from suite.training.serving import fill_up

        return fill_up(self._inputs, batch)


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
