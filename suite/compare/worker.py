"""One side of a comparison: builds a cell and calls it on request. ``python -P worker.py REQUEST.json``.

This file is always the driver's: both sides are timed by the same lines, whatever version of the suite they bring. From
their own side come `suite` itself, the user's modules and every package; `suite` of that side only builds the cell
(registry, recipe, trained and served network) and measures no time.

Questions come on standard input, answers leave on standard output, as lines of `suite.compare.protocol`; what libraries
print goes to standard error.

Loading takes seconds, and a process keeps its random memory layout until it ends. So a loaded process forks if that is
safe: each child serves the network in new memory, answers and exits.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import os
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from pathlib import Path
from time import perf_counter, process_time, time_ns
from typing import IO, TYPE_CHECKING, Any

if sys.platform != "win32":
    import resource

WARM_UP = 3
TRIES = 3
PLACES = Path(__file__).parents[1] / "measure" / "sampler" / "memory_layout.py"  # the driver's too, and of torch alone
ANSWERS = Path(__file__).with_name("answers.py")  # likewise
COUNTING = Path(__file__).parents[1] / "measure" / "counting"  # likewise
IMAGE = Path(__file__).with_name("preloaded.py")  # the program of a worker that was forked
PROTOCOL = Path(__file__).with_name("protocol.py")  # of the standard library alone
LOOKED_AT = 0.05  # of the timed turns, at random
LONGEST_CALIBRATION = 2.0  # seconds; a call that takes longer is timed once
STOLEN = 0.02  # of a turn's wall time that the process did not run
LARGEST_DATA = 1 << 28  # bytes that are handed from process to process in a file
PIECES, LARGEST = 1000, 1 << 16  # of memory that is scattered, and bytes of one
BY_SIGNAL = 128  # as shells tell the end by a signal
ENDED = 99  # the exit code of a child that was told to end; with any other one a question is left unanswered
PR_SET_PDEATHSIG, SIGKILL = 1, 9  # prctl(2)
TASKS = Path("/proc/self/task")
FORK_SAFE = {"jemalloc_bg_thd"}  # of pyarrow, which pandas and scikit-learn load: jemalloc stops it around a fork


def _driver_module(path: Path) -> Any:
    """The driver's module of that file, whatever the version of `suite` on this side."""
    name = f"_driver_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None  # noqa: S101  # the file is there
        assert spec.loader is not None  # noqa: S101  # it is Python
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


if TYPE_CHECKING:
    from suite.compare import protocol
else:
    protocol = _driver_module(PROTOCOL)


def main(path: Path) -> None:
    """Announce the cell, then answer until standard input ends."""
    channel = _private_stdout()
    request = protocol.question(path.read_text("utf-8"))
    die_with_parent()
    pin()
    try:
        side = _Side(request)
        ready = side.ready()
    except Exception as error:  # noqa: BLE001  # a user's code may raise anything; the driver says it for this cell
        _say(channel, _failure(error))
        return
    _say(channel, ready)
    gc.collect()
    gc.freeze()
    for asked in _questions():
        if not getattr(asked, "forked", False):
            _answer(side, channel, asked)
        elif child := _fork():
            _wait(child)
            _say(channel, protocol.Done())  # to the question that ended it
        else:
            _live(side, channel, asked)


def _questions() -> Iterator[protocol.Question]:
    """Parent and children read the same pipe: one question is written at a time, so no process buffers another's."""
    return map(protocol.question, sys.stdin)


def _answer(side: _Side, channel: IO[str], asked: protocol.Question) -> None:
    _say(channel, getattr(side, type(asked).__name__.lower())(asked))


def _fork() -> int:
    """As `os.fork`, which reseeds `random`: the state is restored so that the children of both sides draw the same."""
    state = random.getstate()
    child = os.fork()
    random.setstate(state)
    return child


def _live(side: _Side, channel: IO[str], asked: protocol.Question) -> None:
    """A child's loop: it answers until the question `End`, or until its driver is gone."""
    code = ENDED
    try:
        die_with_parent()
        _answer(side, channel, asked)
        for question in _questions():
            if isinstance(question, protocol.End):
                break
            _answer(side, channel, question)
    except BaseException:  # noqa: BLE001  # whatever it is, the parent's loop must not go on in the child
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _wait(child: int) -> None:
    """Wait until the child has exited; if it failed, its parent ends with the same code."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != ENDED:
        sys.exit(BY_SIGNAL - code if code < 0 else code or 1)


def die_with_parent() -> None:
    """End when the process that started this one does, however it is killed; the driver is at the top."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)


