"""``python -m suite.cli.reference``: prints docs/reference.md, from the parser and the constants of the code."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from suite.bench.exit_code import KNOWN
from suite.cli.main import build_parser
from suite.core.command_line import Parser
from suite.core.exit_codes import (
    EXIT_FAILED,
    EXIT_INCONCLUSIVE,
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_PASS,
    EXIT_UNUSABLE,
)
from suite.core.records import TIERS, Tier, VerdictKind

HEAD = """# Reference

This page is generated: `python -m suite.cli.reference` prints it from the program's own parser and constants.
[running.md](running.md) shows how to use the options; [gate.md](gate.md) explains the rule behind the verdicts."""
EXIT_CODES: Mapping[int, str] = {
    EXIT_PASS: "nothing failed",
    EXIT_FAILED: "something regressed, improved beyond an upper bound, is missing, or raised an error",
    EXIT_INTERRUPTED: "the run was interrupted; its measurements are kept and reported, and `--resume` continues it",
    3: "pytest's internal error",
    4: "pytest was called wrongly",
    5: "pytest found no tests",
    EXIT_INCONCLUSIVE: "too much is inconclusive: any timing with `--inconclusive=fail`, else more than a fifth of the "
    "paired timings; or the whole run serves at less than half the stored rate",
    EXIT_UNUSABLE: "the set-up cannot be used: unknown name, command or option, no such device, unreadable "
    "expectations, unwritable reports, or a workload that cannot do one step",
    EXIT_NOTHING: "nothing was measured, or less than planned: no cell can run here, or tests were kept from running",
}
"""`KNOWN` without 1 and 2 of pytest, whose meaning is the same."""
VERDICTS: Mapping[VerdictKind, str] = {
    VerdictKind.PASS: "inside the bound",
    VerdictKind.REGRESSED: "outside the bound on the bad side",
    VerdictKind.IMPROVED: "outside the bound on the good side, if the entry has such a bound; fails unless "
    "`--allow-improvement`",
    VerdictKind.INCONCLUSIVE: "a timing's interval contains the bound, it is not sound, or an absolute time moved; "
    "the reason is printed",
    VerdictKind.UNVERIFIED: "measured, but no expectation applies here; fails with `--unverified=fail`",
    VerdictKind.MISSING: "an expectation applies but nothing measured it: the cell is gone, has other data or "
    "conditions, or is no longer available here",
    VerdictKind.UNAVAILABLE: "the cell cannot run here; fails with `--unavailable=fail`",
    VerdictKind.XFAIL: "regressed, and marked to fail until a date",
    VerdictKind.XPASS: "passes, although it is marked to fail",
    VerdictKind.ERROR: "raised an error, or returned a value that cannot be compared with a bound",
}
TIER_MEANINGS: Mapping[Tier, str] = {
    "exact": "counts and serialized bytes: equal on any machine",
    "portable": "quality and entropy-coded bytes: within bounds on any machine",
    "family": "paired speed-ups: within bounds on one family of hardware",
    "local": "absolute times and memory: of one machine",
}


def page() -> str:
    """The whole page, with a newline at its end."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    yield from _table("Exit codes", "exit code", {str(code): EXIT_CODES[code] for code in sorted(KNOWN)})
    yield from _table("Verdicts", "verdict", {f"`{kind}`": VERDICTS[kind] for kind in VerdictKind})
    yield from _table("Tiers", "tier", {f"`{tier}`": TIER_MEANINGS[tier] for tier in TIERS})
    yield "\n## Commands"
    for name, about, parser in every_command(build_parser()):
        yield f"\n### suite {name}\n"
        yield f"{about[0].upper()}{about[1:]}."
        yield f"\nExample: `{parser.example}`"
        yield from _arguments(parser)


def _table(title: str, word: str, rows: Mapping[str, str]) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield from (f"| {word} | meaning |", "|---|---|")
    yield from (f"| {name} | {meaning} |" for name, meaning in rows.items())


def every_command(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, Parser]]:
    """Each command with its line of help and its own parser; a command of a command as ``history import``."""
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to read a parser
        if not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
        for name, inner in action.choices.items():
            assert isinstance(inner, Parser)  # noqa: S101  # subparsers are of their parent's class
            yield name, helps.get(name, ""), inner
            yield from ((f"{name} {deeper}", about, last) for deeper, about, last in every_command(inner))


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    rows = [action for action in parser._actions if _is_shown(action)]  # noqa: SLF001
    if rows:
        yield from ("", "| argument | meaning |", "|---|---|")
    yield from (f"| {_spelling(action)} | {_meaning(action)} |" for action in rows)


def _is_shown(action: argparse.Action) -> bool:
    special = (argparse._HelpAction, argparse._SubParsersAction)  # noqa: SLF001
    return not isinstance(action, special) and action.help != argparse.SUPPRESS


def _spelling(action: argparse.Action) -> str:
    """``--expect {gate,report}``, with the pipe that Markdown would take for the end of a cell written apart."""
    if action.choices is not None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    else:
        metavar = action.metavar or action.dest.upper()
        value = metavar if isinstance(metavar, str) else " ".join(metavar)
    if not action.option_strings:
        return f"`{action.metavar or action.dest}`"
    names = ", ".join(action.option_strings)
    return f"`{names}`" if action.nargs == 0 else f"`{names} {value}`"


def _meaning(action: argparse.Action) -> str:
    said = argparse.HelpFormatter("suite")._expand_help(action) if action.help else ""  # noqa: SLF001
    default = action.default
    if default in (None, False, "", argparse.SUPPRESS) or default in ([], ()) or "default" in said:
        return said.replace("|", "\\|")
    return f"{said} (default `{default}`)".strip().replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
