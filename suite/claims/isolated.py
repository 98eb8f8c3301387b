"""Programs, each in a process of its own that has imported torch and nothing else of the suite's.

On Linux one process imports torch and copies itself for each program, which spares some seconds a program. Elsewhere
each program is started by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from suite.core.errors import SetupError

LONGEST = 120  # seconds of a program; each takes a few
PYTHON = (sys.executable, "-P", "-W", "default")
COPIES = sys.platform == "linux"  # elsewhere a copy of a process with threads is not safe


@dataclass(frozen=True)
class ProgramEnd:
    """How a program ended and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run(module: str) -> ProgramEnd:
    """Run a module as a program; its warnings are shown, not raised. Raises `SetupError` where it does not end."""
    return _copied(module) if COPIES else _started(module)


def _started(module: str) -> ProgramEnd:
    try:
        done = subprocess.run(  # noqa: S603  # our own programs
            [*PYTHON, "-m", module], env=_environment(), capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"the program {module} did not end within {LONGEST} s: is the machine busy?") from None
    return ProgramEnd(done.returncode, done.stdout, done.stderr)


def _copied(module: str) -> ProgramEnd:
    server = _server()
    assert server.stdin is not None and server.stdout is not None  # noqa: PT018, S101  # both are pipes
    try:
        server.stdin.write(f"{module}\n")
        server.stdin.flush()
        done = ProgramEnd(**json.loads(server.stdout.readline()))
    except (OSError, ValueError):  # it was killed
        _server.cache_clear()
        return _started(module)
    if done.returncode < 0:
        raise SetupError(f"the program {module} was ended by signal {-done.returncode}: is the machine busy?")
    return done


def start() -> None:
    """Let the process that copies itself import torch while the caller does something else."""
    if COPIES:
        _server()


@cache
def _server() -> subprocess.Popen[str]:
    """The process that runs programs in copies of itself; it ends when its input does."""
    return subprocess.Popen(  # noqa: S603  # our own module
        [*PYTHON, "-m", "suite.claims.copying", str(LONGEST)],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
