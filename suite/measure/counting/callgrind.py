"""Counting of calls from within a process that runs under valgrind. Of the standard library alone.

Each side of a comparison loads this file of the driver's. Instrumentation is off until the first call, so that imports
and warm-up run at a tenth of their speed instead of a hundredth.
"""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Callable
from pathlib import Path
from time import process_time, thread_time

WARM_UP = 12  # calls: Python 3.11 and newer rewrites the byte code of what runs for the eighth time
LONG = 8  # warm-up calls of a batch
REPEATS = 5
ELSEWHERE = 0.02  # of a call's processor time, in other threads, from which on its count would miss work
CLOCKS = 0.001  # seconds that reading two clocks one after the other may take


class NotCountingError(RuntimeError):
    """No callgrind, no file of valgrind's where it was asked for one, or work that callgrind does not see."""


class Callgrind:
    """The requests to valgrind, from a ``library`` that `suite.measure.counting.instructions` has compiled.

    ``out`` is the file of ``--callgrind-out-file``: valgrind writes ``out.1``, ``out.2`` and so on. ``%p`` in it is the
    number of this process.
    """

    def __init__(self, library: str, out: str) -> None:
        self._requests, self._out, self._dumps = ctypes.CDLL(library), Path(out.replace("%p", str(os.getpid()))), 0
        if not self._requests.suite_on_valgrind():
            raise NotCountingError("this process does not run under valgrind")

    def counted(
        self, call: Callable[[], object], reset: Callable[[], object], *, warm_up: int = WARM_UP, repeats: int = REPEATS
    ) -> list[str]:
        """The files of so many counts of one ``call`` each, after a ``reset`` that is not counted.

        Raises `NotCountingError` where valgrind wrote none, and for a call whose work is done in other threads:
        callgrind counts in the thread that asks for it.
        """
        for _ in range(warm_up - 1):
            call()
        _check_thread(call)
        gc.collect()  # before each instruction takes fifty times as long
        gc.disable()
        self._requests.suite_start()
        reset()
        call()  # what is translated for counting now
        try:
            return [self._one(call, reset) for _ in range(repeats)]
        finally:
            self._requests.suite_stop()
            gc.enable()

    def _one(self, call: Callable[[], object], reset: Callable[[], object]) -> str:
        reset()
        self._requests.suite_toggle()
        kept = call()
        self._requests.suite_toggle()
        self._requests.suite_dump(b"suite")
        del kept  # freeing the outputs is no part of the call
        self._dumps += 1
        dump = self._out.with_name(f"{self._out.name}.{self._dumps}")
        if not dump.is_file():
            raise NotCountingError(f"valgrind has not written {dump.name}")
        return str(dump)


def _check_thread(call: Callable[[], object]) -> None:
    all_began, own_began = process_time(), thread_time()
    call()
    whole, own = process_time() - all_began, thread_time() - own_began
    if whole - own > max(CLOCKS, ELSEWHERE * whole):
        raise NotCountingError(
            f"other threads do {(whole - own) / whole:.0%} of its work, which callgrind does not count; "
            "make it compute in the thread that calls it"
        )
