"""``suite completion``: the script with which a shell completes commands and options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from suite.cli.command import SET_UP, Command
from suite.core.errors import UnavailableError
from suite.core.exit_codes import EXIT_PASS

SHELLS = ("bash", "zsh", "fish", "tcsh")


def _add_completion(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print a completion script. For bash: suite completion bash > ~/.local/share/bash-completion/completions/suite"
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=_completion)


def _completion(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the script; it is static, so that a key press starts no Python."""
    try:
        import shtab
    except ImportError as error:
        raise UnavailableError("completion needs shtab: pip install 'tradeoff-suite[completion]'") from error
    from suite.cli.main import build_parser

    print(shtab.complete(build_parser(), parsed.shell))
    return EXIT_PASS


COMMANDS = (
    Command(
        name="completion",
        help="print the script that completes commands in a shell",
        add=_add_completion,
        example="suite completion bash > ~/.local/share/bash-completion/completions/suite",
        section=SET_UP,
        rank=25,
    ),
)
