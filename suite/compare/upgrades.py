"""Two releases of a serving engine: each composition served by it, speed and answers in one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from suite.core.composition import BASELINE
from suite.core.errors import UsageError

if TYPE_CHECKING:
    from suite.bench.resolved_cell import Case
    from suite.registry import Registry

TOLERANCE = 0.01
"""Of answers that two releases of an engine may give apart, relative to the largest: kernels add in another order."""


def served_by(runtime: str | None, techniques: Sequence[str]) -> list[str]:
    """The compositions with ``runtime`` behind each, itself where nothing is named; as they are without one."""
    if runtime is None:
        return list(techniques)
    return [runtime if name == BASELINE else f"{name}+{runtime}" for name in techniques or [BASELINE]]


def tolerance(runtime: str | None, asked: float | None) -> float | None:
    """The difference of outputs that fails: what was ``asked`` for, and `TOLERANCE` where releases of a runtime are."""
    return TOLERANCE if asked is None and runtime is not None else asked


def check_runtime(runtime: str | None, cases: Iterable[Case], registry: Registry) -> None:
    """Raise `UsageError` for a ``runtime`` that runs no network, such as a technique of training."""
    if runtime is None or all("runtime" in case.composition.slots for case in cases):
        return
    known = ", ".join(one.name for one in registry.techniques.values() if "runtime" in one.slots)
    raise UsageError(f"--runtime {runtime}: it does not run the served network; runtimes are {known}")
