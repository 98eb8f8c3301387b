"""The quiet process: what must be set before Python starts, so that timings repeat.

Under glibc's default allocator the same network is bistable: its large buffers go back to the kernel after each call
and fault in again, which doubles its time in some processes and not in others. With the settings below no memory is
given back between calls. One thread on one core takes away the scheduler's share of the noise.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from suite.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "67108864",
}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "SUITE_THREADS")
DEFAULTS = {
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # deterministic matrix products on CUDA
    "TORCHINDUCTOR_COMPILE_THREADS": "1",  # a pool of compile workers would run beside the timed code
}
HOW = "start it with `suite bench`"


def environment(base: Mapping[str, str], *, threads: int = 1) -> dict[str, str]:
    """``base`` with everything that a quiet process with ``threads`` threads needs."""
    if threads < 1:
        raise UsageError(f"a process needs at least one thread, got threads={threads}")
    counts = dict.fromkeys(THREADS, str(threads))
    return {**DEFAULTS, **base, **MALLOC, **counts, "PYTHONHASHSEED": "0", "SUITE_QUIET": "1"}


def default_environment(base: Mapping[str, str]) -> dict[str, str]:
    """``base`` with the allocator's default behaviour: for the pass that measures the resident set."""
    return {name: value for name, value in base.items() if name not in MALLOC}


def is_quiet(environ: Mapping[str, str] | None = None, *, glibc: bool | None = None) -> tuple[bool, str]:
    """Whether timings of this process can be trusted and, if not, why and how to get one that can.

    The allocator's settings count only where the C library is glibc (found out when ``glibc`` is not given).
    """
    environ = os.environ if environ is None else environ
    if environ.get("SUITE_QUIET") != "1":
        return False, f"this is no quiet process: {HOW}"
    required = MALLOC if (on_glibc() if glibc is None else glibc) else {}
    for name, value in required.items():
        if environ.get(name) != value:
            return False, f"{name} is {environ.get(name, 'not set')} instead of {value}: {HOW}"
    if environ.get("OMP_NUM_THREADS") != environ.get("SUITE_THREADS"):
        found, meant = environ.get("OMP_NUM_THREADS", "not set"), environ.get("SUITE_THREADS", "not set")
        return False, f"OMP_NUM_THREADS is {found} while SUITE_THREADS is {meant}: {HOW}"
    return True, ""


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
    """Keep this process on the last core it may use, and name that core.

    ``None`` where nothing is pinned: with several threads, or where the platform or its policy has no affinity.
    """
    if threads() > 1 or not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    try:
        os.sched_setaffinity(0, {core})
    except OSError:  # a sandbox may forbid it; timings are then noisier, not wrong
        return None
    return core


def apply_threads() -> int | None:
    """Give torch the quiet process's number of threads; outside of one leave torch as it is."""
    if "SUITE_THREADS" not in os.environ:
        return None
    count = threads()
    import torch  # torch is slow to import, and this module is not

    torch.set_num_threads(count)
    return count
