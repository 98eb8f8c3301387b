"""All counts of one call, by metric. Of the standard library alone: each side of a comparison loads this file.

Each call is counted twice: a count that the second one does not repeat carries the doubt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

AT = " @ "
MOST_LINES = 3  # of an operator whose line compiled code does not tell


@dataclass(frozen=True, kw_only=True)
class CallCount:
    """A count, the fingerprint of what it counts, and the present line of each key of it that has one."""

    value: int
    fingerprint: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    doubt: str | None = None


def served_counts(call: Callable[[], object], compiled: Any, work_of: Callable[..., Any]) -> dict[str, CallCount]:
    """Counts of a served ``call``, which was warmed up. ``work_of`` is that of the neighbour `operators`.

    ``compiled`` is what `watched` of the neighbour `compiler` saw: allocations are left out then, since compiled code
    makes its own without an operator.
    """
    one, other = work_of(call), work_of(call)
    found = {
        "operators": _repeated(one.operators, other.operators, one.lines),
        "view_operators": _repeated(one.views, other.views, one.lines),
    }
    if compiled is not None:
        eager = work_of(call, eagerly=True)
        found["operators"] = _repeated(one.operators, other.operators, {**_by_operator(eager.lines), **one.lines})
        return found | _of_compiler(compiled, eager)
    return found | {
        name: CallCount(value=now, doubt=_doubt(now, again, name.replace("_", " ")))
        for name in ("allocations", "allocated_bytes")
        for now, again in [(getattr(one, name), getattr(other, name))]
    }


def training_counts(step: Callable[[], object], work_of: Callable[..., Any]) -> dict[str, CallCount]:
    """Counts of a training ``step`` that was taken once, so that the optimizer has its state."""
    one, other = work_of(step), work_of(step)
    return {"training_operators": _repeated(one.operators, other.operators, one.lines)}


def count(fingerprint: Mapping[str, int], lines: Mapping[str, str], doubt: str | None = None) -> CallCount:
    """The count of all that a fingerprint holds, with the lines of its own keys alone."""
    own = dict(sorted(fingerprint.items()))
    return CallCount(
        value=sum(own.values()), fingerprint=own, lines={key: lines[key] for key in own if key in lines}, doubt=doubt
    )


def _repeated(one: Counter[str], other: Counter[str], lines: Mapping[str, str]) -> CallCount:
    return count(one, lines, _doubt(one.total(), other.total(), "operators"))


def _doubt(one: int, other: int, what: str) -> str | None:
    if one == other:
        return None
    return f"the count does not repeat: {one} {what} in one call and {other} in the next (randomness, or a cache)"


def _of_compiler(compiled: Any, eager: Any) -> dict[str, CallCount]:
    """``eager`` is the work of the code that was compiled: it says which lines a kernel may be of."""
    found = {
        "graphs": CallCount(value=compiled.graphs),
        "graph_breaks": count(compiled.breaks, compiled.lines),
        "recompilations": count(compiled.recompiled, compiled.lines),
    }
    if compiled.kernels:
        names = dict(sorted(compiled.kernel_names.items()))
        found["generated_kernels"] = CallCount(
            value=compiled.kernels, fingerprint=names, lines=_kernel_lines(names, eager.lines)
        )
    if compiled.kernels and compiled.fused > 0:
        found["fused_operators"] = CallCount(value=compiled.fused)
    return found


def _kernel_lines(names: Collection[str], lines: Mapping[str, str]) -> dict[str, str]:
    """By kernel, the lines of the operators in its name: ``aten.mul`` and ``aten.relu`` of ``cpp_fused_mul_relu``."""
    found = {
        name: [line for key, line in lines.items() if _is_of(name, key.partition(AT)[0].partition(".")[2])]
        for name in names
    }
    return {name: " or ".join(dict.fromkeys(own)) for name, own in found.items() if own}


def _by_operator(lines: Mapping[str, str]) -> dict[str, str]:
    """By operator without a place, as compiled code dispatches it, the lines that it may be of."""
    found: dict[str, dict[str, None]] = {}
    for key, line in lines.items():
        found.setdefault(key.partition(AT)[0], {})[line] = None
    return {name: " or ".join(own) for name, own in found.items() if len(own) <= MOST_LINES}


def _is_of(kernel: str, operator: str) -> bool:
    return f"_{operator.strip('_')}_" in f"{kernel.partition('_fused')[2]}_"
