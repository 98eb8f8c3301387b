"""News of a run while it measures: a live table for a person at a terminal, one line a seed elsewhere.

Both draw from the thread that measures, between epochs, processes and groups of metrics. Nothing is drawn while a
sample is timed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from suite.bench.resolved_cell import Case
from suite.bench.run import Run
from suite.core.records import Group, Verdict

if TYPE_CHECKING:
    from suite.bench.trained_store import Reporter
    from suite.training.loop import Progress as News

NOT_IN_CI = ("", "0", "false")  # values of the variable CI on a person's own machine
DUMB = ("", "dumb", "unknown")  # values of TERM of terminals that cannot move their cursor


class RunProgress(Protocol):
    """Where the news of a run go."""

    live: bool
    """Whether it draws where pytest would write a letter for each test."""

    @property
    def reporter(self) -> Reporter:
        """Where the store sends the news of each training run."""

    def begin(self, case: Case, group: Group) -> None:
        """A group of metrics is about to be measured."""

    def starting(self, what: str) -> None:
        """A fresh process is about to start: ``what`` is its number and what it measures."""

    def end(self, case: Case, verdicts: Sequence[Verdict]) -> None:
        """A group was measured, and these are its verdicts."""

    def close(self) -> None:
        """The run is over, or was interrupted; from now on others write to the terminal."""


class PlainProgress:
    """One line when a seed is trained, and nothing else: for logs, CI and terminals that cannot redraw."""

    live = False

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        self._capture: Any = config.pluginmanager.getplugin("capturemanager")

    @property
    def reporter(self) -> Reporter:
        return lambda workload, composition: lambda news: self._tell(f"{workload} {composition}", news)

    def begin(self, case: Case, group: Group) -> None:
        """Nothing: the line of pytest's letters shows it."""

    def starting(self, what: str) -> None:
        """Nothing."""

    def end(self, case: Case, verdicts: Sequence[Verdict]) -> None:
        """Nothing: the summary at the end has the verdicts."""

    def close(self) -> None:
        """Nothing is left to be erased."""

    def _tell(self, what: str, news: News) -> None:
        if self._reporter is None or news.epoch != news.epochs:
            return
        score = "" if news.score is None else f", validation {100 * news.score:.2f} %"
        with self._capture.global_and_fixture_disabled():
            self._reporter.ensure_newline()
            self._reporter.write_line(f"  training {what}: seed {news.seed}, epoch {news.epoch}/{news.epochs}{score}")


def progress_of(
    config: pytest.Config, run: Callable[[], Run | None], environment: Mapping[str, str] = os.environ
) -> RunProgress:
    """What tells the news of this run; ``run`` gives the run once it is open."""
    if not can_redraw(config, environment):
        return PlainProgress(config)
    from suite.bench.pytest_plugin.live import LiveProgress  # loads rich

    return LiveProgress(config, run)


def can_redraw(config: pytest.Config, environment: Mapping[str, str]) -> bool:
    """Whether a part of the terminal can be drawn again and again, and nothing else writes there meanwhile.

    That is a terminal (no pipe, no CI, no ``TERM=dumb``), with the ``-q`` that `suite bench` gives to pytest (else
    pytest writes names of files), and without ``-s`` and ``--pdb``.
    """
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or not reporter.isatty or environment.get("CI", "").lower() not in NOT_IN_CI:
        return False
    if not (getattr(sys.__stdout__, "encoding", None) or "").lower().startswith("utf"):
        return False  # it has no letters for lines and bars
    option = config.option
    if option.verbose >= 0 or getattr(option, "capture", "no") == "no" or getattr(option, "usepdb", False):
        return False
    return os.name == "nt" or environment.get("TERM", "") not in DUMB
