"""Child processes that measure: started in a quiet environment, ended by their own handling of interruptions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from suite.core.machine import core, quiet

NODES = Path("/dev")
# What Linux's drivers of accelerators call their devices.
DRIVERS = ("accel", "davinci", "dri", "dxg", "habanalabs", "kfd", "nvhost", "nvidia", "nvmap")


def on_accelerator(device: str) -> bool:
    """Whether the run computes on an accelerator: such a process is neither pinned nor held to one thread."""
    if device == "cpu" or (device == "auto" and not _may_have_accelerator()):
        return False
    from suite.core.machine.hardware import resolve_device  # loads torch

    return not resolve_device(device).startswith("cpu")


def _may_have_accelerator() -> bool:
    """False where torch can be spared the question, whose import takes three seconds."""
    if not sys.platform.startswith("linux") or entry_points(group="torch.backends"):
        return True
    try:
        return any(node.name.startswith(DRIVERS) for node in NODES.iterdir())
    except OSError:
        return True


def again_quietly(*, accelerator: bool) -> int:
    """Run this command of the suite once more, in a quiet process with a core of its own; returns its exit code."""
    core.release()  # with a core that a parent shares, that process would not be quiet, and start another without end
    command = [sys.executable, "-P", "-m", "suite", *sys.argv[1:]]
    environment = quiet.environment(os.environ, accelerator=accelerator)
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  # our own command


def interrupt_on_termination() -> None:
    """Let a termination of this process be an interruption, once: it keeps what it measured and writes its tables.

    `timeout` and CI end a whole process group, and the parent passes the signal on, so that it comes twice.
    """

    def once(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, once)


def run_to_end(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the child to its end. An interruption or termination is the child's to handle: it keeps what it measured.

    The child calls `interrupt_on_termination`.
    """
    with subprocess.Popen(command, env=environment) as child:  # noqa: S603  # our own command
        handlers: dict[signal.Signals, Any] = {
            signal.SIGINT: signal.SIG_IGN,
            signal.SIGTERM: lambda *_: child.send_signal(signal.SIGTERM),
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            return child.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def ending(code: int) -> str:
    """How a process ended, by its return code: ``with exit code 1``, or ``by SIGSEGV``."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
