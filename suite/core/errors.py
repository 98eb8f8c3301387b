"""Errors that a user can fix. Each is shown as one message, never as a traceback from deep inside."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class SuiteError(Exception):
    """Base of all errors whose message alone tells a user what to do."""


class UsageError(SuiteError, ValueError):
    """A name, value or combination that a user gave cannot be used."""


class SetupError(SuiteError):
    """The environment cannot run the requested command (exit code 11)."""


class RegistrationError(UsageError):
    """A workload or technique is declared wrongly, or twice."""


class CompositionError(UsageError):
    """A composition of techniques is malformed or contradicts itself."""


class OrderError(CompositionError):
    """The members of a composition stand in another order than they act in: ``problem``, and how to write it."""

    def __init__(self, problem: str, *, given: str, ordered: str) -> None:
        self.given, self.ordered, self.problem = given, ordered, f"{problem}; write {ordered}"
        super().__init__(f"{given}: {self.problem}")


class UnavailableError(SuiteError):
    """This cell cannot run here: the device, a compiler or a package is missing. Not a failure of the technique."""


class SlowError(UnavailableError):
    """A cell is left out since its training would take about ``factor`` times as long as its control's."""

    def __init__(self, text: str, factor: float) -> None:
        super().__init__(text)
        self.factor = factor


class IncapableError(UnavailableError):
    """The preflight found that a technique cannot take a network."""


class TechniqueError(SuiteError):
    """A technique does something that makes its metrics, or those of others, wrong."""


class BrokenPromiseError(TechniqueError):
    """What a member of a composition promised of the weights does not hold of what is served."""


class OutputError(SuiteError):
    """The outputs of a network cannot be judged: they are not finite, or belong to other items."""


class ImplausibleError(SuiteError):
    """The timed call cannot have done the work that it claims."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"implausible: {problem}")


class ExpectationFileError(SuiteError):
    """An expectation file holds something unusable; names the file and the line."""

    def __init__(self, path: Path | str, line: int | None, problem: str) -> None:
        self.path, self.line, self.problem = Path(path), line, problem
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


class ResultsError(SuiteError):
    """A results folder is missing, unreadable or cannot be written."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """An error for a name that does not exist, listing the nearest ones that do."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
    return UsageError(f"unknown {kind} {name!r}; {hint}")
