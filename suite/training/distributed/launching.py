"""Run a function on several ranks of this machine; a rank that dies or hangs is named.

The ranks are started by torch's own elastic agent (https://docs.pytorch.org/docs/stable/elastic/run.html) as forks of
this process: torch is imported once, and closures need no pickling. They meet through a file, with a new path for each
attempt: a port that an earlier attempt still holds cannot delay them.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import logging
import os
import pickle
import signal
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist

from suite.core import errors
from suite.core.errors import SuiteError, UsageError
from suite.core.machine.core import several

if TYPE_CHECKING:
    from torch.distributed.launcher.api import LaunchConfig

__all__ = ["LaunchLimits", "Rank", "RankError", "join", "preload", "run_ranks", "settled"]

T = TypeVar("T")
PRELOADED = (
    *("torch._dynamo", "torch.distributed.tensor", "torch.distributed.fsdp", "torch.distributed.optim"),
    *("torch.distributed.pipelining", "torch.distributed.checkpoint", "torch.distributed.checkpoint.state_dict"),
)
"""Imported before ranks are forked: torch imports them late, in seconds, in every rank and after every restart."""
NOISY = (
    *("torch.distributed.elastic", "torch.multiprocessing.spawn"),
    "torch.distributed.tensor._redistribute",  # that gathering over two dimensions takes two messages
)
"""Loggers that report in every rank what no reader can act on."""
FRAMES = 6  # lines of a stack that say where a rank was
YIELD = 0.5  # seconds
GRACE = 3.0  # seconds in which every rank that still runs answers after one has failed


class RankError(SuiteError, RuntimeError):
    """A rank failed, was killed or hangs; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Rank:
    """One of ``world`` processes that train together; ``attempt`` counts restarts from 0."""

    index: int
    world: int
    attempt: int = 0

    def __str__(self) -> str:
        return f"rank {self.index} of {self.world}"

    @classmethod
    def here(cls) -> Rank:
        """The rank that this process is; raises `KeyError` outside of a launch."""
        index, world, attempt = (int(os.environ[name]) for name in _VARIABLES)
        return cls(index=index, world=world, attempt=attempt)


_VARIABLES = ("RANK", "WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT")


@dataclass(frozen=True, kw_only=True)
class LaunchLimits:
    """How long ranks may take, in seconds, and how often they are started again.

    ``collective`` is how long a rank waits for the others. ``whole`` ends an attempt that runs longer; ``None``: it
    may. All ranks are started again, ``restarts`` times at most, when one has failed.
    """

    collective: float = 60.0
    whole: float | None = 3600.0
    restarts: int = 0


DEFAULT_LIMITS = LaunchLimits()


def run_ranks(work: Callable[[Rank], T], ranks: int, limits: LaunchLimits = DEFAULT_LIMITS) -> list[T]:
    """Call ``work`` on so many ranks, joined by gloo; returns what they returned, rank 0 first.

    Results are pickled: numbers, tuples, lists, bytes and frozen records. Raises `UsageError` for fewer than one rank,
    `RankError` that names the rank that failed, and an error of the suite's own as the rank raised it.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    if ranks < 1:
        raise UsageError(f"a launch needs one rank or more, got ranks={ranks}")
    with tempfile.TemporaryDirectory(prefix="ranks-") as folder, _undisturbed(), several(ranks) as cores:
        preload()
        config = _config(ranks, limits, folder)
        try:
            found = elastic_launch(config, _rank)(work, folder, limits, cores)
        except ChildFailedError as failed:
            raise _error_of(Path(folder), ranks, failed.failures) from None
    return [pickle.loads(found[index]) for index in range(ranks)]  # noqa: S301  # our own forks wrote it


def preload() -> None:
    """Import what ranks use, before they are forked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch 2.11's own, about its optimizers
        for name in PRELOADED:
            importlib.import_module(name)


def _config(ranks: int, limits: LaunchLimits, folder: str) -> LaunchConfig:
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.launcher.api import LaunchConfig

    return LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=ranks, run_id=uuid.uuid4().hex, rdzv_backend="c10d",
        rdzv_endpoint="localhost:0", max_restarts=limits.restarts, monitor_interval=0.1, start_method="fork",
        logs_specs=DefaultLogsSpecs(log_dir=folder),
    )  # fmt: skip


