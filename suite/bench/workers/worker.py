"""A fresh process that measures one cell: ``python -P -m suite.bench.workers.worker REQUEST``.

The request names the cell, the modules to load and the files with the finished networks and the data; the recipe is
rebuilt here from the cell's canonical name. The answer is written beside the request.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from suite.core.records import Measurement

if TYPE_CHECKING:
    from suite.bench.workers.protocol import WorkerAnswer, WorkerRequest


def main(path: Path) -> None:
    """Carry out the request in ``path`` and write ``path`` with the suffix ``.answer``."""
    from suite.core.machine import quiet  # torch must see the environment first

    quiet.pin()
    quiet.apply_threads()
    from suite.bench.workers.protocol import WorkerRequest
    from suite.core.transport import from_line, to_line

    request = from_line(path.read_text("utf-8"), WorkerRequest)
    answer = TASKS[type(request.task).__name__](request)
    path.with_suffix(".answer").write_text(to_line(answer), "utf-8")


def _speed(request: WorkerRequest) -> WorkerAnswer:
    """The median ratios of this process."""
    from suite.bench.workers.protocol import Speed, WorkerAnswer
    from suite.core import garbage
    from suite.measure import speed
    from suite.measure.arms import serving_arms

    task, rebuilt = request.task, _Rebuilt(request)
    assert isinstance(task, Speed)  # noqa: S101  # the table of tasks is by type
    case = rebuilt.case
    garbage.set_aside()
    measurements: list[Measurement] = []
    if "inference" in task.parts:
        arms = serving_arms(rebuilt.base, rebuilt.technique, is_baseline=case.composition.is_baseline)
        measurements += speed.inference(
            request.cell, arms, batch=case.batch, budget=task.budget, seed=task.seed, saturating=task.saturating,
            bounds=task.bounds, judged=rebuilt.judged,
        ).measurements  # fmt: skip
    if "training" in task.parts:
        measurements += speed.training(
            request.cell, rebuilt.base.recipe, rebuilt.technique.recipe, reference=rebuilt.reference,
            budget=task.budget, seed=task.seed, bounds=task.bounds,
        ).measurements  # fmt: skip
    return WorkerAnswer(measurements=tuple(measurements))


def _resident_set(request: WorkerRequest) -> WorkerAnswer:
    """Bytes by which serving a batch raises the peak resident set above that of the process with its network."""
    from suite.bench.workers.protocol import WorkerAnswer
    from suite.training.serving import serve

    rebuilt = _Rebuilt(request)
    served = serve(rebuilt.technique)
    inputs = served.prepare_inputs(rebuilt.inputs())
    before = _forget_peak()
    served.settle()
    for _ in range(3):
        served(inputs)
    return WorkerAnswer(value=max(0, _peak_rss() - before))


def _first_call(request: WorkerRequest) -> WorkerAnswer:
    """Seconds of the first call: of serving, and of a training step where training is compiled."""
    from suite.bench.workers.protocol import WorkerAnswer
    from suite.measure.step import training_step
    from suite.training.devices import synchronize
    from suite.training.serving import serve

    device, rebuilt = request.cell.device, _Rebuilt(request)
    served = serve(rebuilt.technique)  # quantizing is no compilation
    inputs = served.prepare_inputs(rebuilt.inputs())
    served.settle()
    synchronize(device)
    began = perf_counter()
    if "prepare" in rebuilt.case.composition.slots:
        training_step(rebuilt.technique.recipe, device=device, reference=rebuilt.reference)
    served(inputs)
    synchronize(device)
    return WorkerAnswer(value=perf_counter() - began)


def _instructions(request: WorkerRequest) -> WorkerAnswer:
    """Files of the counts of a served item, a served batch and a training step."""
    from suite.bench.workers.protocol import Instructions, WorkerAnswer
    from suite.measure.counting.callgrind import LONG, WARM_UP, Callgrind
    from suite.measure.sampler.options import nothing
    from suite.measure.step import training_step
    from suite.training.serving import serve
    from suite.training.trees import take

    task, rebuilt = request.task, _Rebuilt(request)
    assert isinstance(task, Instructions)  # noqa: S101  # the table of tasks is by type
    counter, served = Callgrind(task.library, task.out), serve(rebuilt.technique)
    served.settle()
    batch = rebuilt.inputs()
    inputs = {"instructions_b1": (1, WARM_UP), "instructions": (rebuilt.case.batch, LONG)}
    dumps: dict[str, tuple[str, ...]] = {}
    for name, (items, warm_up) in inputs.items():
        placed = served.prepare_inputs(take(batch, slice(items)))
        dumps[name] = tuple(counter.counted(partial(served, placed), nothing, warm_up=warm_up))
    if task.training:
        step = training_step(rebuilt.technique.recipe, device=request.cell.device, reference=rebuilt.reference)
        dumps["training_instructions"] = tuple(counter.counted(step, step.reset, warm_up=LONG))
    return WorkerAnswer(dumps=dumps)


TASKS = {"Speed": _speed, "ResidentSet": _resident_set, "FirstCall": _first_call, "Instructions": _instructions}


class _Rebuilt:
    """The baseline and the technique of a cell, with the networks that the parent finished."""

    def __init__(self, request: WorkerRequest) -> None:
        from suite.bench.resolved_cell import case
        from suite.bench.trained_store import TrainedStore
        from suite.bench.workers.payload import read
        from suite.core.machine import flags
        from suite.registry import REGISTRY
        from suite.training.devices import select_device
        from suite.training.loop import Trained

        cell, sent = request.cell, request.sent
        for module in request.load:
            REGISTRY.load(module)
        flags.write(request.flags)
        select_device(cell.device)
        workload = REGISTRY.find_workload(cell.workload)
        self.case = case(REGISTRY, workload, cell.technique, cell.device, request.items)
        store = TrainedStore(registry=REGISTRY, device=cell.device, trains=False, splits=read(sent.data, "cpu"))
        recipes = (store.recipe(workload, found, 0) for found in (REGISTRY.baseline, self.case.composition))
        self.base, self.technique = (
            Trained(recipe=recipe, network=read(path, cell.device), device=cell.device, seed=0, seconds=0.0)
            for path, recipe in zip((sent.base, sent.technique), recipes, strict=True)
        )
        self.reference = store.reference(workload, 0)
        self.judged = {} if sent.judged is None else read(sent.judged, "cpu")

    def inputs(self) -> Any:
        """A served batch of the technique's own test inputs."""
        from suite.training.trees import fill_up

        return fill_up(self.technique.recipe.data().test.inputs, self.case.batch)


def _forget_peak() -> int:
    """Reset the peak to the current resident set, if Linux allows it; returns the start in bytes.

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
