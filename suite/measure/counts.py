"""Counts of the work of a cell: they are the same whatever the neighbours do, and name what came and went.

They hold under the version of torch that counted, which is a condition of each. Whatever goes wrong in counting costs
the counts alone, and is told as a warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch

from suite.core.machine.flags import applied
from suite.core.metrics import measured, metric
from suite.core.phases import phase
from suite.core.records import Cell, Measurement
from suite.measure.counting import calls, instructions
from suite.measure.counting.calls import CallCount
from suite.measure.counting.compiler import Compiled, watched
from suite.measure.counting.launches import launches
from suite.measure.counting.operators import place, work_of
from suite.training.data import test_sealed
from suite.training.loop import first_step
from suite.training.recipe import Recipe, Reference
from suite.training.serving import Served, warm_up
from suite.training.trees import Tree, length

AGAIN = 3  # calls of one shape after the first, in which nothing is to be compiled
VARIES = 0.05  # of a count that follows trained weights


def version() -> str:
    """The release of torch that counts hold under: ``2.15``."""
    return ".".join(str(torch.__version__).split(".")[:2])


def compiled_and_served(
    serve: Callable[[], Served], inputs: Callable[[Served], Tree]
) -> tuple[Served, Compiled | None]:
    """What ``serve`` makes, warmed up for its inputs, and what was compiled for that."""

    def first() -> Served:
        served = serve()
        with phase("compiling"):
            _called(served, inputs(served))
        return served

    def again(served: Served) -> None:
        for _ in range(AGAIN):
            _called(served, inputs(served))

    return watched(first, again, place)


def served_counts(
    cell: Cell, served: Served, inputs: Tree, *, compiled: Compiled | None = None, follow: Collection[str] = ()
) -> list[Measurement]:
    """Counts of one call with ``inputs`` (a tree [B, ...]), and of what was ``compiled`` for it.

    None of a predictor that is not torch's, whose work torch does not see. Allocations inside of compiled code are not
    seen either. Counts are not exact where sizes ``follow`` trained weights.
    """
    if not served.in_torch:
        return []
    placed = served.prepare_inputs(inputs)

    def call() -> None:
        _called(served, placed)

    found: dict[str, CallCount] = {}
    with _told(cell), phase("testing"):
        if compiled is None:
            warm_up(served, placed)
        found = calls.served_counts(call, compiled, work_of)
        kernels = launches(call, cell.device)
        if kernels is not None:
            found["kernel_launches"] = calls.count(kernels, {})
    return _measured(cell, found, length(inputs), follows=bool(follow))


def moved_bytes(cell: Cell, served: Served, inputs: Tree) -> list[Measurement]:
    """Bytes that torch's operators move in one call with ``inputs`` (a tree [B, ...]), as `served_counts` calls it.

    The roofline of the page divides by them. Inside of compiled code they are not seen.
    """
    if not served.in_torch:
        return []
    placed, found = served.prepare_inputs(inputs), 0
    with _told(cell), phase("testing"):
        warm_up(served, placed)
        found = work_of(lambda: _called(served, placed)).moved_bytes
    conditions = {"torch": version(), "batch": length(inputs)}
    return [measured(cell, "moved_bytes", found, conditions=conditions)] if found else []


def training_counts(
    cell: Cell, recipe: Recipe, *, reference: Reference, follow: Collection[str] = ()
) -> list[Measurement]:
    """Operators of one training step on the first batch, after one that makes the optimizer's state."""
    found: dict[str, CallCount] = {}
    items = 0
    with _told(cell), applied(recipe.flags), phase("testing"):
        step, batch = first_step(recipe, device=cell.device, reference=reference)
        items = len(batch)
        step(batch)
        found = calls.training_counts(lambda: step(batch), work_of)
    return _measured(cell, found, items, follows=bool(follow))


def instructions_of(cell: Cell, dumps: Mapping[str, Sequence[str]], batch: int) -> list[Measurement]:
    """Counts of instructions from valgrind's files, by metric, under the cap of instructions and valgrind's version."""
    items = {"instructions": {"batch": batch}, "instructions_b1": {"batch": 1}}
    return [
        measured(
            cell, name, found.value, suspect=found.doubt, margin=instructions.SAME * found.value,
            conditions={"torch": version(), **items.get(name, {}), **instructions.conditions()},
        )
        for name, found in ((name, instructions.read(files)) for name, files in dumps.items())
    ]  # fmt: skip


def _called(served: Served, inputs: Tree) -> None:
    with applied(served.recipe.flags), test_sealed("serving"):
        served(inputs)


@contextmanager
def _told(cell: Cell) -> Iterator[None]:
    """Counting runs a network in ways of its own: what fails there says nothing of how it serves."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # whatever a network raises under a dispatch mode
        said = " ".join(str(error).split())
        warnings.warn(f"{cell}: its work cannot be counted: {type(error).__name__}: {said}", stacklevel=3)


def _measured(cell: Cell, found: Mapping[str, CallCount], items: int, *, follows: bool) -> list[Measurement]:
    """Measurements of counts. A network whose sizes follow its weights does work that follows them, too."""
    return [
        measured(
            cell, name, one.value, suspect=one.doubt, fingerprint=one.fingerprint, lines=one.lines,
            conditions={"torch": version(), "batch": items}, margin=VARIES * one.value if follows else 0.0,
            tier="portable" if follows else metric(name).tier,
        )
        for name, one in found.items()
    ]  # fmt: skip