def can_fork(device: str) -> bool:
    """Whether a fork is safe: a device's context and other threads' locks do not survive it."""
    if device != "cpu" or sys.platform != "linux" or _threads() > 1:
        return False
    names = [(task / "comm").read_text("utf-8").strip() for task in TASKS.glob("*")]
    return sum(name not in FORK_SAFE for name in names) == 1


def _private_stdout() -> IO[str]:
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return private


def _say(channel: IO[str], answer: object) -> None:
    channel.write(protocol.line(answer) + "\n")
    channel.flush()


def _failure(error: Exception) -> protocol.Failed:
    kind = type(error).__name__
    return protocol.Failed(error=f"{kind}: {' '.join(str(error).split())}", kind=kind)


def _scattered() -> list[bytearray]:
    """Allocate pieces of random sizes, keep half of them: later allocations get random addresses.

    Otherwise two sides that differ in one byte, such as the length of a path, have different memory layouts. The
    difference would be the same in all of their processes. Sizes are equally likely on a logarithmic scale, for the
    allocators of Python and of the C library. The idea is that of Curtsinger and Berger, STABILIZER: statistically
    sound performance evaluation, ASPLOS 2013.
    """
    luck = random.Random(os.getpid() ^ time_ns())  # noqa: S311  # mixes, guards no secret
    pieces = [bytearray(int(LARGEST ** luck.random())) for _ in range(2 * PIECES)]
    return luck.sample(pieces, PIECES)


def select(device: str) -> None:
    """Make a numbered accelerator the current one, whatever the version of `suite` on this side."""
    index = device.partition(":")[2]
    if index:
        import torch

        torch.accelerator.set_device_index(int(index))


def load_torch() -> None:
    """Before the checkout is on the path, whose top-level files must not hide a library's."""
    import torch

    torch.set_num_threads(_threads())


def _threads() -> int:
    return int(os.environ.get("SUITE_THREADS", "1"))


def pin() -> None:
    """Stay on the driver's core; several threads share all cores instead."""
    core = os.environ.get("SUITE_CORE", "")
    if core.isdecimal() and _threads() == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})


