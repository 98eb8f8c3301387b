"""Instructions under two versions: each side's calls are counted by callgrind, and the functions that differ named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from suite.compare.children import Image, ImageError
from suite.compare.exact import Exact
from suite.compare.process import SideError, image_of
from suite.compare.protocol import Begin, CountInstructions, Done, InstructionsCounted, SideRequest
from suite.core.machine.core import CORE, several
from suite.measure.counting import cycles, instructions

if TYPE_CHECKING:
    from suite.compare.judge import Verdict
    from suite.compare.measure import PairedSides
    from suite.compare.process import Process
    from suite.compare.sides import Side
    from suite.measure.counting.instructions import InstructionCount

COUNTED = {"speed": "instructions", "speed_b1": "instructions_b1", "train_step": "training_instructions"}
ESTIMATED = {
    "speed": "estimated_cycles",
    "speed_b1": "estimated_cycles_b1",
    "train_step": "training_estimated_cycles",
}
"""By the metric whose call is counted."""
DECIDED = 10.0
"""Times the spreads of both counts that a change has to be where one of them does not repeat."""
VARIABLES = {
    **instructions.VARIABLES,
    CORE: "",  # a count needs no core of its own, and on one core both sides would take turns
}


class Counter:
    """Counts the instructions of cells; a context manager that keeps what runs under valgrind.

    That is one process which has loaded torch (two, if the sides have a Python each): valgrind makes imports thirty
    times as long. Each side of each cell is a fork of it. It is started with the first cell, beside what describes it.
    With ``caches`` cycles are estimated, too.
    """

    def __init__(self, bench: PairedSides, *, caches: bool = False) -> None:
        self._bench, self._caches, self._stack = bench, caches, ExitStack()
        self._images: dict[Path, Image | None] = {}
        self._loading: dict[Path, Future[None]] = {}

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(TemporaryDirectory(dir=self._bench.folder)))
        self._out = self._folder / "%p.callgrind"
        self._under = instructions.command(self._out, caches=self._caches)
        self._stack.callback(self._end)
        self._pool = self._stack.enter_context(ThreadPoolExecutor(2))
        self._stack.callback(self._stop_loading)  # before the pool closes, which waits for its threads
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self, request: SideRequest) -> None:
        """Load what sides are forked from. Raises `UnavailableError` without valgrind's header."""
        if self._images:
            return
        self._library = instructions.library(self._folder)
        current, reference = self._bench.current, self._bench.reference
        sides = ((current, reference),) if current.python == reference.python else ((current,) * 2, (reference,) * 2)
        for number, (one, other) in enumerate(sides):
            self._images[one.python] = image = self._image(one, other, request, number)
            if image is not None:
                self._loading[one.python] = self._pool.submit(image.load)

    def count(self, request: SideRequest, metrics: Sequence[str], *, gates: bool = True) -> list[Exact]:
        """One figure for each of ``metrics``; more instructions are a regression if the comparison ``gates`` them.

        ``request`` names the weights that both sides load, and the data. Both are counted at once. Raises `SideError`
        where a side does not get as far as its calls.
        """
        self.begin(request)
        asked = replace(request, metrics=tuple(metrics), describe=False, trains=False)
        with ExitStack() as stack:
            stack.enter_context(several(2))  # the scheduler places both; a run that starts now leaves them the cores
            players = [
                stack.enter_context(
                    self._process(side, replace(asked, data=data_of(self._bench.folder, number)), number)
                )
                for number, side in enumerate((self._bench.current, self._bench.reference))
            ]
            counting = [self._pool.submit(self._counted, player) for player in players]
            wait(counting)  # where one side fails, too: the other's process is not ended while a thread asks it
            ours, theirs = (one.result() for one in counting)
            found = list(_compared(metrics, ours, theirs, gates=gates))
        return [*found, *_cycles(metrics, ours, theirs)] if self._caches else found

    def _image(self, one: Side, other: Side, request: SideRequest, number: int) -> Image | None:
        if not Image.possible():
            return None
        errors = self._folder / f"{number}.err"
        try:
            return image_of(one, other, request, errors=errors, under=self._under, variables=VARIABLES)
        except ImageError:  # a side that loads by itself says why it cannot
            return None

    def _loaded(self, python: Path) -> Image | None:
        if self._images[python] is not None:
            try:
                self._loading[python].result()
            except ImageError:  # as above
                self._images[python] = None
        return self._images[python]

    def _process(self, side: Side, request: SideRequest, number: int) -> Process:
        start: Callable[..., Process] = partial(self._bench.process, side, request, 2 + number, variables=VARIABLES)
        image = self._loaded(side.python)
        if image is not None:
            try:
                return start(image=image, under=())
            except SideError as error:
                if not isinstance(error.__cause__, ImageError):
                    raise
                self._images[side.python] = None  # it is gone: from now on each side loads by itself
                image.__exit__(ImageError, error.__cause__, None)
        return start(image=None, under=self._under)

    def _counted(self, player: Process) -> InstructionsCounted:
        player.ready()
        player.ask(Begin(forked=False, timed=False), Done)
        return player.ask(CountInstructions(library=str(self._library), out=str(self._out)), InstructionsCounted)

    def _stop_loading(self) -> None:
        for python, loading in self._loading.items():
            image = self._images[python]
            if image is not None and not loading.done():
                image.kill()

    def _end(self) -> None:
        for image in self._images.values():
            if image is not None:
                image.__exit__(None, None, None)


