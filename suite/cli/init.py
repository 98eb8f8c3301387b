"""`suite init`: what a repository needs to gate on its trade-offs, written once and never over anything."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from suite.cli.command import MEASURE, Command
from suite.core.errors import SetupError
from suite.core.exit_codes import EXIT_PASS
from suite.registry.settings import PACKAGE, TABLE

WORKLOAD, WORKFLOW, SETTINGS = (
    Path("benchmarks/my_network.py"),
    Path(".github/workflows/tradeoffs.yml"),
    "pyproject.toml",
)
TEMPLATES = {WORKLOAD: "my_network.py.txt", WORKFLOW: "tradeoffs.yml"}
IGNORED = ".gitignore"
IGNORED_AS = {
    "/reports/": {"reports", "reports/*"},
    "__pycache__/": {"__pycache__", "*.pyc", "*.py[cod]", "*.py[co]", "**/__pycache__"},  # or each commit is dirty
}
"""Lines of the file, and what says the same."""
NEXT = (
    "next: put your data and network into {workload}, then `suite bench --workload my_network --expect=record` "
    "and commit expectations/"
)


def init(folder: Path) -> Iterator[str]:
    """Write a workload, the settings that load it and a workflow that gates pull requests into ``folder``.

    Results are left out of git: `suite compare` would take a checkout with them for one with uncommitted changes.

    Yields one line for each file: what was written, or left alone because it is there. Raises `SetupError` for a
    pyproject.toml that cannot be read and for folders that cannot be written.
    """
    settings = folder / SETTINGS
    added, said = _addition(settings)  # an unusable file is found before anything is written
    try:
        for path, template in TEMPLATES.items():
            yield _write(folder / path, (PACKAGE / "cli" / "templates" / template).read_text("utf-8"))
        with settings.open("a", encoding="utf-8", newline="") as file:  # all that is there stays, byte for byte
            file.write(added)
        yield said
        yield _ignore(folder / IGNORED)
    except OSError as error:
        raise SetupError(f"cannot write {error.filename or folder}: {error.strerror or error}") from error
    yield from _advice(folder)


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return f"left alone: {path} exists already"
    return f"written: {path}"


def _ignore(path: Path) -> str:
    """Add the folder of results and bytecode to ``path``, unless lines of it name them already."""
    before = path.read_text("utf-8") if path.is_file() else ""
    known = {line.strip().strip("/") for line in before.splitlines()}
    missing = [line for line, others in IGNORED_AS.items() if not known & others]
    if not missing:
        return f"left alone: {path} has {' and '.join(IGNORED_AS)}"
    gap = "" if not before or before.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(gap + "".join(f"{line}\n" for line in missing))
    return f"{'added' if before else 'written'}: {' and '.join(missing)} in {path}"


def _addition(path: Path) -> tuple[str, str]:
    """The text to add to pyproject.toml (empty if it has the table already), and the line to print about it."""
    before, settings = _read(path)
    tool = settings.get("tool", {})
    if not isinstance(tool, dict):
        raise SetupError(f"{path}: [tool] must be a table, got {tool!r}")
    if TABLE in tool:
        load = tool[TABLE].get("load", []) if isinstance(tool[TABLE], dict) else []
        hint = "" if WORKLOAD.as_posix() in load else f'; add "{WORKLOAD.as_posix()}" to its load'
        return "", f"left alone: {path} has [tool.{TABLE}]{hint}"
    added = _table(before)
    _check(path, before + added)
    return added, f"{'added' if before else 'written'}: [tool.{TABLE}] in {path}"


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of pyproject.toml and what it means; both empty where there is none."""
    try:
        text = path.read_bytes().decode("utf-8") if path.is_file() else ""  # line ends as they are
        return text, tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: {error}; correct it and run `suite init` again") from error


def _table(before: str) -> str:
    """The table as text that can stand behind ``before``, with its kind of line ends."""
    import tomlkit  # takes a tenth of a second

    settings = tomlkit.table().append("load", [WORKLOAD.as_posix()])
    tool = tomlkit.table(is_super_table=True).append(TABLE, settings)
    text = tomlkit.document().append("tool", tool).as_string()
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    return (gap + text).replace("\n", "\r\n" if "\r\n" in before else "\n")


def _check(path: Path, text: str) -> None:
    """A table cannot follow everything (``tool = {...}`` in one line closes it)."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(
            f"{path}: [tool.{TABLE}] cannot be added below what is there: {error}; write `tool` as tables and run "
            "`suite init` again"
        ) from error


def _advice(folder: Path) -> Iterator[str]:
    root = next((one for one in (folder.resolve(), *folder.resolve().parents) if (one / ".git").exists()), None)
    if root is not None and root != folder.resolve():
        yield f"note: CI reads workflows of {root} only; move {folder / WORKFLOW} there, with `working-directory`"
    yield NEXT.format(workload=folder / WORKLOAD)


def _add_init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="the repository (default: here)")
    parser.set_defaults(run=_init)


def _init(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Write what a repository needs to gate; nothing that is there is changed."""
    for line in init(parsed.folder):
        print(line)
    return EXIT_PASS


COMMANDS = (
    Command(
        name="init",
        help="write a workload, settings and a CI workflow into a repository",
        add=_add_init,
        example="suite init",
        section=MEASURE,
        rank=1,
    ),
)
