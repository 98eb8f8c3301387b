"""The quiet process: what must be set before Python starts, so that timings repeat.

Under glibc's default allocator the same network is bistable: its large buffers go back to the kernel after each call
and fault in again, which doubles its time in some processes and not in others. With the settings below no memory is
given back between calls. One thread on one core takes away the scheduler's share of the noise.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from suite.core.errors import UsageError
from suite.core.machine import allocator, core

if TYPE_CHECKING:
    from collections.abc import Mapping

MALLOC = {
    "MALLOC_MMAP_MAX_": "0",  # nothing is mapped by itself; a high threshold would say so too, but glibc < 2.35 refuses
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "67108864",
}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "SUITE_THREADS")
DEFAULTS = {"TORCHINDUCTOR_COMPILE_THREADS": "1"}  # a pool of compile workers would run beside the timed code
ACCELERATOR = "SUITE_ACCELERATOR"
HOW = "start it with `suite bench`"


def environment(base: Mapping[str, str], *, threads: int = 1, accelerator: bool | None = None) -> dict[str, str]:
    """``base`` with everything that a quiet process with ``threads`` threads needs.

    For an ``accelerator`` the host launches, loads and compiles beside it: with all cores, whatever ``threads`` says,
    and not pinned. Not given, it is what ``base`` says: a child measures what its parent measures.
    """
    if threads < 1:
        raise UsageError(f"a process needs at least one thread, got threads={threads}")
    launches = base.get(ACCELERATOR) == "1" if accelerator is None else accelerator
    defaults, count = ({}, available_cores()) if launches else (DEFAULTS, threads)
    counts = dict.fromkeys(THREADS, str(count))
    made = {**defaults, **base, **MALLOC, **counts, "PYTHONHASHSEED": "0", "SUITE_QUIET": "1"}
    return {**made, ACCELERATOR: "1"} if launches else {name: made[name] for name in made if name != ACCELERATOR}


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_environment(base: Mapping[str, str]) -> dict[str, str]:
    """``base`` with the allocator's default behaviour: for the pass that measures the resident set."""
    return {name: value for name, value in base.items() if name not in MALLOC}


def is_quiet(environ: Mapping[str, str] | None = None, *, glibc: bool | None = None) -> tuple[bool, str]:
    """Whether timings of this process can be trusted and, if not, why and how to get one that can.

    The allocator counts only where the C library is glibc (found out when ``glibc`` is not given). Without ``environ``
    it is this process that is asked, and its allocator is tried out once.
    """
    steered = on_glibc() if glibc is None else glibc
    reason = _unquiet(os.environ if environ is None else environ, glibc=steered)
    if reason is None and environ is None and steered:
        reason = _allocator_doubt()
    return reason is None, reason or ""


def _unquiet(environ: Mapping[str, str], *, glibc: bool) -> str | None:
    """What in the environment keeps a process from being quiet."""
    if environ.get("SUITE_QUIET") != "1":
        return f"this is no quiet process: {HOW}"
    for name, value in (MALLOC if glibc else {}).items():
        if environ.get(name) != value:
            return f"{name} is {environ.get(name, 'not set')} instead of {value}: {HOW}"
    if environ.get("OMP_NUM_THREADS") != environ.get("SUITE_THREADS"):
        found, meant = environ.get("OMP_NUM_THREADS", "not set"), environ.get("SUITE_THREADS", "not set")
        return f"OMP_NUM_THREADS is {found} while SUITE_THREADS is {meant}: {HOW}"
    if core.TAKEN in environ:
        taken = environ[core.TAKEN]
        return (
            f"another run holds core {taken}, and no core is free: run this command again when it has ended; "
            "`suite bench` has --wait"
        )
    return None


def _allocator_doubt() -> str | None:
    faults = allocator.faults_again()
    if faults <= allocator.MOST_FAULTS:
        return None
    preload = os.environ.get("LD_PRELOAD")
    mend = f"unset LD_PRELOAD ({preload})" if preload else "report it with the output of `ldd --version`"
    return (
        f"this C library returns memory to the system in spite of MALLOC_*: {faults} page faults for 64 MiB allocated "
        f"again; {mend}"
    )


def on_glibc() -> bool:
    """Whether this process uses glibc, whose allocator the ``MALLOC_*`` variables steer."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):  # Windows has no confstr, musl and macOS do not know the name
        return False


def threads(environ: Mapping[str, str] | None = None) -> int:
    """The number of threads that a quiet process was started for; 1 where ``SUITE_THREADS`` is not set."""
    text = (os.environ if environ is None else environ).get("SUITE_THREADS", "1")
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"SUITE_THREADS must be a whole number of at least 1, got {text!r}; unset it or {HOW}")
    return int(text)


def pin() -> int | None:
    """Keep this process on one core, the least loaded that no other run holds, and name it.

    Child processes come to the same core. ``None`` where nothing is pinned: with several threads, for an accelerator,
    or where the platform or its policy has no affinity.
    """
    if threads() > 1 or os.environ.get(ACCELERATOR) == "1" or not hasattr(os, "sched_setaffinity"):
        return None
    chosen = core.choose()
    try:
        os.sched_setaffinity(0, {chosen})
    except OSError:  # a sandbox may forbid it; timings are then noisier, not wrong
        core.release()
        return None
    return chosen


def apply_threads() -> int | None:
    """Give torch the quiet process's number of threads; outside of one leave torch as it is."""
    if "SUITE_THREADS" not in os.environ:
        return None
    count = threads()
    import torch  # torch is slow to import, and this module is not

    torch.set_num_threads(count)
    return count
