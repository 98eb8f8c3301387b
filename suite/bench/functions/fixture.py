"""The fixture ``tradeoff`` of any pytest run: compare two callables, then check against stored expectations."""

from __future__ import annotations

import math
import os
import shlex
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import pytest

if TYPE_CHECKING:
    from suite.bench.functions.counting import CountedTradeoff
    from suite.bench.functions.result import FunctionTradeoff
    from suite.bench.functions.saved import SavedRun
    from suite.core.records import Verdict

FOLDER = Path("expectations", "functions")
SAVED = Path("reports", "tradeoff")
RUN: pytest.StashKey[SavedRun] = pytest.StashKey()
BEFORE: pytest.StashKey[SavedRun | None] = pytest.StashKey()
DECIDING = ("suite.bench.functions.comparing", "suite.measure.sampler.timing")  # and all that they import
WORKER = "PYTEST_XDIST_WORKER"

Call = Callable[[], Any]
Inconclusive = Literal["fail", "pass", "skip"]


class TradeoffWarning(UserWarning):
    """A comparison that decided nothing, and was told to pass."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the fixture; a run that does not use it needs none of them."""
    group = parser.getgroup("tradeoff", "two callables measured against each other (the fixture 'tradeoff')")
    option = group.addoption
    option("--tradeoff-record", action="store_true", help="store what check() is given instead of judging it")
    option("--tradeoff-expectations", metavar="DIR", help=f"stored expectations (default: ROOTDIR/{FOLDER})")
    option("--tradeoff-save", metavar="NAME", help="keep the speed-ups of this run under a name")
    option("--tradeoff-compare", metavar="NAME", help="show the speed-ups of this run beside those of a saved one")
    option("--tradeoff-saved", metavar="DIR", help=f"saved runs (default: ROOTDIR/{SAVED})")
    option("--tradeoff-seconds", type=float, metavar="S", default=2.0, help="timing of a comparison (default 2)")
    option(
        "--tradeoff-inconclusive",
        choices=("fail", "pass", "skip"),
        default="fail",
        help="what a test does that decides nothing (default fail)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse names that cannot be saved or compared, and a budget that is none, before anything is timed."""
    if not 0 < config.option.tradeoff_seconds < math.inf:
        raise pytest.UsageError(
            f"--tradeoff-seconds must be a positive number of seconds, got {config.option.tradeoff_seconds:g}"
        )
    if not (config.option.tradeoff_save or config.option.tradeoff_compare):
        return
    from suite.bench.functions import saved
    from suite.core.errors import UsageError
    from suite.core.machine.hardware import machine_key

    try:
        if name := config.option.tradeoff_save:
            saved.check_writable(saved.path_of(_saved_folder(config), name))
        before = saved.read(_saved_folder(config), name) if (name := config.option.tradeoff_compare) else None
    except UsageError as error:
        raise pytest.UsageError(f"--tradeoff-save, --tradeoff-compare: {error}") from error
    config.stash[RUN], config.stash[BEFORE] = saved.SavedRun(machine_key("cpu")), before


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Save what the run showed, and show it beside the saved one."""
    if (run := config.stash.get(RUN, None)) is None or not run.rows:
        return
    from suite.bench.functions import saved

    before = config.stash.get(BEFORE, None)
    if before is not None:
        terminalreporter.section(f"tradeoff: this run beside {config.option.tradeoff_compare!r}")
        for line in saved.compared(before, run):
            terminalreporter.line(line)
    if name := config.option.tradeoff_save:
        terminalreporter.line(f"tradeoff: saved as {saved.write(_saved_folder(config), name, run)}")


def _saved_folder(config: pytest.Config) -> Path:
    return Path(config.option.tradeoff_saved or config.rootpath / SAVED)


@pytest.fixture
def tradeoff(request: pytest.FixtureRequest) -> TradeoffFixture:
    """Measures a candidate against a baseline in turns: ``tradeoff.compare(baseline=..., candidate=...)``."""
    option = request.config.option
    folder = option.tradeoff_expectations
    return TradeoffFixture(
        nodeid=request.node.nodeid, folder=Path(folder) if folder else request.config.rootpath / FOLDER,
        seconds=option.tradeoff_seconds, inconclusive=option.tradeoff_inconclusive, records=option.tradeoff_record,
        run=request.config.stash.get(RUN, None),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TradeoffFixture:
    """What the fixture gives a test."""

    nodeid: str
    folder: Path
    seconds: float
    inconclusive: Inconclusive
    records: bool
    checked: set[str] = field(default_factory=set)
    run: SavedRun | None = None

    @overload
    def compare(
        self, *, baseline: Call, candidate: Call, seconds: float | None = None, synchronize: Call | None = None,
        count: Literal[False] = False, speed_only: bool = False,
    ) -> FunctionTradeoff: ...  # fmt: skip

    @overload
    def compare(self, *, baseline: Call, candidate: Call, count: Literal[True]) -> CountedTradeoff: ...

    def compare(
        self,
        *,
        baseline: Call,
        candidate: Call,
        seconds: float | None = None,
        synchronize: Call | None = None,
        count: bool = False,
        speed_only: bool = False,
    ) -> FunctionTradeoff | CountedTradeoff:
        """Call both in turns for about ``seconds``; see `suite.bench.functions.comparing.compare`.

        ``speed_only`` decides on the speed of functions whose outputs cannot be read, too.

        With ``count`` nothing is timed, and their work is counted; see `suite.bench.functions.counting.count`.
        """
        __tracebackhide__ = True
        from suite.bench import integrity
        from suite.bench.functions import comparing, counting
        from suite.core.errors import SuiteError

        if count:
            _check_untimed(seconds, synchronize)
        else:
            _check_alone()
        try:
            if count:
                return counting.count(baseline=baseline, candidate=candidate, undecided=self._undecided)
            integrity.remember_once(DECIDING)
            found = comparing.compare(
                baseline=baseline, candidate=candidate, seconds=self.seconds if seconds is None else seconds,
                synchronize=synchronize, undecided=self._undecided, speed_only=speed_only,
            )  # fmt: skip
            integrity.check_suite()
        except SuiteError as error:
            raise pytest.fail.Exception(f"tradeoff: {error}", pytrace=False) from None  # said once
        if self.run is not None:
            self.run.add(self.nodeid, found.speedup)
        return found

    def check(
        self, result: FunctionTradeoff | CountedTradeoff, *, outputs: float | None = 1e-3, name: str = ""
    ) -> None:
        """Judge the speed-up by this repository's expectation of the test, or store it with ``--tradeoff-record``.

        Counted work is judged metric by metric: one operator more than stored is a regression. First the outputs have
        to agree within ``outputs``, relative to the largest; `None` leaves them unlooked at, as for functions that
        return nothing. Several checks of one test have a ``name`` each.
        """
        __tracebackhide__ = True
        from suite.bench.functions import stored
        from suite.core.errors import SuiteError

        if name in self.checked:
            pytest.fail(
                "tradeoff: a second check() in one test needs a name of its own: check(result, name=...)", pytrace=False
            )
        self.checked.add(name)
        if outputs is not None and not result.outputs.close(outputs):
            said = f"tradeoff: {result.outputs}, at most {outputs:g} wanted"
            pytest.fail(f"{said}; check(result, outputs=...) sets another limit", pytrace=False)
        measurements = stored.measured(stored.cell_of(self.nodeid, result.device, name=name), result)
        try:
            if self.records:
                self._tell(stored.recorded(measurements, self.folder, sys.argv))
            else:
                for verdict in stored.judged(measurements, self.folder):
                    self._judge(verdict)
        except SuiteError as error:
            raise pytest.fail.Exception(f"tradeoff: {error}", pytrace=False) from None  # said once

    def _judge(self, verdict: Verdict) -> None:
        __tracebackhide__ = True
        from suite.core.records import Reason

        if verdict.kind in {"pass", "improved"}:
            return
        said = f"tradeoff: {verdict.kind}: {verdict.metric}: {verdict.reason}"
        if verdict.kind == "unverified":
            said += f"; record it with: suite pytest {shlex.quote(self.nodeid)} --tradeoff-record"
        if verdict.code == Reason.NOT_QUIET:
            said += f"; {self._quietly()}"
        if verdict.kind == "inconclusive" and self._undecided(said):
            return
        pytest.fail(said, pytrace=False)

    def _quietly(self, *more: str) -> str:
        """How this test is run in a quiet process; inside of one, what disturbs it."""
        from suite.core.machine import quiet

        if os.environ.get("SUITE_QUIET") == "1":
            return quiet.is_quiet()[1].replace("; `suite bench` has --wait", "")
        return f"run it with: {shlex.join(('suite', 'pytest', self.nodeid, *more))}"

    def _tell(self, recorded: Any) -> None:
        __tracebackhide__ = True
        from suite.core.machine import quiet

        for skipped in recorded.skipped:
            said = f"tradeoff: not recorded: {skipped}"
            if not quiet.is_quiet()[0]:
                said = f"tradeoff: not recorded, since this is no quiet process; {self._quietly('--tradeoff-record')}"
            pytest.fail(said, pytrace=False)
        for note in recorded.notes:
            warnings.warn(f"tradeoff: {note}", TradeoffWarning, stacklevel=4)

    def _undecided(self, said: str) -> bool:
        """What a test does that decides nothing."""
        __tracebackhide__ = True
        if self.inconclusive == "skip":
            pytest.skip(said)
        if self.inconclusive == "pass":
            warnings.warn(said, TradeoffWarning, stacklevel=3)
        return self.inconclusive == "pass"


def _check_untimed(seconds: float | None, synchronize: Call | None) -> None:
    """What concerns a clock has no meaning where nothing is timed."""
    __tracebackhide__ = True
    given = [name for name, value in (("seconds", seconds), ("synchronize", synchronize)) if value is not None]
    if given:
        pytest.fail(f"tradeoff: count=True times nothing; leave out {given[0]}=", pytrace=False)


def _check_alone() -> None:
    """Workers of pytest-xdist share the cores, so that none of them can time."""
    __tracebackhide__ = True
    if WORKER in os.environ:
        pytest.fail(
            "tradeoff: nothing can be timed beside other workers of pytest-xdist; run these tests with -n 0",
            pytrace=False,
        )
