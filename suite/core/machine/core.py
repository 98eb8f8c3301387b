"""A core of one's own: the least loaded one that no other run holds.

Two runs on one core make figures that are wrong with narrow intervals, so each run holds a lock file for its core as
long as it lives. The processes that a run starts share its core, since they take turns.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from filelock import BaseFileLock

CORE, TAKEN, WAIT = "SUITE_CORE", "SUITE_CORE_TAKEN", "SUITE_WAIT"
ALLOWED = "SUITE_CORES"  # those that the run may use: a process that is pinned to its core cannot see them any more
WAIT_SECONDS = 1.0
LOOK_SECONDS = 0.1  # between two readings of the cores' counters, which advance by hundredths of a second
STAT = Path("/proc/stat")

_held: list[BaseFileLock] = []  # until the process ends


def choose() -> int:
    """The core to use, held from now on and passed to child processes in the environment: ``SUITE_CORE``.

    A core that the environment names is the parent's and used without a check. If other runs hold all cores, the run
    shares one, which ``SUITE_CORE_TAKEN`` names. With ``SUITE_WAIT=1`` it waits for a free core instead.
    """
    allowed, inherited = os.sched_getaffinity(0), own()
    if inherited in allowed:
        return inherited
    os.environ.pop(TAKEN, None)
    os.environ[ALLOWED] = ",".join(map(str, sorted(allowed)))
    cores = by_load(allowed, busy_shares())
    core = next((core for core in cores if _hold(core)), None)
    if core is None and os.environ.get(WAIT) == "1":
        core = _first_free(cores)
    if core is None:
        core = cores[0]
        os.environ[TAKEN] = str(core)
    os.environ[CORE] = str(core)
    return core


def _first_free(cores: list[int], wait: Callable[[float], object] = time.sleep) -> int:
    """The first core that another run lets go of."""
    sys.stderr.write("suite: other runs hold all cores; waiting for one to end (--wait)\n")
    while True:
        wait(WAIT_SECONDS)
        core = next((core for core in cores if _hold(core)), None)
        if core is not None:
            return core


def own() -> int | None:
    """The core that `choose` took, here or in a parent; ``None`` where it was not asked."""
    text = os.environ.get(CORE, "")
    return int(text) if text.isdecimal() else None


def allowed_cores() -> set[int]:
    """The cores that this run may use: those of its first process before it was pinned to one of them."""
    if not hasattr(os, "sched_getaffinity"):
        return set(range(os.cpu_count() or 1))
    noted = os.environ.get(ALLOWED, "") if own() is not None else ""
    return {int(text) for text in noted.split(",") if text.isdecimal()} or os.sched_getaffinity(0)


@contextmanager
def several(count: int) -> Iterator[tuple[int, ...]]:
    """Cores for so many processes that work at once while this one waits, held during the body.

    Its own comes first, then those that no other run holds, the least loaded first. They are fewer than ``count`` where
    other runs hold the rest, and none where the platform has no affinity.
    """
    if not hasattr(os, "sched_getaffinity"):
        yield ()
        return
    held: list[BaseFileLock] = []
    try:
        yield tuple(_free(count, held))
    finally:
        for lock in held:
            lock.release()


def _free(count: int, held: list[BaseFileLock]) -> list[int]:
    allowed, mine = allowed_cores(), own()
    chosen = [mine] if mine in allowed else []
    for core in by_load(allowed.difference(chosen), busy_shares()):
        if len(chosen) < count and _hold(core, held):
            chosen.append(core)
    return chosen


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
    for name in (CORE, TAKEN, ALLOWED):
        os.environ.pop(name, None)
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
    spans = {core: _span(before[core], after[core]) for core in before.keys() & after.keys()}
    return {core: span.busy / max(1, span.all) for core, span in spans.items()}


class Ticks(NamedTuple):
    """Of a core since boot: those it was busy, all, and those that the hypervisor gave to another machine."""

    busy: int
    all: int
    stolen: int


class Watch:
    """What the cores do from now on; says nothing where the system does not tell, or the process has no own core."""

    def __init__(self) -> None:
        self._before = _ticks()

    def line(self) -> str:
        """How busy the other cores were, and what the hypervisor took of this process's."""
        own, after = os.environ.get(CORE, ""), _ticks()
        spans = {core: _span(self._before[core], after[core]) for core in self._before.keys() & after.keys()}
        if not own.isdecimal() or int(own) not in spans:
            return ""
        mine = spans.pop(int(own))
        others = [span.busy / max(1, span.all) for span in spans.values()]
        beside = f"the other {len(others)} worked {sum(others) / len(others):.0%} of the time, " if others else ""
        return f"cores: {beside}the hypervisor took {mine.stolen / max(1, mine.all):.1%} of core {own}"


def parse_stat(text: str) -> dict[int, Ticks]:
    """The ticks of each core, from the text of ``/proc/stat`` (proc(5)).

    Waiting for a disk is idle, stolen time is busy; a guest's time is in the user's already.
    """
    rows = (line.split() for line in text.splitlines())
    cores = {int(row[0][3:]): [int(field) for field in row[1:9]] for row in rows if _is_core(row)}
    return {core: Ticks(sum(ticks) - sum(ticks[3:5]), sum(ticks), sum(ticks[7:])) for core, ticks in cores.items()}


def _is_core(row: list[str]) -> bool:
    return bool(row) and row[0].startswith("cpu") and row[0][3:].isdecimal()


def _ticks() -> dict[int, Ticks]:
    try:
        return parse_stat(STAT.read_text("utf-8"))
    except OSError:
        return {}


def _span(before: Ticks, after: Ticks) -> Ticks:
    return Ticks(*(end - start for start, end in zip(before, after, strict=True)))


def lock_path(core: int) -> Path:
    """The file whose lock says that a run of this user holds ``core``."""
    return Path(tempfile.gettempdir()) / f"tradeoff-suite-{os.getuid()}-core-{core}.lock"


def _hold(core: int, held: list[BaseFileLock] | None = None) -> bool:
    """Lock ``core``, for the life of this process or of ``held``; false where another process has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(lock_path(core))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError:  # a file that is there and cannot be opened is another's; else there is no place for lock files
        return not os.path.lexists(lock_path(core))
    (_held if held is None else held).append(lock)
    return True