def data_of(folder: Path, number: int) -> str:
    """The file of a side's data: of the current one, ``number`` 0, or of the reference."""
    return str(folder / f"{number}.data")


def _compared(
    metrics: Sequence[str], ours: InstructionsCounted, theirs: InstructionsCounted, *, gates: bool
) -> Iterator[Exact]:
    for metric in metrics:
        failed = ours.failed.get(metric) or theirs.failed.get(metric)
        if failed:
            said = f"not counted: {failed}"
            yield Exact(metric=COUNTED[metric], current=0, reference=0, verdict="inconclusive", changes=(said,))
        else:
            now, before = (instructions.read(side.dumps[metric]) for side in (ours, theirs))
            yield exact(COUNTED[metric], now, before, gates=gates)


def _cycles(metrics: Sequence[str], ours: InstructionsCounted, theirs: InstructionsCounted) -> Iterator[Exact]:
    """Estimates of both sides; they fail nothing, since misses follow addresses."""
    for metric in metrics:
        now, before = (cycles.estimated(side.dumps.get(metric, ())) for side in (ours, theirs))
        if now is not None and before:
            changes = () if now == before else (f"{now / before - 1:+.2%} by an estimate, which decides nothing",)
            verdict: Verdict = "differs" if changes else "same"
            yield Exact(metric=ESTIMATED[metric], current=now, reference=before, verdict=verdict, changes=changes)


def exact(metric: str, now: InstructionCount, before: InstructionCount, *, gates: bool = True) -> Exact:
    """The figure of two counts; a difference names its functions.

    Counts that do not repeat decide only what is far beyond how much they vary.
    """
    doubt = now.doubt or before.doubt
    change = now.value / before.value - 1 if before.value else float(now.value > 0)
    if abs(change) <= instructions.SAME:
        verdict: Verdict = "same"
    elif doubt and abs(change) <= DECIDED * (now.spread + before.spread):
        verdict = "inconclusive"
    else:
        verdict = "regressed" if change > 0 and gates else "differs"
    return Exact(
        metric=metric, current=now.value, reference=before.value, verdict=verdict,
        changes=_changes(verdict, change, now, before),
    )  # fmt: skip


def _changes(verdict: Verdict, change: float, now: InstructionCount, before: InstructionCount) -> tuple[str, ...]:
    if verdict == "same":
        return ()
    if verdict == "inconclusive":
        return (now.doubt or before.doubt or "",)
    return (f"{change:+.2%}", *_named(now, before))


def _named(now: InstructionCount, before: InstructionCount) -> list[str]:
    return instructions.largest_changes(now.functions, before.functions)


def sentence(error: SideError) -> str:
    """Why a side's instructions are not counted."""
    return f"instructions are not counted: {instructions.explained(str(error))}"
