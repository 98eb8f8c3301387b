"""The fixture ``tradeoff`` of any pytest run: compare two callables, then check against stored expectations."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from suite.bench.functions.result import FunctionTradeoff
    from suite.core.records import Verdict

FOLDER = Path("expectations", "functions")
WORKER = "PYTEST_XDIST_WORKER"

Inconclusive = Literal["fail", "pass", "skip"]


class TradeoffWarning(UserWarning):
    """A comparison that decided nothing, and was told to pass."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the fixture; a run that does not use it needs none of them."""
    group = parser.getgroup("tradeoff", "two callables measured against each other (the fixture 'tradeoff')")
    option = group.addoption
    option("--tradeoff-record", action="store_true", help="store what check() is given instead of judging it")
    option("--tradeoff-expectations", metavar="DIR", help=f"stored expectations (default: ROOTDIR/{FOLDER})")
    option("--tradeoff-seconds", type=float, metavar="S", default=2.0, help="timing of a comparison (default 2)")
    option(
        "--tradeoff-inconclusive",
        choices=("fail", "pass", "skip"),
        default="fail",
        help="what a test does that decides nothing (default fail)",
    )


@pytest.fixture
def tradeoff(request: pytest.FixtureRequest) -> TradeoffFixture:
    """Measures a candidate against a baseline in turns: ``tradeoff.compare(baseline=..., candidate=...)``."""
    option = request.config.option
    folder = option.tradeoff_expectations
    return TradeoffFixture(
        nodeid=request.node.nodeid, folder=Path(folder) if folder else request.config.rootpath / FOLDER,
        seconds=option.tradeoff_seconds, inconclusive=option.tradeoff_inconclusive, records=option.tradeoff_record,
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

    def compare(
        self,
        *,
        baseline: Callable[[], Any],
        candidate: Callable[[], Any],
        seconds: float | None = None,
        synchronize: Callable[[], Any] | None = None,
    ) -> FunctionTradeoff:
        """Call both in turns for about ``seconds``; see `suite.bench.functions.comparing.compare`."""
        __tracebackhide__ = True
        from suite.bench.functions.comparing import compare
        from suite.core.errors import SuiteError

        _check_alone()
        try:
            return compare(
                baseline=baseline, candidate=candidate, seconds=self.seconds if seconds is None else seconds,
                synchronize=synchronize, undecided=self._undecided,
            )  # fmt: skip
        except SuiteError as error:
            pytest.fail(f"tradeoff: {error}", pytrace=False)

    def check(self, result: FunctionTradeoff, *, outputs: float | None = 1e-3, name: str = "") -> None:
        """Judge the speed-up by this repository's expectation of the test, or store it with ``--tradeoff-record``.

        First the outputs have to agree within ``outputs``, relative to the largest; `None` leaves them unlooked at, as
        for functions that return nothing. Several checks of one test have a ``name`` each.
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
        measurement = stored.measured(stored.cell_of(self.nodeid, result.device, name=name), result)
        try:
            if self.records:
                self._tell(stored.recorded(measurement, self.folder, sys.argv))
            else:
                self._judge(stored.judged(measurement, self.folder))
        except SuiteError as error:
            pytest.fail(f"tradeoff: {error}", pytrace=False)

    def _judge(self, verdict: Verdict) -> None:
        __tracebackhide__ = True
        if verdict.kind in {"pass", "improved"}:
            return
        said = f"tradeoff: {verdict.kind}: {verdict.metric}: {verdict.reason}"
        if verdict.kind == "unverified":
            said += f"; record it with: suite pytest {self.nodeid} --tradeoff-record"
        if verdict.kind == "inconclusive" and self._undecided(said):
            return
        pytest.fail(said, pytrace=False)

    @staticmethod
    def _tell(recorded: Any) -> None:
        __tracebackhide__ = True
        for skipped in recorded.skipped:
            pytest.fail(f"tradeoff: not recorded: {skipped}", pytrace=False)
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


def _check_alone() -> None:
    """Workers of pytest-xdist share the cores, so that none of them can time."""
    __tracebackhide__ = True
    if WORKER in os.environ:
        pytest.fail(
            "tradeoff: nothing can be timed beside other workers of pytest-xdist; run these tests with -n 0",
            pytrace=False,
        )
