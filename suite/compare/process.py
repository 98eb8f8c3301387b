"""A worker process of one side: started quiet, asked line by line, its last words told if it dies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar

from suite.compare import protocol
from suite.compare.children import Child, Image, ImageError, Spawned, last_words, received
from suite.compare.protocol import Failed, Ready, SideRequest
from suite.compare.sides import Side
from suite.core.errors import SuiteError
from suite.core.machine import quiet
from suite.core.transport import MessageError

T = TypeVar("T")

WORKER = Path(__file__).with_name("worker.py")
TIMEOUT = 1800.0  # seconds for one answer; a hung compiler must not hang a gate
NOTHING: Mapping[str, str] = MappingProxyType({})
MISSING = ("UsageError", "CompositionError")  # how a side says that it has no such workload or technique


class SideError(SuiteError):
    """A side cannot measure a cell.

    ``kind`` is the class of what it raised, ``crash`` if it ended without a word, ``answer`` if it said something else
    than what it was asked for.
    """

    def __init__(self, side: str, kind: str, said: str) -> None:
        self.side, self.kind = side, kind
        super().__init__(f"{side}: {said}")


class Process:
    """A running worker; a context manager that ends it.

    Without an ``image`` it may run ``under`` another program, such as valgrind, with ``variables`` of its own.
    """

    def __init__(
        self, side: Side, request: SideRequest, *, folder: Path, other: Side, number: int = 0,
        image: Image | None = None, under: Sequence[str] = (), variables: Mapping[str, str] = NOTHING,
    ) -> None:  # fmt: skip
        self.side, self._under, self._variables = side, under, variables
        self._errors = folder / f"{number}.err"
        path = folder / f"{number}.json"
        path.write_text(protocol.line(_build(side, request, folder, other)), "utf-8")
        self._child = self._started(path, request, other, image)

    def _started(self, path: Path, request: SideRequest, other: Side, image: Image | None) -> Child:
        side = self.side
        with self._errors.open("w", encoding="utf-8") as errors:
            if image is None:
                command = [*self._under, str(side.python), "-P", str(WORKER), str(path)]
                environment = _environment(side, request, other) | dict(self._variables)
                return Spawned(command, here=side.here, environment=environment, errors=errors)
            try:
                return image.start(path, here=side.here, path=moved_path(os.environ, side, other), errors=errors)
            except ImageError as error:
                raise SideError("the process that both sides are forked from", "crash", str(error)) from error

    def ready(self) -> Ready:
        """Wait until the cell is built; what the side says of it. Raises `SideError`."""
        return self._answer(self._limit(), Ready)

    def ask(self, question: protocol.Question, kind: type[T]) -> T:
        """The answer of that kind to one question. Raises `SideError` where the side fails or ends instead."""
        timer = self._limit()  # before the question: its thread must not run beside the turn
        try:
            self._child.stdin.write(protocol.line(question) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise self._crash() from None
        return self._answer(timer, kind)

    def _limit(self) -> Timer:
        timer = Timer(TIMEOUT, self._child.kill)
        timer.daemon = True
        timer.start()
        return timer

    def _answer(self, timer: Timer, kind: type[T]) -> T:
        line = self._child.stdout.readline()
        timer.cancel()
        if not line.endswith("\n"):
            raise self._crash()
        try:
            answer = received(line, kind)
        except MessageError as error:
            raise SideError(self.side.name, "answer", f"its process answered with {error}") from error
        if isinstance(answer, Failed):
            raise SideError(self.side.name, answer.kind, answer.error)
        return answer

    def _crash(self) -> SideError:
        code = self._child.wait()
        return SideError(self.side.name, "crash", f"ended with {code}: {last_words(self._errors)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is not None:
            self._child.kill()
        with suppress(BrokenPipeError):
            self._child.stdin.close()
        self._child.wait()
        self._child.stdout.close()


def _build(side: Side, request: SideRequest, folder: Path, other: Side) -> protocol.Build:
    return protocol.Build(
        **vars(request), folder=str(folder), paths=tuple(side.paths), root=str(side.root),
        other_root=None if other.root == side.root else str(other.root),
    )  # fmt: skip


@contextmanager
def image(one: Side, other: Side, request: SideRequest, *, folder: Path) -> Iterator[Image | None]:
    """A process for both sides to be forked from; ``None`` where they have nothing in common or forks are not safe."""
    if not Image.possible() or one.python != other.python or request.device != "cpu" or quiet.threads() > 1:
        yield None
        return
    try:
        loaded = image_of(one, other, request, errors=folder / "image.err")
        loaded.load()
    except ImageError:  # a side that loads by itself says why it cannot
        yield None
        return
    with loaded:
        yield loaded


def image_of(
    one: Side, other: Side, request: SideRequest, *, errors: Path, under: Sequence[str] = (),
    variables: Mapping[str, str] = NOTHING,
) -> Image:  # fmt: skip
    """An image of ``one`` with what the import paths of both sides share, which loads yet. Raises `ImageError`.

    It may run ``under`` another program, with ``variables`` of its own.
    """
    paths = [moved_path(os.environ, *sides) for sides in ((one, other), (other, one))]
    shared = [entry for entry in paths[0] if entry in paths[1] and Path(entry).is_absolute()]
    environment = _environment(one, request, other) | {"PYTHONPATH": os.pathsep.join(shared)} | dict(variables)
    with errors.open("w", encoding="utf-8") as file:
        return Image(one.python, environment=environment, errors=file, timeout=TIMEOUT, under=under)


def _environment(side: Side, request: SideRequest, other: Side) -> dict[str, str]:
    """Quiet, on the driver's core; what the import path holds of the other checkout is taken from this one."""
    accelerator = not request.device.startswith("cpu")
    made = quiet.environment(os.environ, threads=quiet.threads(), accelerator=accelerator)
    made["PYTHONPATH"] = os.pathsep.join(moved_path(os.environ, side, other))
    return made


def moved_path(environ: Mapping[str, str], side: Side, other: Side) -> list[str]:
    """``PYTHONPATH`` with every entry below the ``other`` side's checkout replaced by the same place of this one."""
    entries = [Path(entry) for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    inside = [not e.is_relative_to(side.root) and e.is_relative_to(other.root) for e in entries]
    moved = [side.root / e.relative_to(other.root) if below else e for e, below in zip(entries, inside, strict=True)]
    return [str(entry) for entry in moved]
