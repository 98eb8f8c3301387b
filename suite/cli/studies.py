"""Commands of the studies of the suite's own quality, which live in the repository and not in the wheel."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import Any

from suite.cli.command import TRUST, Command
from suite.core.errors import SetupError
from suite.registry.settings import PACKAGE


def imported(module: str) -> Any:
    """The module of a study. Raises `SetupError` where the suite was installed without its repository."""
    if not _is_here():
        raise SetupError(
            "the studies are not part of the installed package; clone the repository and run this command there"
        )
    return importlib.import_module(module)


def add_gate_study(parser: argparse.ArgumentParser) -> None:
    """Options of ``suite gate-study``; the command explains itself where the study is missing."""
    if _is_here():
        imported("studies.gate.command").add(parser)
    else:
        parser.set_defaults(run=_missing)


def _is_here() -> bool:
    """Whether the repository of this package is; a user's own package may be called ``studies`` too."""
    return (PACKAGE.parent / "studies" / "gate" / "command.py").is_file()


def _missing(_: argparse.Namespace, __: Sequence[str]) -> int:
    imported("studies.gate.command")
    return 0  # pragma: no cover  # the import raises


COMMANDS = (
    Command(
        name="gate-study",
        help="the gate and its peers on planted slowdowns",
        add=add_gate_study,
        example="suite gate-study --minutes 10",
        section=TRUST,
        rank=18,
    ),
)
