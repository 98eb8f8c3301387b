"""The live table of a run: cells that are done, the one at hand, and about how long the others take.

Importing it loads rich, which only a terminal needs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import pytest
from rich.console import Console, RenderableType
from rich.live import Live

from suite.bench.pytest_plugin.live_table import CellRow, LiveState
from suite.bench.resolved_cell import Case
from suite.bench.run import Run
from suite.bench.time_left import place_of
from suite.core.composition import BASELINE
from suite.core.records import Group, Verdict

if TYPE_CHECKING:
    from suite.bench.trained_store import Reporter
    from suite.training.loop import Progress as News

SHORTEST = 0.1  # seconds between two drawings of epochs; a small network trains hundreds a second


class Display:
    """The last lines of the terminal, drawn again when `draw` is called, by the thread that calls it.

    The terminal is ``file``, or the standard output as it is without pytest's capture.
    """

    def __init__(
        self, config: pytest.Config, clock: Callable[[], float] = time.monotonic, file: IO[str] | None = None
    ) -> None:
        self._capture: Any = config.pluginmanager.getplugin("capturemanager")
        self._clock, self._drawn = clock, -SHORTEST
        self._broken = False
        with self._capture.global_and_fixture_disabled():  # the terminal, not the file that pytest captures into
            self._live = Live(
                console=Console(file=file),
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )  # no thread redraws it: one would take time from what is timed

    def draw(self, content: RenderableType, *, skips: bool = False) -> None:
        """Show ``content``; with ``skips`` not sooner than `SHORTEST` after the last time."""
        now = self._clock()
        if self._broken or (skips and now - self._drawn < SHORTEST):
            return
        self._drawn = now
        with self._capture.global_and_fixture_disabled():
            try:
                self._live.start()
                self._live.update(content, refresh=True)
            except (OSError, UnicodeError):  # a closed terminal, or one without these letters: no cell fails for it
                self._broken = True

    def erase(self) -> None:
        """Leave the terminal as if nothing had been drawn."""
        with self._capture.global_and_fixture_disabled(), suppress(OSError, UnicodeError):
            self._live.stop()


class LiveProgress:
    """Shows the news of a run in a table that is drawn again between epochs, processes and groups of metrics."""

    def __init__(self, config: pytest.Config, run: Callable[[], Run | None], display: Display | None = None) -> None:
        self.live = False  # until a cell begins: before that, tests of the user have their letters
        self._run, self._display = run, display or Display(config)
        self._state, self._closed = LiveState(), False
        self._process = os.getpid()

    @property
    def reporter(self) -> Reporter:
        return lambda workload, composition: lambda news: self._tell(workload, composition, news)

    def begin(self, case: Case, group: Group) -> None:
        self.live = True
        self._state.at_hand, self._state.doing, self._state.training = str(case), group, None
        self._state.rows.setdefault(str(case), CellRow(workload=case.workload.name, technique=case.composition.name))
        self._draw()

    def starting(self, what: str) -> None:
        self._state.doing, self._state.training = what, None
        self._draw()

    def end(self, case: Case, verdicts: Sequence[Verdict]) -> None:
        run = self._run()
        if run is not None:
            scores = run.header.scores.get(case.workload.name, ())
            self._state.rows[str(case)].add(verdicts, run.latest, score=scores[0] if scores else None)
        self._state.doing, self._state.training = "", None
        self._draw()

    def close(self) -> None:
        self.live, self._closed = False, True
        self._display.erase()

    def _tell(self, workload: str, composition: str, news: News) -> None:
        run = self._run()
        if run is None or self._closed:
            return
        seeds = run.bench.seeds_of(workload, baseline=composition == BASELINE)
        self._state.training = (composition, news, len(seeds))
        self._draw(skips=news.epoch != news.epochs)

    def _draw(self, *, skips: bool = False) -> None:
        if os.getpid() != self._process:  # a rank is a fork of this process, and has no table of its own
            return
        run = self._run()
        self._state.place = None if run is None else place_of(run)
        self._display.draw(self._state, skips=skips)