class _Side:
    """The cell of this side: built once, served from `begin` on."""

    def __init__(self, request: protocol.Build) -> None:
        load_torch()
        sys.path[:] = [*request.paths, *moved_entries(sys.path, request)]
        self.request, self.device, self.loaded = request, request.device, _scattered()
        select(self.device)
        if "train_step" in request.metrics:
            importlib.import_module("torch._dynamo")  # which an optimizer imports: seconds, of each child otherwise
        self.case, self.trained, self.reference, data = _built(request)
        self.trained.recipe.data()  # what it imports and keeps is there for all children
        if request.describe and request.data:
            _keep(data, Path(request.data))
        check_modules(request)
        self.own_weights = not _same_weights(self.trained.network, request.weights)

    def ready(self) -> protocol.Ready:
        """Versions, weights and, if requested, sizes; weights, inputs and outputs are written to files."""
        import torch

        return protocol.Ready(
            own_weights=self.own_weights, torch=str(torch.__version__), file=_declared_in(self.case),
            **(self._sizes() if self.request.describe else {}), forks=can_fork(self.device),
        )  # fmt: skip

    def begin(self, asked: protocol.Begin) -> protocol.Done | protocol.Failed:
        """Serve the network and make every metric's call, here or in a child that was forked for it."""
        self.scattered = _scattered()
        try:
            self.served, self.chance = self._served(), random.Random(os.getpid())  # noqa: S311  # guards no secret
            self.calls = {name: getattr(self, f"_{name}")() for name in self.request.metrics}
            self.answers: Any = self._answers() if asked.timed else None
            self.looked_at: set[str] = set()
            self.places = _places([call for call, _ in self.calls.values()]) if asked.timed else None
        except Exception as error:  # noqa: BLE001  # as in `main`
            return _failure(error)
        return protocol.Done()

    def end(self, _: protocol.End) -> protocol.Done:
        """Nothing to do for a network that was served in this process itself."""
        return protocol.Done()

    def _served(self) -> Any:
        from suite.training.serving import serve

        served = serve(self.trained)
        served.settle()
        return served

    def calibrate(self, asked: protocol.Calibrate) -> protocol.Calibrated:
        """By the fastest of three turns that grow to the least seconds."""
        metric, least = asked.metric, asked.least
        seconds, calls = self._seconds(metric, 1), 1
        while seconds * calls < least:
            calls = max(calls + 1, min(2 * calls, round(least / seconds)))
            seconds = min(self._seconds(metric, calls) for _ in range(TRIES))
        if seconds * calls < LONGEST_CALIBRATION:
            seconds = min(seconds, *(self._seconds(metric, calls) for _ in range(TRIES - 1)))
        return protocol.Calibrated(calls=max(1, int(-(-least // seconds))), seconds=seconds)

    def move(self, asked: protocol.Move) -> protocol.Done:
        """Move the served tensors to other addresses, and call the network once there; a training step is not moved.

        Networks that are too large to be moved are called, too: else their turns would begin cold, the other side's
        warm.
        """
        call, _ = self.calls[asked.metric]
        if isinstance(call, _Serving):
            if self.places is not None:
                self.places.move()
            call()
        self._synchronize()
        return protocol.Done()

    def turn(self, asked: protocol.Turn) -> protocol.TimedTurn | protocol.Failed:
        """Seconds of so many calls, and whether another process had the core meanwhile.

        After the first turn and at random ones, the last call's outputs are compared with those of untimed calls, and
        its time with that on inputs that never came before.
        """
        seconds, stolen, output = self._timed(asked.metric, asked.calls)
        call, _ = self.calls[asked.metric]
        first = asked.metric not in self.looked_at
        if isinstance(call, _Serving) and (first or self.chance.random() < LOOKED_AT):
            self.looked_at.add(asked.metric)
            problem = self.answers.problem(output, call.items) or self._kept(asked.metric, call, seconds / asked.calls)
            if problem:
                return protocol.Failed(error=f"ImplausibleError: implausible: {problem}", kind="ImplausibleError")
        return protocol.TimedTurn(seconds=seconds, stolen=stolen)

    def _kept(self, metric: str, call: _Serving, usual: float) -> str:
        """Whether answers are kept; a runtime outside torch has inputs that cannot be changed in place."""
        if not getattr(call.served, "in_torch", True):
            return ""
        found: str = _driver_module(ANSWERS).keeps_answers(call.inputs, usual, lambda: self._timed(metric, 1)[0])
        return found

    def countwork(self, asked: protocol.CountWork) -> protocol.WorkCounted | protocol.Failed:
        """Count the work of a network that is served anew, so that what it compiles is counted too."""
        try:
            found = self._counts(training=asked.training)
        except Exception as error:  # noqa: BLE001  # as in `main`
            return _failure(error)
        return protocol.WorkCounted(
            values={name: one.value for name, one in found.items()},
            fingerprints={name: dict(one.fingerprint) for name, one in found.items()},
            doubts={name: one.doubt for name, one in found.items() if one.doubt},
            lines={name: dict(one.lines) for name, one in found.items()},
        )

    def _counts(self, *, training: bool) -> dict[str, Any]:
        operators, compiler, calls = (
            _driver_module(COUNTING / f"{name}.py") for name in ("operators", "compiler", "calls")
        )

        def first() -> Any:
            serving = self._of(self._served(), self.request.batch)
            serving()
            return serving

        def again(serving: Any) -> None:
            for _ in range(WARM_UP):
                serving()

        serving, compiled = compiler.watched(first, again, operators.place)
        found: dict[str, Any] = {}
        if getattr(serving.served, "in_torch", True):
            found = calls.served_counts(serving, compiled, operators.work_of)
        if training:
            step, _ = self._train_step()
            found |= calls.training_counts(step, operators.work_of)
        return found

    def countinstructions(self, asked: protocol.CountInstructions) -> protocol.InstructionsCounted | protocol.Failed:
        """Count one call of each metric, after `begin`; what fails in one of them costs that one alone."""
        module = _driver_module(COUNTING / "callgrind.py")
        dumps, failed = {}, {}
        try:
            counter = module.Callgrind(asked.library, asked.out)
        except Exception as error:  # noqa: BLE001  # as in `main`
            return _failure(error)
        for metric, (call, reset) in self.calls.items():
            try:
                warm_up = module.WARM_UP if metric == "speed_b1" else module.LONG
                dumps[metric] = counter.counted(call, reset, warm_up=warm_up)
            except Exception as error:  # noqa: BLE001  # as in `main`
                failed[metric] = _failure(error).error
        return protocol.InstructionsCounted(dumps=dumps, failed=failed)

    def _timed(self, metric: str, calls: int) -> tuple[float, bool, object]:
        call, reset = self.calls[metric]
        output = None
        reset()
        self._synchronize()  # what reset and moved is in the device's queue, and no part of the turn
        gc.disable()
        switched, ran, began = _switches(), process_time(), perf_counter()
        for _ in range(calls):
            output = call()
        self._synchronize()
        seconds, ran = perf_counter() - began, process_time() - ran
        gc.enable()
        stolen = self.device == "cpu" and _switches() > switched and seconds - ran > STOLEN * seconds
        return seconds, stolen, output

    def _seconds(self, metric: str, calls: int) -> float:
        return max(1e-9, self._timed(metric, calls)[0] / calls)

    def _answers(self) -> Any:
        """The outputs that timed calls have to match."""
        batch = self.request.batch
        inputs = self.served.prepare_inputs(self._inputs(batch))
        return _driver_module(ANSWERS).OutputRecord(self.served, inputs, batch)

    def _speed(self) -> tuple[Callable[[], object], Callable[[], object]]:
        return self._serving(self.request.batch)

    def _speed_b1(self) -> tuple[Callable[[], object], Callable[[], object]]:
        return self._serving(1)

    def _serving(self, batch: int) -> tuple[Callable[[], object], Callable[[], object]]:
        call = self._of(self.served, batch)
        for _ in range(WARM_UP):
            call()
        return call, _nothing

    def _of(self, served: Any, batch: int) -> _Serving:
        self.served = served
        return _Serving(served, served.prepare_inputs(self._inputs(batch)), batch)

    def _train_step(self) -> tuple[Callable[[], object], Callable[[], object]]:
        from suite.measure.step import training_step

        step = training_step(self.trained.recipe, device=self.device, reference=self.reference)
        return step, step.reset

    def _inputs(self, batch: int) -> Any:
        from suite.training.trees import fill_up

        return fill_up(self.served.recipe.data().test.first(batch).inputs, batch)

    def _sizes(self) -> dict[str, int]:
        import torch

        from suite.measure.size import parameters, serialized
        from suite.training.trees import tree_map

        folder, self.served = Path(self.request.folder), self._served()
        if self.request.weights is None:
            torch.save(self.trained.network.state_dict(), folder / "weights.pt")
            torch.save(self._inputs(self.request.batch), folder / "inputs.pt")
        inputs = torch.load(folder / "inputs.pt", weights_only=False)
        outputs = tree_map(lambda leaf: leaf.cpu(), self.served(self.served.prepare_inputs(inputs)))
        torch.save(outputs, folder / self.request.outputs)
        return {"parameters": parameters(self.trained.network), "artefact_bytes": len(serialized(self.served)[0])}

    def _synchronize(self) -> None:
        if self.device != "cpu":
            import torch

            torch.accelerator.synchronize(self.device)


class _Serving:
    """The served network on inputs that are placed already."""

    def __init__(self, served: Any, inputs: Any, items: int) -> None:
        self.served, self.inputs, self.items = served, inputs, items

    def __call__(self) -> Any:
        return self.served(self.inputs)

    def tensors(self) -> list[Any]:
        """The tensors that can be moved: weights, buffers and inputs."""
        from suite.training.trees import leaves

        if not getattr(self.served, "in_torch", True):  # older revisions serve in torch alone
            return []
        network = self.served.network
        return [*network.parameters(), *network.buffers(), *leaves(self.inputs)]


def _nothing() -> None:
    """Nothing is to be put back."""


def _places(calls: list[Any]) -> Any:
    """The memory layout of the served tensors."""
    return _driver_module(PLACES).places_of(calls, seed=os.getpid())


def _built(request: protocol.Build) -> tuple[Any, Any, Any, Callable[[], Any]]:
    """The case, its network (trained only if requested), the lookup of other compositions' networks and the data."""
    from suite.registry import REGISTRY

    case = _of_this_revision("suite.bench.resolved_cell", "suite.run.case").case
    trained_store = _of_this_revision("suite.bench.trained_store", "suite.run.store").TrainedStore
    load_user_modules = _of_this_revision("suite.registry.settings", "suite.settings").load_user_modules
    load_user_modules(REGISTRY, Path.cwd(), list(request.load))
    workload = REGISTRY.find_workload(request.workload)
    if request.data and not request.describe and Path(request.data).is_file():
        workload = _given(workload, Path(request.data))
    found = case(REGISTRY, workload, request.technique, request.device)
    _check_origin(_declared_in(found), request)
    store = trained_store(registry=REGISTRY, device=request.device, trains=request.trains)
    trained = store.get(workload, found.composition, 0)
    return found, trained, store.reference(workload, 0), lambda: store.plain(workload, 0).data()


def _keep(data: Callable[[], Any], file: Path) -> None:
    """Write data for a process that would load them fifty times as slowly; it loads those that cannot be written."""
    import torch

    part = file.with_suffix(".part")
    with suppress(Exception):  # of a user's class: it cannot be pickled, or its data be asked for twice
        try:
            found = data()
            if _bytes_of(found) <= LARGEST_DATA:
                torch.save(found, part)
                part.replace(file)
        finally:
            part.unlink(missing_ok=True)


def _bytes_of(data: Any) -> int:
    from suite.training.trees import leaves

    parts = [getattr(data, name, None) for name in ("train", "validation", "test")]
    tensors = [leaf for part in parts if part is not None for leaf in (*leaves(part.inputs), *leaves(part.targets))]
    return sum(leaf.numel() * leaf.element_size() for leaf in tensors)


def _given(workload: Any, file: Path) -> Any:
    """The workload with the data of a file, which are those of seed 0."""
    import torch

    data = torch.load(file, weights_only=False)

    @wraps(workload.recipe)
    def recipe(seed: int) -> Any:
        return replace(workload.recipe(seed), data=lambda: data)

    return replace(workload, recipe=recipe)


def _of_this_revision(name: str, former: str) -> Any:
    """A module of the suite that this side runs, which may be older than the move of ``former`` to ``name``."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        return importlib.import_module(former)


def _declared_in(case: Any) -> str:
    import inspect

    return str(Path(inspect.getfile(inspect.unwrap(case.workload.recipe))).resolve())


def _check_origin(file: str, request: protocol.Build) -> None:
    """Raise if the workload's file is in the other side's checkout: the comparison would be empty."""
    own, other, found = Path(request.root), request.other_root, Path(file)
    installed = "site-packages" in found.parts  # an environment may lie inside a checkout
    if other is not None and not installed and found.is_relative_to(other) and not found.is_relative_to(own):
        raise RuntimeError(
            f"the workload of this side was imported from {file}, which is the other side's checkout; name it in "
            "[tool.tradeoff-suite] load by a .py path or a module below the repository's root or its folder src"
        )


def moved_entries(entries: list[str], request: protocol.Build) -> list[str]:
    """The import path of this side: folders of the other checkout (an editable install) are those of its own."""
    return [str(moved) for moved in (_moved(Path(entry), request) for entry in entries) if moved is not None]


def _moved(entry: Path, request: protocol.Build) -> Path | None:
    if not _of_other(entry, request):
        return entry
    own = Path(request.root) / entry.resolve().relative_to(str(request.other_root))
    return own if own.exists() else None


def _of_other(path: Path, request: protocol.Build) -> bool:
    """Whether a file is in the other side's checkout, and in no environment within it."""
    own, other, found = Path(request.root), request.other_root, path.resolve()
    installed = "site-packages" in found.parts or found.is_relative_to(sys.base_prefix)
    return other is not None and not installed and found.is_relative_to(other) and not found.is_relative_to(own)


def check_modules(request: protocol.Build) -> None:
    """Raise if a module comes from the other side's checkout: that code would be compared with itself."""
    driver = {str(path.resolve()) for path in (Path(__file__), IMAGE, PLACES, PROTOCOL)}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str) and str(Path(file).resolve()) not in driver and _of_other(Path(file), request):
            raise RuntimeError(
                f"the module {name} of this side was imported from {file}, which is the other side's checkout (an "
                "editable install?); install the package without -e, or put its folder first on the import path by a "
                ".py file in [tool.tradeoff-suite] load"
            )


def _same_weights(network: Any, weights: str | None) -> bool:
    """Load the other side's weights if names and shapes agree; else leave all weights as they are."""
    if weights is None:
        return True
    import torch

    try:
        theirs = torch.load(weights, weights_only=False)
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, ImportError):
        return False  # a class that this side does not have
    if _shapes(theirs) != _shapes(network.state_dict()):  # loading copies what fits before it says what does not
        return False
    network.load_state_dict(theirs)
    return True


def _shapes(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, "shape", None) for name, value in weights.items()}


def _switches() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw if sys.platform != "win32" else 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
