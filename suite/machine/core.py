"""A core of one's own: the least loaded one that no other run holds.

Two runs on one core make figures that are wrong with narrow intervals, so each run holds a lock file for its core as
long as it lives. The processes that a run starts share its core, since they take turns.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

CORE, TAKEN = "SUITE_CORE", "SUITE_CORE_TAKEN"
LOOK_SECONDS = 0.1  # between two readings of the cores' counters, which advance by hundredths of a second
STAT = Path("/proc/stat")

_held: list[BaseFileLock] = []  # until the process ends


def choose() -> int:
    """The core to use, held from now on and left to child processes in the environment: ``SUITE_CORE``.

    A core that the environment names is the parent's and taken as it is. Where other runs hold all cores,
    ``SUITE_CORE_TAKEN`` names the one that is used all the same.
    """
    allowed = os.sched_getaffinity(0)
    inherited = os.environ.get(CORE, "")
    if inherited.isdecimal() and int(inherited) in allowed:
        return int(inherited)
    os.environ.pop(TAKEN, None)
    cores = by_load(allowed, busy_shares())
    core = next((core for core in cores if _hold(core)), None)
    if core is None:
        core = cores[0]
        os.environ[TAKEN] = str(core)
    os.environ[CORE] = str(core)
    return core


@contextmanager
def aside() -> Iterator[None]:
    """Choose a core for child processes, and keep this one off it during the body, where there is another."""
    if not hasattr(os, "sched_getaffinity"):
        yield
        return
    before, chosen = os.sched_getaffinity(0), choose()
    try:
        _settle(before - {chosen} or before)
        yield
    finally:
        _settle(before)


def _settle(cores: set[int]) -> None:
    with suppress(OSError):  # a sandbox may forbid it
        os.sched_setaffinity(0, cores)


def release() -> None:
    """Let go of the core that `choose` took."""
    os.environ.pop(CORE, None)
    os.environ.pop(TAKEN, None)
    while _held:
        _held.pop().release()


def by_load(cores: set[int], shares: Mapping[int, float]) -> list[int]:
    """``cores``, the least loaded first; among equals the last, which has the fewest interrupts to serve."""
    return sorted(cores, key=lambda core: (shares.get(core, 0.0), -core))


def busy_shares(wait: Callable[[float], object] = time.sleep) -> dict[int, float]:
    """The share of time in which each core worked just now; empty where the system does not say."""
    before = _ticks()
    if not before:
        return {}
    wait(LOOK_SECONDS)
    after = _ticks()
    return {core: _share(before[core], after[core]) for core in before.keys() & after.keys()}


def parse_stat(text: str) -> dict[int, tuple[int, int]]:
    """Busy and all ticks of each core since boot, from the text of ``/proc/stat`` (proc(5)).

    Waiting for a disk is idle; a guest's time is in the user's already.
    """
    rows = (line.split() for line in text.splitlines())
    cores = {int(row[0][3:]): [int(field) for field in row[1:9]] for row in rows if _is_core(row)}
    return {core: (sum(ticks) - sum(ticks[3:5]), sum(ticks)) for core, ticks in cores.items()}


def _is_core(row: list[str]) -> bool:
    return bool(row) and row[0].startswith("cpu") and row[0][3:].isdecimal()


def _ticks() -> dict[int, tuple[int, int]]:
    try:
        return parse_stat(STAT.read_text("utf-8"))
    except OSError:
        return {}


def _share(before: tuple[int, int], after: tuple[int, int]) -> float:
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def lock_path(core: int) -> Path:
    """The file whose lock says that a run of this user holds ``core``."""
    return Path(tempfile.gettempdir()) / f"tradeoff-suite-{os.getuid()}-core-{core}.lock"


def _hold(core: int) -> bool:
    """Lock ``core`` for the life of this process; false where another process has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(lock_path(core))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError:  # no place for lock files here: nobody can be told, and nobody can tell
        return True
    _held.append(lock)
    return True
