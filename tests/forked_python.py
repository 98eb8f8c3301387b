"""A ``python`` whose processes are forked from one that has already imported torch and its peers.

A process of the suite takes several seconds to import what it needs, which is most of what a system test lasts.
`Images` starts one process for each environment it is given and writes an executable that asks the one whose settings
match. Anything else is run by the real interpreter: other options than ``-P -m``, or other values of the variables that
only count when Python or a library starts.

Run as a script this file is the client; `serve` is the other end. Only the standard library may be imported here.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import hashlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

MODULES = (  # what commands of the suite import; pytest's plugins are left out: they are rewritten when imported
    "msgspec",
    "numpy",
    "pandas",
    "platformdirs",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.datasets",
    "tabulate",
    "torch",
    "torch._dynamo.aot_compile",
    "torch.ao.quantization",
    "torchvision",
)
AT_START = ("CUDA", "GLIBC", "KMP_", "LANG", "LC_", "LD_", "MALLOC_", "MKL_", "OMP_", "OPENBLAS_", "PYTHON", "TORCH")
"""Variables that a forked process reads too late begin with one of these."""

CLIENT = """#!/bin/sh
exec {python} -I -S {file} {folder} {python} "$@"
"""


class Images:
    """Processes to fork from; ``executable`` stands in for ``sys.executable`` until `close`."""

    def __init__(self, folder: Path, environments: Sequence[Mapping[str, str]]) -> None:
        self.executable = folder / "python"
        self.executable.write_text(
            CLIENT.format(python=sys.executable, file=Path(__file__).resolve(), folder=folder), "utf-8"
        )
        self.executable.chmod(0o755)
        self._started = [self._start(folder, environment) for environment in environments]

    def _start(self, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        address = folder / _key(environment)
        code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import forked_python as f; f.serve()"
        command = [sys.executable, "-P", "-c", code, str(address), str(self.executable)]
        return subprocess.Popen(command, env=dict(environment), stdin=subprocess.PIPE)

    def close(self) -> None:
        for process in self._started:
            process.communicate()  # closes its input


def _key(environment: Mapping[str, str]) -> str:
    settings = sorted((name, value) for name, value in environment.items() if name.startswith(AT_START))
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:16]


def serve() -> None:
    """Import the modules, then fork a process for each client; return, in that process, once it has run."""
    address, executable = sys.argv[1:]
    for name in MODULES:
        with contextlib.suppress(ImportError):  # an extra that is not installed
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(f"{address}.new")
        server.listen(64)
        Path(f"{address}.new").rename(address)  # who finds it can connect
        while True:
            ready, _, _ = select.select([server, sys.stdin], [], [])
            if sys.stdin in ready:
                os._exit(0)
            client, _ = server.accept()
            if os.fork() == 0:
                break
            client.close()
    arguments = _wait_or_become(client, executable)
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def _wait_or_become(client: socket.socket, executable: str) -> list[str]:
    """In the process that is to run: its arguments. The other one waits for it, tells the client and ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked, files = _receive(client)
    child = os.fork()
    if child:
        for file in files:
            os.close(file)
        _wait(client, child)
    os.setpgid(0, 0)
    client.close()
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    _open_streams()
    atexit.register(gc.unfreeze)  # or extension modules report all that they have as leaked
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.executable = executable
    sys.orig_argv = [executable, "-P", "-m", *asked["arguments"]]
    del sys.path[0]  # the folder of this file
    del sys.modules["forked_python"]
    return list(asked["arguments"])


def _open_streams() -> None:
    """Streams as Python opens them at its start: what they are connected to decides how they are buffered."""
    sys.stdin = open(0, encoding=sys.stdin.encoding, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding=sys.stderr.encoding, errors=sys.stderr.errors, closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr


def _wait(client: socket.socket, child: int) -> None:
    client.sendall(struct.pack("i", child))
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, client], [], [])
    if client in ready:  # the client was killed: nobody waits for the answer
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        client.sendall(struct.pack("i", status))
    os._exit(0)


def _receive(client: socket.socket) -> tuple[dict, list[int]]:
    size = struct.calcsize("i")
    head, files, _, _ = socket.recv_fds(client, size, 3)
    left = struct.unpack("i", head)[0]
    text = b""
    while len(text) < left and (more := client.recv(left - len(text))):
        text += more
    return json.loads(text), list(files)


def ask(folder: str, python: str, arguments: list[str]) -> None:
    """Run the command in a forked process and end as it does; by the real interpreter where none fits."""
    address = os.path.join(folder, _key(os.environ))  # noqa: PTH118  # starts faster than pathlib
    if arguments[:2] != ["-P", "-m"] or not _can_connect(address):
        os.execv(python, [python, *arguments])  # noqa: S606  # that is what it is for
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.connect(address)
        asked = {"arguments": arguments[2:], "cwd": os.getcwd(), "environ": dict(os.environ)}  # noqa: PTH109
        text = json.dumps(asked).encode()
        socket.send_fds(server, [struct.pack("i", len(text))], [0, 1, 2])
        server.sendall(text)
        child = _number(server)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os.kill(child, number))
        status = _number(server)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _can_connect(address: str) -> bool:
    return os.path.exists(address)  # noqa: PTH110


def _number(server: socket.socket) -> int:
    text = server.recv(struct.calcsize("i"), socket.MSG_WAITALL)
    if not text:
        sys.exit("the process to fork from has ended")
    return struct.unpack("i", text)[0]


if __name__ == "__main__":
    ask(sys.argv[1], sys.argv[2], sys.argv[3:])