@contextmanager
def _undisturbed() -> Iterator[None]:
    """The agent replaces signal handlers for good, logs each failure, and Python warns of forks beside threads."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    loggers = [logging.getLogger(name) for name in NOISY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
            warnings.filterwarnings("ignore", module=r"torch\..*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        _restore(handlers)


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    if threading.current_thread() is threading.main_thread():  # elsewhere none was replaced
        for number, handler in handlers.items():
            signal.signal(number, handler)


# -- in a rank --------------------------------------------------------------------------------------------------------


def _rank(work: Callable[[Rank], T], folder: str, limits: LaunchLimits, cores: Sequence[int]) -> bytes:
    """What a rank does: join the others, work, and write down why it failed."""
    rank, place = Rank.here(), Path(folder)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the agent ends ranks with it, and a fork has the agent's handler
    _late = _watched(rank, place, limits)
    try:
        with settled(rank, cores), _joined(rank, place, limits):
            return pickle.dumps(work(rank))
    except BaseException as error:  # noqa: BLE001  # reported by the parent
        _write_error(place, rank, error)
        if _consequence(_said(error)):
            time.sleep(YIELD)  # the agent names whom it sees first, and that is to be the rank with the fault
        os._exit(1)  # a usual exit waits for threads that may wait for other ranks


def _watched(rank: Rank, folder: Path, limits: LaunchLimits) -> IO[str]:
    """The file, to be open until the process ends, in which a rank that takes too long leaves the lines it was in."""
    late = (folder / f"late-{rank.attempt}-{rank.index}").open("w")
    if limits.whole is not None:
        faulthandler.dump_traceback_later(limits.whole, exit=True, file=late)
    return late


@contextmanager
def settled(rank: Rank, cores: Sequence[int]) -> Iterator[None]:
    """One thread, since libgomp does not survive a fork, on one of the ``cores`` that the launch has."""
    torch.set_num_threads(1)
    _pin(rank, cores)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"torch\..*")  # what the parent makes of warnings is not torch's
        yield


def _pin(rank: Rank, cores: Sequence[int]) -> None:
    """A core each; where there are too few, all ranks share those that there are."""
    if cores:
        with suppress(OSError):  # a sandbox may forbid it
            os.sched_setaffinity(0, {cores[rank.index]} if rank.world <= len(cores) else set(cores))


@contextmanager
def _joined(rank: Rank, folder: Path, limits: LaunchLimits) -> Iterator[None]:
    """In a process group. A second group, which nothing else uses, finds out who is missing when a wait is too long."""
    join(rank, folder, limits.collective)
    watch = dist.new_group(backend="gloo", timeout=timedelta(seconds=GRACE))
    try:
        yield
    except RuntimeError as error:
        if "imed out" not in str(error):
            raise
        raise RankError(_hanging(rank, watch, limits.collective)) from error
    dist.destroy_process_group()


def join(rank: Rank, folder: Path, timeout: float) -> None:
    """Make this process a member of the group that meets in ``folder``; a wait ends after ``timeout`` seconds."""
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet-{rank.attempt}", rank=rank.index, world_size=rank.world,
        timeout=timedelta(seconds=timeout),
    )  # fmt: skip


def _hanging(rank: Rank, watch: Any, seconds: float) -> str:
    """Which ranks are missing; only rank 0 learns of others, and they learn of rank 0."""
    waited = f"within {seconds:g} s, while the others wait in a collective; look for what it does meanwhile"
    try:
        dist.monitored_barrier(watch, timeout=timedelta(seconds=GRACE / 2), wait_all_ranks=True)
    except RuntimeError as error:
        missing = _named(str(error)) if rank.index == 0 else ["0"]
        return f"rank {', '.join(missing)} of {rank.world} hangs: it reaches no collective {waited}"
    return f"{rank} waited {seconds:g} s for a collective that all ranks had left or not begun"


def _named(said: str) -> list[str]:
    """The ranks of gloo's sentence ``Ranks 1, 3 failed to pass monitoredBarrier in 1500 ms``."""
    before, _, _ = said.partition(" failed to pass")
    return [word.strip(", ") for word in before.split("Ranks")[-1].split() if word.strip(", ").isdigit()]


def _write_error(folder: Path, rank: Rank, error: BaseException) -> None:
    (folder / f"error-{rank.attempt}-{rank.index}.json").write_text(json.dumps(_said(error)), "utf-8")


def _said(error: BaseException) -> dict[str, str]:
    return {"kind": type(error).__name__, "message": str(error) or repr(error)}


# -- what the parent makes of a failure -------------------------------------------------------------------------------


def _error_of(folder: Path, ranks: int, failures: dict[int, Any]) -> Exception:
    """The error of the rank that failed first, as far as it can be known."""
    attempt = max((int(file.name.split("-")[1]) for file in folder.glob("late-*")), default=0)
    written = {
        int(file.stem.split("-")[2]): json.loads(file.read_text("utf-8"))
        for file in sorted(folder.glob(f"error-{attempt}-*.json"))
    }
    for index, failure in sorted(failures.items()):
        if failure.exitcode < 0 and index not in written:
            return RankError(f"rank {index} of {ranks} was killed by {failure.signal_name()}")
    for index, said in sorted(written.items(), key=lambda item: _consequence(item[1])):
        return _raised_by(index, ranks, said)
    return _late(folder, attempt, ranks)


def _consequence(said: dict[str, str]) -> int:
    """0: a rank's own fault; 1: a rank that hangs, as rank 0 named it; 2: a connection that another one closed."""
    if said["kind"] == "RankError":
        return 1
    return 2 * any(words in said["message"] for words in ("Connection closed", "Connection reset", "peer"))


def _raised_by(index: int, ranks: int, said: dict[str, str]) -> Exception:
    if said["kind"] == "RankError":
        return RankError(said["message"])
    kind = getattr(errors, said["kind"], None)
    if isinstance(kind, type) and issubclass(kind, SuiteError):
        return kind(said["message"])
    return RankError(f"rank {index} of {ranks} failed: {said['kind']}: {said['message']}")


def _late(folder: Path, attempt: int, ranks: int) -> Exception:
    """A rank that was ended by its watchdog left the lines that it was in."""
    for file in sorted(folder.glob(f"late-{attempt}-*")):
        if stack := file.read_text("utf-8").splitlines()[1:]:
            index = file.name.split("-")[2]
            said = "\n".join(stack[:FRAMES])
            return RankError(f"rank {index} of {ranks} did not end in time; it was in\n{said}")
    return RankError(f"a rank of {ranks} ended without a word")
