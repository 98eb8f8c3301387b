"""Instructions of a call, counted by valgrind's callgrind: the same whatever the neighbours do.

What follows the addresses of the process is left out: the memory allocator, Python's dictionaries and its cache of
methods. It is all that differs between two processes of the same code. Allocations are counted by themselves
(`suite.measure.counts`).
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from suite.core.errors import UnavailableError
from suite.measure.counting import cycles

INSTALL = "apt-get install valgrind gcc"
CAPS: Mapping[str, str] = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
}
"""Valgrind knows neither AVX-512 nor AMX, and computes a fused multiply-add number by number: a convolution or a matrix
product takes eighty times as long with them. MKL knows no AVX any more."""
MARCH = "x86-64-v3"
"""What a compiler may use that otherwise generates code for the processor at hand: up to AVX2."""
CAPPED: Mapping[str, str] = {**CAPS, "PYTHONHASHSEED": "0"}
"""With the seed, which orders Python's sets."""
VARIABLES: Mapping[str, str] = {
    **CAPPED,
    **({"TORCHINDUCTOR_CPP_MARCH": MARCH} if platform.machine() == "x86_64" else {}),
    **dict.fromkeys(("SUITE_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}
"""The environment of a process that counts. TorchInductor's code has the instructions that the caps allow."""
SAME = 0.0005
"""Relative difference up to which two counts are the same: identical code in two processes differs by a tenth of it."""
TOOLS = ("valgrind", "callgrind_annotate", "cc")
REQUESTS = """
#include <valgrind/callgrind.h>
int suite_on_valgrind(void) { return RUNNING_ON_VALGRIND; }
void suite_start(void) { CALLGRIND_START_INSTRUMENTATION; }
void suite_stop(void) { CALLGRIND_STOP_INSTRUMENTATION; }
void suite_toggle(void) { CALLGRIND_TOGGLE_COLLECT; }
void suite_dump(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }
"""
"""Of valgrind's own header: the requests are instructions, which Python cannot write."""
BY_ADDRESS = re.compile(
    r"(^|/)((ob)?malloc|arena|dictobject|typeobject)\.c:"
    r"|:(_?_?(libc_)?(malloc|free|calloc|realloc|memalign)|posix_memalign|cfree)$"
    r"|:(unicodekeys_lookup\w*|_Py_dict_lookup|_PyDict_GetItem_KnownHash|_PyType_Lookup|find_name_in_mro)$"
    r"|:(assign_version_tag(\.\w+)*|PyErr_Occurred|__memcmp_\w+)$"
)
"""The allocator; Python's dictionaries and its cache of methods, whose probes begin at hashes of addresses, and what
they call; comparisons of bytes, which go by their alignment."""
UNNAMED = re.compile(r"^\?\?\?:0x[0-9a-f]+")
GENERATED = "code generated at run time (oneDNN, a compiler)"
RECURSION = re.compile(r"'\d+$")
ROW = re.compile(r"^ *([\d,]+) +(\S.*)$")
LONGEST = 80  # characters of a function's name in a sentence
UNREPEATED = 0.0002
"""Relative difference of the two least counts from which on a count does not repeat."""


@dataclass(frozen=True, kw_only=True)
class InstructionCount:
    """The least of several counts, and by function what it is made of.

    ``spread`` is how much more the second least was, relative; ``doubt`` says why it is more than chance explains.
    """

    value: int
    functions: Mapping[str, int]
    spread: float = 0.0
    doubt: str | None = None


def check_available(device: str) -> None:
    """Raise `UnavailableError` beside a CPU, and where a tool is missing, with the command that installs it."""
    if device != "cpu":
        raise UnavailableError(f"instructions are not counted: valgrind counts a CPU's, and {device} is none")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise UnavailableError(f"instructions are not counted: {missing[0]} is not installed: {INSTALL}")


@cache
def version() -> str:
    """The version of valgrind: ``3.19.0``."""
    said = _run(["valgrind", "--version"])
    return said.strip().removeprefix("valgrind-")


def command(out: Path, *, caches: bool = False) -> list[str]:
    """What runs before a Python that counts; dumps are written beside ``out``, whose ``%p`` is the process's number.

    With ``caches`` their misses are simulated, too, for `suite.measure.counting.cycles`.
    """
    return [
        "valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
        f"--callgrind-out-file={out}", *(cycles.OPTIONS if caches else ()),
    ]  # fmt: skip


def explained(said: str) -> str:
    """The last words of a process under valgrind, which ends one whose instructions it does not know by a signal."""
    unknown = "nrecognised instruction" in said or "llegal" in said or "ended with -4" in said
    return f"{said} (valgrind knows no AVX-512 and no AMX, and this code has them of its own)" if unknown else said


def library(folder: Path) -> Path:
    """Compile the requests to valgrind. Raises `UnavailableError` where its header is missing."""
    source, built = folder / "callgrind_requests.c", folder / "callgrind_requests.so"
    source.write_text(REQUESTS, "utf-8")
    compiled = subprocess.run(  # noqa: S603  # the compiler that torch.compile uses
        [shutil.which("cc") or "cc", "-O2", "-shared", "-fPIC", str(source), "-o", str(built)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if compiled.returncode:
        said = compiled.stderr.strip().splitlines()
        raise UnavailableError(
            f"instructions are not counted: valgrind's header cannot be compiled: {said[0] if said else 'cc failed'}; "
            f"{INSTALL}"
        )
    return built


def conditions() -> dict[str, str]:
    """What instruction counts hold under, beside torch's release: the processor's kind, its cap and valgrind."""
    return {"processor": platform.machine(), "isa": " ".join(CAPS.values()).lower(), "valgrind": version()}


def read(dumps: Sequence[str | Path]) -> InstructionCount:
    """The least of the counts that stand in these files. Raises `UnavailableError` for files without a count."""
    counts = sorted((functions(_annotated(Path(dump))) for dump in dumps), key=Counter.total)
    if not counts or not counts[0].total():
        raise UnavailableError("instructions are not counted: valgrind wrote a count of 0")
    least, second = counts[0], counts[min(1, len(counts) - 1)]
    spread = second.total() / least.total() - 1
    doubt = _doubt(least.total(), second.total()) if spread > UNREPEATED else None
    return InstructionCount(value=least.total(), functions=least, spread=spread, doubt=doubt)


def functions(annotated: str) -> Counter[str]:
    """Instructions by function of what ``callgrind_annotate`` printed, without those that follow addresses."""
    found: Counter[str] = Counter()
    for count, where in _rows(annotated.splitlines()):
        if not BY_ADDRESS.search(where):
            found[_name(where)] += count
    return found


def largest_changes(now: Mapping[str, int], before: Mapping[str, int], most: int = 10) -> list[str]:
    """The functions that changed most: ``+17,734 at::native::add_kernel``."""
    changed = {name: now.get(name, 0) - before.get(name, 0) for name in (*now, *before)}
    names = sorted((name for name in changed if changed[name]), key=lambda name: (-abs(changed[name]), name))
    return [f"{changed[name]:+,d} {shorten(name)}" for name in names[:most]]


def shorten(name: str) -> str:
    """The name of a function without its arguments."""
    bare = name.partition("(")[0] if not name.startswith("(") else name
    return bare if len(bare) <= LONGEST else f"{bare[: LONGEST - 2]}.."


def _doubt(least: int, second: int) -> str:
    return (
        f"the count does not repeat: {least:,} and {second:,} instructions (randomness, a cache, or control flow that "
        "depends on data)"
    )


def _rows(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    """Counts, and ``file:function`` without the library and the depth of a recursion."""
    for line in lines:
        row = ROW.match(line)
        if row and not row[2].startswith("PROGRAM TOTALS"):
            yield int(row[1].replace(",", "")), RECURSION.sub("", row[2].partition(" [")[0])


def _name(where: str) -> str:
    """``add_kernel`` of ``./src/native/Add.cpp:add_kernel``: folders differ from machine to machine."""
    return GENERATED if UNNAMED.match(where) else where.partition(":")[2] or where


def _annotated(dump: Path) -> str:
    return _run(["callgrind_annotate", "--threshold=100", "--show-percs=no", "--auto=no", "--show=Ir", str(dump)])


def _run(arguments: Sequence[str]) -> str:
    found = subprocess.run(  # noqa: S603  # valgrind's own tools
        [shutil.which(arguments[0]) or arguments[0], *arguments[1:]], capture_output=True, text=True, check=False
    )
    if found.returncode:
        said = (found.stderr or found.stdout).strip().splitlines()
        raise UnavailableError(f"instructions are not counted: {arguments[0]}: {said[-1] if said else 'it failed'}")
    return found.stdout
