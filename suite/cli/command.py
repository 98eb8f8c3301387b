"""What a file of this folder declares: the commands that it adds to ``suite``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from suite.core.command_line import Parser
from suite.registry import REGISTRY
from suite.registry.settings import load_user_modules


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command: ``add`` declares its options and sets ``run``, which takes them and returns the exit code.

    ``rank`` orders the commands in ``suite --help``; what has none comes last. With ``passes_on`` it takes further
    arguments, for pytest. Its options may be abbreviated unless ``abbreviates`` is false.
    """

    name: str
    help: str
    add: Callable[[Parser], None]
    rank: int = 1000
    passes_on: bool = False
    abbreviates: bool = True


def load_everything(modules: Sequence[str] = ()) -> None:
    """Load the user's modules and all workloads of the suite: their scores are names of metrics in files."""
    load_user_modules(REGISTRY, Path.cwd(), list(modules))
    REGISTRY.workloads  # noqa: B018  # asking loads them
