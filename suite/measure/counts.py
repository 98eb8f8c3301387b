"""Counts of the work of a cell: they are the same whatever the neighbours do, and name what came and went.

They hold under the version of torch that counted, which is a condition of each. Whatever goes wrong in counting costs
the counts alone: it is told as a warning.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import torch

from suite.core.machine.flags import applied
from suite.core.metrics import measured
from suite.core.phases import phase
from suite.core.records import Cell, Measurement
from suite.measure.counting.compiler import Compiled, watched
from suite.measure.counting.launches import launches
from suite.measure.counting.operators import AT, Work, place, work_of
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


def compiled_and_served(serve: Callable[[], Served], inputs: Callable[[Served], Tree]) -> tuple[Served, Compiled | None]:
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

    found: list[Measurement] = []
    with _told(cell), phase("testing"):
        if compiled is None:
            warm_up(served, placed)
        one, other = work_of(call), work_of(call)
        found = [*_of_work(cell, one, other, compiled is None), *_of_launches(cell, call)]
        found += [] if compiled is None else _of_compiler(cell, compiled, work_of(call, eagerly=True))
    conditions = {"torch": version(), "batch": length(inputs)}
    return [_following(replace(m, conditions={**m.conditions, **conditions}), bool(follow)) for m in found]


def training_counts(
    cell: Cell, recipe: Recipe, *, reference: Reference, follow: Collection[str] = ()
) -> list[Measurement]:
    """Operators of one training step on the first batch, after one that makes the optimizer's state."""
    found: list[Measurement] = []
    with _told(cell), applied(recipe.flags), phase("testing"):
        step, batch = first_step(recipe, device=cell.device, reference=reference)
        step(batch)
        one, other = work_of(lambda: step(batch)), work_of(lambda: step(batch))
        counted = _counted(cell, "training_operators", one.operators, one.lines, other.operators)
        conditions = {**counted.conditions, "torch": version(), "batch": len(batch)}
        found = [_following(replace(counted, conditions=conditions), bool(follow))]
    return found


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


def _of_work(cell: Cell, one: Work, other: Work, eager: bool) -> list[Measurement]:
    found = [
        _counted(cell, "operators", one.operators, one.lines, other.operators),
        _counted(cell, "view_operators", one.views, one.lines, other.views),
    ]
    if eager:
        doubt = _doubt(one.allocated_bytes, other.allocated_bytes, "bytes")
        found += [
            measured(cell, name, getattr(one, name), suspect=doubt) for name in ("allocations", "allocated_bytes")
        ]
    return found


def _of_launches(cell: Cell, call: Callable[[], object]) -> list[Measurement]:
    one = launches(call, cell.device)
    return [] if one is None else [_counted(cell, "kernel_launches", one, {}, launches(call, cell.device) or {})]


def _of_compiler(cell: Cell, compiled: Compiled, eager: Work) -> list[Measurement]:
    """``eager`` is the work of the code that was compiled: it says which lines a kernel may be of."""
    found = [
        measured(cell, "graphs", compiled.graphs),
        _counted(cell, "graph_breaks", compiled.breaks, compiled.lines),
        _counted(cell, "recompilations", compiled.recompiled, compiled.lines),
    ]
    if compiled.kernels:
        names = compiled.kernel_names
        found += [
            measured(
                cell, "generated_kernels", compiled.kernels, fingerprint=dict(names), lines=_kernel_lines(names, eager)
            ),
            measured(cell, "fused_operators", compiled.fused),
        ]  # fmt: skip
    return [replace(one, margin=0.0) for one in found]


def _kernel_lines(names: Collection[str], eager: Work) -> dict[str, str]:
    """By kernel, the lines of the operators in its name: ``cpp_fused_mul_relu`` is of ``aten.mul`` and ``aten.relu``."""
    by_name: dict[str, list[str]] = {}
    for key, line in eager.lines.items():
        by_name.setdefault(key.partition(AT)[0].partition(".")[2], []).append(line)
    found = {name: [line for op, lines in by_name.items() if _is_of(name, op) for line in lines] for name in names}
    return {name: " or ".join(dict.fromkeys(lines)) for name, lines in found.items() if lines}


def _is_of(kernel: str, operator: str) -> bool:
    return f"_{operator.strip('_')}_" in f"{kernel.partition('_fused')[2]}_"


def _counted(
    cell: Cell,
    metric: str,
    one: Mapping[str, int],
    lines: Mapping[str, str],
    other: Mapping[str, int] | None = None,
) -> Measurement:
    """The count of a fingerprint; suspect where another call does not repeat it."""
    total = Counter(one).total()
    return measured(
        cell, metric, total, fingerprint=dict(sorted(one.items())), margin=0.0,
        lines={key: lines[key] for key in sorted(one) if key in lines},
        suspect=None if other is None else _doubt(total, Counter(other).total(), "operators"),
    )  # fmt: skip


def _doubt(one: int, other: int, what: str) -> str | None:
    if one == other:
        return None
    return f"the count does not repeat: {one} {what} in one call and {other} in the next (randomness, or a cache)"


def _following(one: Measurement, follows: bool) -> Measurement:
    """A network whose sizes follow its weights does work that follows them, too."""
    if not follows:
        return one
    return replace(one, tier="portable", margin=max(one.margin or 0.0, VARIES * one.value))
