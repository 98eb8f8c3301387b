"""Child processes that measure: started in a quiet environment, ended by their own handling of interruptions."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from typing import Any


def on_accelerator(device: str) -> bool:
    """Whether the run computes on an accelerator: such a process is neither pinned nor held to one thread."""
    if device == "cpu":
        return False
    from suite.core.machine.hardware import resolve_device  # loads torch

    return not resolve_device(device).startswith("cpu")


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
