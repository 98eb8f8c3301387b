"""A process that has loaded torch and forks workers that have too: ``python -P preloaded.py SOCKET``.

The memory layout of a process's libraries and first objects is random and lasts as long as the process. It changes
speed by up to several percent. Both sides of a pair are forked here from one layout, so their ratio does not depend on
it; each pair draws a new layout.

Requests and answers are packets, each a record of `suite.compare.protocol`: `Start` and `Wait`.
"""

from __future__ import annotations

import atexit
import gc
import importlib.util
import os
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from suite.compare.protocol import Start

LONGEST = 1 << 16  # bytes of a packet
WORKER = Path(__file__).with_name("worker.py")


def main(handle: int) -> None:
    """Load torch, say whether forks are safe, then fork and wait as asked until the driver is gone."""
    worker = _worker()
    worker.die_with_parent()
    worker.pin()
    worker.load_torch()
    protocol = worker.protocol
    with socket.socket(fileno=handle) as driver:
        driver.send(protocol.line(protocol.Loaded(forks=worker.can_fork("cpu"))).encode())
        gc.collect()
        gc.freeze()
        while True:
            text, files, *_ = socket.recv_fds(driver, LONGEST, 3)
            if not text:
                return
            asked = protocol.question(text)
            if isinstance(asked, protocol.Wait):
                answer = _ended(protocol, asked.pid)
            else:
                answer = protocol.Started(pid=_start(worker, driver, asked, files))
            driver.send(protocol.line(answer).encode())


def _worker() -> Any:
    spec = importlib.util.spec_from_file_location("_worker", WORKER)
    assert spec is not None  # noqa: S101  # the file is there
    assert spec.loader is not None  # noqa: S101  # it is Python
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _ended(protocol: Any, pid: int) -> Any:
    """The worker's exit code. One that is no child (any more) is told: other workers still need this process."""
    try:
        return protocol.Ended(code=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    except ChildProcessError as error:
        return protocol.Failed(error=f"it has no process {pid}: {error}", kind=type(error).__name__)


def _start(worker: Any, driver: socket.socket, asked: Start, files: list[int]) -> int:
    pid = os.fork()
    if pid == 0:
        driver.close()
        os._exit(_live(worker, asked, files))
    for file in files:
        os.close(file)
    with suppress(OSError):  # the child does it too: whoever comes first, it can be killed from now on
        os.setpgid(pid, pid)
    return pid


def _live(worker: Any, asked: Start, files: list[int]) -> int:
    """A worker's whole life, as that of a Python of its own; its exit code."""
    try:
        _become(asked, files)
        worker.main(Path(asked.request))
        code = 0
    except SystemExit as ended:
        code = _exit_code(ended.code)
    except BaseException:  # noqa: BLE001  # whatever it is, the loop above must not go on in the child
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()  # noqa: SLF001  # as multiprocessing does for its children
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _exit_code(said: object) -> int:
    """What `sys.exit` was given: a number, nothing, or last words."""
    if said is None or isinstance(said, int):
        return int(said or 0)
    sys.stderr.write(f"{said}\n")
    return 1


def _become(asked: Start, files: list[int]) -> None:
    """Take what a process of one's own has from its start: group, files, folder and import path."""
    os.setpgid(0, 0)
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # as long as the process lives
    os.chdir(asked.here)
    os.environ["PYTHONPATH"] = os.pathsep.join(asked.path)
    sys.path[:0] = asked.path


if __name__ == "__main__":
    main(int(sys.argv[1]))
