"""Work that a call leaves to other threads and processes: the clock sees none of it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, process_time, thread_time  # now: a module loaded later may replace them

from suite.core.errors import ImplausibleError
from suite.core.machine import quiet

MOST = 0.1  # of the time, in CPU seconds of other threads and processes
LEAST = 0.05  # seconds
PROC = Path("/proc")
PARENT, USER, SYSTEM = 1, 11, 12  # fields of /proc/.../stat behind the command's name


@dataclass(kw_only=True)
class WorkElsewhere:
    """CPU seconds of other threads by arm, and why the times are in ``doubt``.

    Each of the ``arms`` has the seconds that its turns took, and those that others worked in them.
    """

    arms: dict[str, tuple[float, float]] = field(default_factory=dict)
    doubt: str = ""
    began: tuple[float, float] = (0.0, 0.0)

    def turn_begins(self) -> None:
        """The next turn starts about now."""
        self.began = _now()

    def turn_ended(self, arm: str) -> None:
        """A turn of ``arm`` took the time since `turn_begins`."""
        now, before = _now(), self.arms.get(arm, (0.0, 0.0))
        self.arms[arm] = (before[0] + now[0] - self.began[0], before[1] + now[1] - self.began[1])


@contextmanager
def watched(*, on_host: bool) -> Iterator[WorkElsewhere]:
    """Watch what other threads of this process, and its child processes, do in the body.

    Raises `ImplausibleError` for too much of it, in the whole or in the turns of an arm, where the process is to
    compute on one thread. In a plain process, whose threads nobody has set, it is a doubt, and the native workers of a
    library's pool are left out. With several threads (``--threads``), or work that is not ``on_host``, nothing is
    looked at.
    """
    found = WorkElsewhere()
    declared = "SUITE_THREADS" in os.environ
    if not on_host or (declared and quiet.threads() > 1):
        yield found
        return
    began, before, pool = monotonic(), _elsewhere(), _native_workers()
    found.turn_begins()
    yield found
    wall, seconds = monotonic() - began, _elsewhere() - before
    if declared:
        for took, worked in ((wall, seconds), *found.arms.values()):
            if said := _too_much(took, worked):
                raise ImplausibleError(f"{said} (functions that need several threads: --threads)")
        return
    seconds -= sum(cpu - pool.get(one, 0.0) for one, cpu in _native_workers().items())
    if said := _too_much(wall, seconds):
        found.doubt = f"{said}; run functions that need several threads with `suite pytest --threads N`"


def _too_much(wall: float, seconds: float) -> str:
    """What is wrong with so many ``seconds`` of others' work in ``wall`` seconds; empty if nothing is."""
    if seconds <= max(LEAST, MOST * wall):
        return ""
    return (
        f"{seconds:.2g} s of work went to other threads or to child processes in {wall:.2g} s; a call must have done "
        "its work when it returns"
    )


def _now() -> tuple[float, float]:
    return monotonic(), process_time() - thread_time()


def _elsewhere() -> float:
    """CPU seconds of all but this thread: of the process, of children that have ended, and of those that live."""
    ended = 0.0
    if sys.platform != "win32":
        import resource

        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = usage.ru_utime + usage.ru_stime
    return process_time() - thread_time() + ended + sum(_living_children())


def _living_children() -> Iterator[float]:
    """CPU seconds of each process below this one; nothing where there is no ``/proc``."""
    stats = {int(path.name): stat for path in _entries(PROC) if (stat := _stat(path)) is not None}
    below = {os.getpid()}
    while new := {pid for pid, stat in stats.items() if int(stat[PARENT]) in below and pid not in below}:
        below |= new
        yield from (_cpu(stats[pid]) for pid in new)


def _native_workers() -> dict[int, float]:
    """CPU seconds by thread, of those that are no thread of Python's: workers of OpenMP or of a BLAS."""
    ours = {thread.native_id for thread in threading.enumerate()}
    stats = {int(path.name): _stat(path) for path in _entries(PROC / "self" / "task")}
    return {one: _cpu(stat) for one, stat in stats.items() if stat is not None and one not in ours}


def _entries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.name.isdecimal()]
    except OSError:
        return []


def _stat(path: Path) -> list[str] | None:
    with suppress(OSError, ValueError):  # it has ended since
        return (path / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    return None


def _cpu(stat: list[str]) -> float:
    return (int(stat[USER]) + int(stat[SYSTEM])) / os.sysconf("SC_CLK_TCK")
