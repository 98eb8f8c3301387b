"""The process behind `suite.claims.isolated`: a name of a module a line, run in a copy of this process.

For each it writes a line of JSON: how the program ended and what it wrote.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import tempfile
import traceback
from typing import IO, NoReturn


def answer(module: str, longest: int) -> str:
    """Run a module in a copy of this process, for ``longest`` seconds at most; the line that is written."""
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        child = os.fork()
        if child == 0:
            _play(module, longest, out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return json.dumps({"returncode": code, "stdout": _read(out), "stderr": _read(err)})


def _play(module: str, longest: int, out: IO[bytes], err: IO[bytes]) -> NoReturn:
    """Be the program; its exit code is that of ``python -m``."""
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    signal.alarm(longest)
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # whatever it is, it is the program's
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


if __name__ == "__main__":
    import torch._dynamo  # noqa: F401  # torch, and what its optimizers import: seconds

    for line in sys.stdin:
        sys.stdout.write(answer(line.strip(), int(sys.argv[1])) + "\n")
        sys.stdout.flush()
