"""What happens when the article's code runs: each program in a process of its own, once."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from suite.claims import isolated
from suite.claims.facts.declare import local_fact
from suite.core.errors import SetupError, unknown

PACKAGE = "suite.claims.programs"


@cache
def _ran(program: str) -> isolated.ProgramEnd:
    """One run of the program."""
    return isolated.run(f"{PACKAGE}.{program}")


@local_fact
def fails(program: str) -> float:
    """1 if the program ends with an error, 0 if it comes to its end."""
    done = _ran(program)
    if done.returncode and f"No module named {PACKAGE}" in done.stderr:
        raise SetupError(f"there is no program {program!r} in suite/claims/programs")
    return float(done.returncode != 0)


@local_fact
def fails_with(program: str, words: str) -> float:
    """1 if the program ends with an error whose last line holds ``words``, else 0."""
    said = _ran(program).stderr.strip().splitlines()
    return float(bool(fails(program)) and bool(said) and words in said[-1])


@local_fact
def printed(program: str, name: str) -> float:
    """A number by its name in the object that the program prints last. Raises `SetupError` where it has none."""
    done = _ran(program)
    if done.returncode:
        raise SetupError(f"the program {program} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    if name not in found:
        raise SetupError(str(unknown("figure of the program", name, found)))
    return float(found[name])


@local_fact
def warns(program: str, words: str) -> float:
    """1 if the program prints a warning that holds ``words``, else 0."""
    return float(words in _ran(program).stderr)


@local_fact
def reports(program: str, word: str) -> float:
    """1 if a text that the program's ``main`` prints holds ``word``, else 0; it is read, not run."""
    from importlib.util import find_spec

    found = find_spec(f"{PACKAGE}.{program}")
    if found is None or found.origin is None:
        raise SetupError(f"there is no program {program!r} in suite/claims/programs")
    lines = Path(found.origin).read_text("utf-8").splitlines()
    return float(any("print(" in line and word in line.casefold() for line in lines))
