"""Processes of workers: started by themselves, or forked from an image that has loaded torch already."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import IO, Any, Protocol, Self, TypeVar

from suite.compare import protocol
from suite.core.errors import SuiteError
from suite.core.transport import MessageError, checked

T = TypeVar("T")

IMAGE = Path(__file__).with_name("preloaded.py")
LONGEST = 1 << 12  # bytes of an answer
GROUP: dict[str, Any] = {"process_group": 0} if sys.platform == "linux" else {}
"""Of its own where there are forks, so that a worker that hangs can be killed with its children."""


class Child(Protocol):
    """A worker's process: the two ends of its pipes, and its end."""

    stdin: IO[str]
    stdout: IO[str]

    def wait(self) -> int:
        """The exit code, once it has ended; negative for a signal."""

    def kill(self) -> None:
        """End it and its children, if it has not ended."""


def last_words(path: Path) -> str:
    """The last line that a process wrote to its file for errors."""
    lines = [line for line in path.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"


def received(text: str | bytes, kind: type[T]) -> T | protocol.Failed:
    """The answer of that kind, or how it failed. Raises `MessageError` for any other one."""
    try:
        name, fields = protocol.parts(text)
    except (ValueError, TypeError, AttributeError) as error:
        raise MessageError(f"no record: {text[:100]!r}") from error
    if name == protocol.Failed.__name__:
        return checked(fields, protocol.Failed)
    if name != kind.__name__:
        raise MessageError(f"a {name} where a {kind.__name__} was expected")
    return checked(fields, kind)


class ImageError(SuiteError):
    """An image did not load, or is gone."""


class Spawned:
    """A Python of its own."""

    def __init__(self, command: Sequence[str], *, here: Path, environment: Mapping[str, str], errors: IO[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own worker
            command, cwd=here, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            text=True, **GROUP,
        )  # fmt: skip
        assert self._process.stdin is not None  # noqa: S101  # a pipe was asked for
        assert self._process.stdout is not None  # noqa: S101  # a pipe was asked for
        self.stdin, self.stdout = self._process.stdin, self._process.stdout
        self._code: int | None = None

    def wait(self) -> int:
        """See `Child`."""
        self._code = self._process.wait()
        return self._code

    def kill(self) -> None:
        """See `Child`. Children may live on where the process itself has ended: nobody has waited for it yet."""
        if not GROUP:
            self._process.kill()
        elif self._code is None:
            _kill_group(self._process.pid)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


class Image:
    """A process that loads torch, to fork workers from; a context manager that ends it.

    It can be used where forks are safe: on Linux, for work of one thread on the CPU. It may run ``under`` another
    program. Raises `ImageError` where it cannot be started.
    """

    def __init__(
        self,
        python: Path,
        *,
        environment: Mapping[str, str],
        errors: IO[str],
        timeout: float,
        under: Sequence[str] = (),
    ) -> None:
        self._errors, self._lock = Path(errors.name), Lock()
        try:
            self._driver, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:  # a sandbox may forbid it
            raise ImageError(f"it cannot be talked to: {error}") from error
        self._driver.settimeout(timeout)
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603  # our own file
                    [*under, str(python), "-P", str(IMAGE), str(theirs.fileno())], env=dict(environment), stderr=errors,
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()], **GROUP,
                )  # fmt: skip
        except OSError as error:
            self._driver.close()
            raise ImageError(f"it cannot be started: {error}") from error

    def load(self) -> None:
        """Wait until it has loaded. Raises `ImageError`, and ends it, where no worker can be forked from it."""
        try:
            self._check(self._answer(protocol.Loaded))
        except BaseException:
            self.__exit__(ImageError, None, None)
            raise

    @staticmethod
    def _check(loaded: protocol.Loaded) -> None:
        if not loaded.forks:
            raise ImageError("it has threads, which do not survive a fork")

    @staticmethod
    def possible() -> bool:
        """Whether this system has what an image needs."""
        return sys.platform == "linux"

    def start(self, request: Path, *, here: Path, path: Sequence[str], errors: IO[str]) -> Forked:
        """A worker for a ``request``, in the folder ``here``, whose import path begins with ``path``."""
        with _Pipe() as asked, _Pipe() as told:
            text = protocol.line(protocol.Start(request=str(request), here=str(here), path=tuple(path)))
            with self._lock:
                try:
                    socket.send_fds(self._driver, [text.encode()], [asked.read, told.write, errors.fileno()])
                except OSError as error:
                    raise ImageError(f"it is gone: {error}") from error
                pid = self._answer(protocol.Started).pid
            return Forked(self, pid, stdin=asked.keep_write(), stdout=told.keep_read())

    def wait(self, pid: int) -> int:
        """The exit code of a worker, once it has ended."""
        with self._lock:
            with suppress(OSError):
                self._driver.send(protocol.line(protocol.Wait(pid=pid)).encode())
            return self._answer(protocol.Ended).code

    def kill(self) -> None:
        """End it, whatever it does: who waits for its answer in another thread gets an `ImageError`."""
        if self._process.poll() is None:
            _kill_group(self._process.pid)

    def _answer(self, kind: type[T]) -> T:
        try:
            text = self._driver.recv(LONGEST)
        except OSError as error:
            raise ImageError(f"it does not answer: {error}") from error
        if not text:
            raise ImageError(f"it ended with {self._process.wait()}: {last_words(self._errors)}")
        try:
            answer = received(text, kind)
        except MessageError as error:
            raise ImageError(f"it answers with {error}") from error
        if isinstance(answer, protocol.Failed):
            raise ImageError(answer.error)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._driver.close()
        if kind is not None:
            self.kill()
        self._process.wait()


class Forked:
    """A worker that an image forked."""

    def __init__(self, image: Image, pid: int, *, stdin: IO[str], stdout: IO[str]) -> None:
        self._image, self._pid, self.stdin, self.stdout = image, pid, stdin, stdout
        self._code: int | None = None
        self._lock = Lock()

    def wait(self) -> int:
        """See `Child`. An image that is gone took the code with it: then that of a killed process."""
        with self._lock:  # two threads may wait, and the image knows a process once
            if self._code is None:
                try:
                    self._code = self._image.wait(self._pid)
                except ImageError:
                    _kill_group(self._pid)
                    self._code = -signal.SIGKILL
            return self._code

    def kill(self) -> None:
        """See `Child`."""
        if self._code is None:
            _kill_group(self._pid)


class _Pipe:
    """A pipe that closes its ends after the body, except one that is kept."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        self._open = {self.read, self.write}

    def keep_read(self) -> IO[str]:
        self._open.remove(self.read)
        return os.fdopen(self.read, encoding="utf-8")

    def keep_write(self) -> IO[str]:
        self._open.remove(self.write)
        return os.fdopen(self.write, "w", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._open:
            os.close(end)
