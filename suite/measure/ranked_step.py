"""A training step of several ranks as the sampler times it: a call lets all of them take it, and returns when all have.

The ranks live as long as the sample. A call costs two messages by pipe beside the step, some tenths of a millisecond.
No other collectives run in these processes: two sets of them in turns would wait for each other.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from suite.core.errors import ImplausibleError
from suite.core.machine.core import several
from suite.core.machine.flags import applied
from suite.measure.integrity.training_steps import check_learning
from suite.measure.step import TimedStep, training_step
from suite.training.distributed.in_ranks import flags_of_a_rank
from suite.training.distributed.launching import Rank, RankError, join, preload, settled
from suite.training.distributed.traffic import sent_bytes
from suite.training.recipe import Recipe, Reference

PATIENCE = 120.0  # seconds that a step, or getting ready for it, may take
COUNTED = 3  # steps whose bytes are counted


class RankedStep:
    """Lets all ranks of a recipe train on their first batch when called; see `suite.measure.step.TimedStep`."""

    def __init__(self, recipe: Recipe, *, device: str, reference: Reference) -> None:
        self.flags, self.ranks = recipe.flags, recipe.launch.ranks
        self._folder, self._running = tempfile.TemporaryDirectory(prefix="ranked-step-"), ExitStack()
        self._cores = self._running.enter_context(several(self.ranks))
        self._processes: list[Any] = []
        self._pipes: list[Connection] = []
        preload()
        for index in range(self.ranks):
            self._start(Rank(index=index, world=self.ranks), recipe, device, reference)
        self.items = max(self._answers())

    def _start(self, rank: Rank, recipe: Recipe, device: str, reference: Reference) -> None:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        parents = [*self._pipes, ours]  # which a rank must not hold open: it would not notice that its parent is gone

        def make() -> TimedStep:
            join(rank, Path(self._folder.name), PATIENCE)
            own = replace(recipe, flags=flags_of_a_rank(recipe))
            return training_step(own, device=device, reference=reference)

        process = context.Process(target=_rank, args=(rank, self._cores, theirs, parents, make), daemon=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
            process.start()
        theirs.close()
        self._processes.append(process)
        self._pipes.append(ours)

    def __call__(self) -> None:
        self._ask("step")

    def reset(self) -> None:
        """Restore weights and buffers in all ranks."""
        self._ask("reset")

    def check(self, side: str, first_loss: float | None) -> None:
        """Raise `ImplausibleError` if the step cannot have trained on its batch, as of a step of one process."""
        for said in self._ask("check", side, first_loss):
            if said is not None:
                raise ImplausibleError(said.removeprefix("implausible: "))

    @property
    def suspect(self) -> str | None:
        """Why its times cannot be trusted, if the ranks have no core each."""
        return sharing(self.ranks, self._cores)

    def network_bytes(self) -> float | None:
        """Bytes that the busiest rank sends in one step, as the kernel counts them; ``None`` where it does not."""
        before = self._ask("bytes")
        for _ in range(COUNTED):
            self()
        after = self._ask("bytes")
        known = [(now - then) / COUNTED for then, now in zip(before, after, strict=True) if None not in (then, now)]
        return max(known) if len(known) == self.ranks else None

    def close(self) -> None:
        """End the ranks."""
        for pipe in self._pipes:
            with suppress(OSError):
                pipe.send(("end",))
            pipe.close()
        for process in self._processes:
            process.join(1.0)
            process.kill()
        self._running.close()
        self._folder.cleanup()

    def _ask(self, *command: Any) -> list[Any]:
        for pipe in self._pipes:
            pipe.send(command)
        return self._answers()

    def _answers(self) -> list[Any]:
        answers = [self._answer(index) for index in range(self.ranks)]
        for index, (failed, value) in enumerate(answers):
            if failed:
                self.close()
                raise RankError(f"rank {index} of {self.ranks} failed: {value}")
        return [value for _, value in answers]

    def _answer(self, index: int) -> tuple[bool, Any]:
        try:
            if self._pipes[index].poll(PATIENCE):
                answer: tuple[bool, Any] = self._pipes[index].recv()
                return answer
        except EOFError:
            return True, "it ended without a word"
        return True, f"no answer within {PATIENCE:g} s"


def sharing(ranks: int, cores: Sequence[int]) -> str | None:
    """Says that so many ranks have no core each; ``None`` where they have, and where the platform has no affinity."""
    if len(cores) >= ranks or not hasattr(os, "sched_setaffinity"):
        return None
    shared = f"share core {', '.join(map(str, cores))}" if cores else "have no core of their own"
    return f"{ranks} ranks {shared}, since other runs hold the rest; start it when those have ended"


def _rank(
    rank: Rank, cores: Sequence[int], pipe: Connection, parents: Sequence[Connection], make: Callable[[], TimedStep]
) -> None:
    """What a rank does until its parent ends it, or is gone."""
    for other in parents:
        other.close()
    with settled(rank, cores):
        try:
            timed = make()
            pipe.send((False, len(timed.batch)))
            _serve(timed, pipe)
        except EOFError:
            pass
        except Exception as error:  # noqa: BLE001  # told by the parent
            pipe.send((True, f"{type(error).__name__}: {error}"))
    os._exit(0)  # a usual exit would end what the parent set up


def _serve(timed: TimedStep, pipe: Connection) -> None:
    """Under the step's settings: the sampler writes them in its own process alone."""
    with applied(timed.flags):
        while (command := pipe.recv())[0] != "end":
            pipe.send((False, _did(timed, *command)))


def _did(timed: TimedStep, command: str, *given: Any) -> Any:
    if command == "step":
        timed()
    elif command == "reset":
        timed.reset()
    elif command == "bytes":
        return sent_bytes()
    else:
        return _said({given[0]: timed}, {given[0]: given[1]})
    return None


def _said(steps: Mapping[str, TimedStep], first_losses: Mapping[str, float | None]) -> str | None:
    try:
        check_learning(steps, first_losses)
    except ImplausibleError as error:
        return str(error)
    return None
