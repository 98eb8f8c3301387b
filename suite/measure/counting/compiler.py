"""What torch.compile made of a network: graphs, graph breaks, recompilations, kernels. Read off its counters.

Of torch alone, like its neighbour `operators`, from which it is given the ``place`` of a line.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
DYNAMO, INDUCTOR, CODE = "torch._dynamo.utils", "torch._inductor.metrics", "torch._inductor.codecache"
KERNEL = re.compile(r"(?P<kind>[a-z]+(?:_[a-z]+)*_fused)_(?P<operators>\w+?)_\d+")
GUARDED = re.compile(r"(?P<file>[^\s\"#]+\.py)(?:\", line |:)(?P<line>\d+),? in (?P<function>\S+)")
AT = " @ "


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """Figures of one network that was compiled, with the fingerprints of what they count.

    ``captured`` operators were taken into graphs. TorchInductor computes them in ``kernels`` of its own and in
    ``extern`` calls of torch's; without TorchInductor both are 0.
    """

    graphs: int
    breaks: Counter[str]
    recompilations: int
    recompiled: Counter[str]
    captured: int
    kernels: int
    extern: int
    kernel_names: Counter[str]
    lines: dict[str, str]

    @property
    def fused(self) -> int:
        """Captured operators that need neither a kernel nor a call of their own.

        Below 0 where the compiler adds more than it fuses, such as reorders of what it packed.
        """
        return self.captured - self.kernels - self.extern


@dataclass(frozen=True, kw_only=True)
class _Counters:
    """The compiler's counters at one moment."""

    graphs: int = 0
    frames: int = 0
    captured: int = 0
    breaks: int = 0
    failures: dict[Any, int] = field(default_factory=dict)
    kernels: int = 0
    extern: int = 0
    modules: int = 0


def watched(
    first: Callable[[], T], again: Callable[[T], object], place: Callable[[str, int, str], Any]
) -> tuple[T, Compiled | None]:
    """What ``first`` makes, and what was compiled until it returned; ``None`` if nothing was.

    What ``again`` compiles, which calls what was made for inputs of the same shape, are recompilations. ``place`` is
    `suite.measure.counting.operators.place`. Compiled code of before is forgotten, so that nothing is found compiled.
    """
    if DYNAMO in sys.modules:
        sys.modules["torch._dynamo"].reset()
    before = _now()
    made = first()
    middle = _now()
    again(made)
    after = _now()
    if middle.graphs == before.graphs and middle.kernels == before.kernels:
        return made, None
    return made, _between(before, middle, after, place)


def _now() -> _Counters:
    dynamo, inductor, code = (sys.modules.get(name) for name in (DYNAMO, INDUCTOR, CODE))
    if dynamo is None:  # nothing was compiled, and importing it takes seconds
        return _Counters()
    counters = dynamo.counters
    return _Counters(
        graphs=counters["stats"]["unique_graphs"],
        frames=counters["frames"]["total"],
        captured=counters["stats"]["calls_captured"],
        breaks=len(dynamo.graph_break_reasons),
        failures={code: len(said) for code, said in dynamo.guard_failures.items()},
        kernels=getattr(inductor, "generated_kernel_count", 0),
        extern=counters["inductor"]["extern_calls"],
        modules=len(code.PyCodeCache.modules) if code is not None else 0,
    )


def _between(before: _Counters, middle: _Counters, after: _Counters, place: Callable[[str, int, str], Any]) -> Compiled:
    lines: dict[str, str] = {}
    recompilations = after.frames - middle.frames
    kernels = middle.kernels - before.kernels
    return Compiled(
        graphs=middle.graphs - before.graphs,
        breaks=_breaks(before.breaks, middle.breaks, place, lines),
        recompilations=recompilations,
        recompiled=_recompiled(middle, recompilations, place, lines),
        captured=middle.captured - before.captured,
        kernels=kernels,
        extern=middle.extern - before.extern if kernels else 0,
        kernel_names=_kernels(before.modules, middle.modules),
        lines=lines,
    )


def _breaks(first: int, last: int, place: Callable[[str, int, str], Any], lines: dict[str, str]) -> Counter[str]:
    """Each graph break by the line of the user's that the graph ends at, and why."""
    found: Counter[str] = Counter()
    for one in sys.modules[DYNAMO].graph_break_reasons[first:last]:
        key = "graph break"
        if one.user_stack:
            frame = one.user_stack[-1]
            where = place(frame.filename, frame.lineno, frame.name)
            key += AT + where.stable
            lines[key] = f"{where.line} ({str(one.reason).splitlines()[0]})"
        found[key] += 1
    return found


def _recompiled(
    before: _Counters, count: int, place: Callable[[str, int, str], Any], lines: dict[str, str]
) -> Counter[str]:
    """All recompilations by the guard that failed last."""
    if not count:
        return Counter()
    failures = sys.modules[DYNAMO].guard_failures
    said = [text for code, texts in failures.items() for text in texts[before.failures.get(code, 0) :]]
    key, text = "recompilation", str(said[-1]) if said else ""
    file = next((code.co_filename for code in failures if hasattr(code, "co_filename")), "")
    found = list(GUARDED.finditer(text))
    if found:
        where = place(_whole(found[-1]["file"], file), int(found[-1]["line"]), found[-1]["function"])
        key += AT + where.stable
        lines[key] = (
            f"{where.line} ({text.splitlines()[0].partition('#')[0].partition(': ')[2].strip()} no longer holds)"
        )
    return Counter({key: count})


def _whole(told: str, file: str) -> str:
    """The compiler tells the end of a long path."""
    return file if file.endswith(told) else told


def _kernels(first: int, last: int) -> Counter[str]:
    """The generated kernels of the modules that were loaded, by the operators that they are of."""
    code = sys.modules.get(CODE)
    found: Counter[str] = Counter()
    for module in code.PyCodeCache.modules[first:last] if code is not None else ():
        for name in vars(module):
            match = KERNEL.fullmatch(name)
            if match:
                found[f"{match['kind']}_{match['operators']}"] += 1
    return found
