"""Whether the C library's allocator keeps memory between calls, determined by an experiment.

The allocator accepts or refuses its settings silently. The refused ones depend on glibc's release: before about 2.35 it
refuses an mmap threshold above 32 MiB. The other settings alone are then worse than the default.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable

if sys.platform != "win32":
    import resource

BLOCK = 64 << 20  # bytes; a layer's activations at a serving batch
TRIES = 3
MOST_FAULTS = 8  # of a block that was kept; 64 MiB that are mapped anew take 32 in huge pages, 16384 in small ones


def minor_faults() -> int:
    """Minor page faults of this process so far; 0 where the platform does not count them."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt if sys.platform != "win32" else 0


@functools.cache
def faults_again() -> int:
    """Page faults of filling 64 MiB that were allocated, filled and freed before: the least of three tries.

    Takes some hundredths of a second, once a process.
    """
    return least_faults(_fill_and_free(), minor_faults)


def least_faults(fill: Callable[[], object], count: Callable[[], int]) -> int:
    """The least of three times ``fill``, after one that may fault."""
    fill()
    return min(_faults(fill, count) for _ in range(TRIES))


def _faults(fill: Callable[[], object], count: Callable[[], int]) -> int:
    before = count()
    fill()
    return count() - before


def _fill_and_free() -> Callable[[], None]:
    """Allocate through ``malloc`` itself: Python's own allocator and numpy's cache would hide what it does."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]

    def fill() -> None:
        block = libc.malloc(BLOCK)
        if block:  # a limit on memory may refuse it: then nothing was found out
            libc.memset(block, 1, BLOCK)
            libc.free(block)

    return fill
