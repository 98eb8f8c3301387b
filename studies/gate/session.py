"""A session of the study: the bound first, then decisions in fresh processes, quiet and with a busy neighbour in turn.

Every decision is kept as soon as it is taken, so that a session may be ended at any time.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from subprocess import PIPE, Popen
from time import monotonic

from studies.gate.decide import Decision, GateTerms
from studies.gate.decision_log import BOUND, DECISION, DecisionLog, Row, sharpest
from studies.gate.noisy_neighbour import busy
from studies.gate.protocol import Decide, StudyRequest
from studies.gate.worker import COMMAND, sampled
from suite.core.errors import SetupError
from suite.core.machine import core, quiet
from suite.core.transport import from_line, to_line

SHARES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1)
AA_SHARE = 24  # decisions on identical code for each planted one of a size: false alarms are rare and need many
QUIET, BUSY, FOREIGN = "quiet", "busy", "foreign"
"""The other cores were idle, one was kept busy (by the same decisions), or somebody else used one, which is neither."""
ALONE = 0.25  # of another core's time, beyond which somebody else uses it
RECORDED = 5  # processes whose spread makes the bound, as in a recording
FRESH = 0.25  # of the planted slowdowns are repeated in fresh processes: most of their time goes into imports


@dataclass(frozen=True, kw_only=True)
class Study:
    """What a session needs: ``seconds`` is the gate's budget for a sample, ``seed`` differs between sessions."""

    decision_log: DecisionLog
    versions: Mapping[str, str]
    seconds: float
    seed: int

    def run(self, minutes: float, *, anew: bool = False) -> Row:
        """Take decisions for the given number of minutes; returns the bound that they were judged by.

        The bound is recorded first if there is none, or if ``anew`` is true.
        """
        end, own = monotonic() + 60 * minutes, core.choose()
        environment = quiet.environment(os.environ, threads=1, accelerator=False)
        bound = (None if anew else self.decision_log.bound(self.versions)) or self._record(environment, own)
        terms = GateTerms(low=bound["low"], noise=bound["noise"], seconds=self.seconds)
        neighbour = next((other for other in sorted(os.sched_getaffinity(0), reverse=True) if other != own), None)
        for visit in count(1):
            left = end - monotonic()
            if left <= 0:
                break
            load = next_load(self.decision_log.decisions(bound), can_be_busy=neighbour is not None)
            others = foreign(own)
            beside = FOREIGN if load == QUIET and others > ALONE else load
            common = {"kind": DECISION, "bound": bound["at"], "load": beside, "budget": terms.seconds, "others": others}
            cores = [own] if load == QUIET or neighbour is None else [own, neighbour]
            self._visit(self.seed + 100 * visit, cores, terms, common, environment, left=left)
        return bound

    def _record(self, environment: dict[str, str], own: int) -> Row:
        """The stored expectation: identical code in several fresh processes."""
        terms = GateTerms(low=0.0, noise=0.0, seconds=self.seconds)
        others = foreign(own)
        values = [sampled(0.0, terms, self.seed + k, environment).value for k in range(RECORDED)]
        low, noise = sharpest(values)
        row = {
            "kind": BOUND, "at": _now(), "low": low, "noise": noise, "values": values, "others": others,
            "versions": dict(self.versions),
        }  # fmt: skip
        self.decision_log.append(row)
        return row

    def _visit(
        self,
        seed: int,
        cores: Sequence[int],
        terms: GateTerms,
        common: Row,
        environment: dict[str, str],
        *,
        left: float,
    ) -> None:
        """A process's decisions on each of the ``cores``: two keep each other company, to the end of the longer one."""
        done = threading.Barrier(len(cores))

        def decisions(place: int) -> None:
            shares, process = planned(seed + place), f"{common['bound']} {seed + place}"
            task = Decide(planted=shares, until=left, fresh=FRESH)
            asked = StudyRequest(task=task, terms=terms, seed=seed + 50 * place)
            try:
                for answer in _answers(asked, environment | {core.CORE: str(cores[place])}):
                    self.decision_log.append({**common, "process": process, "at": _now(), **vars(answer)})
            except BaseException:
                done.abort()
                raise
            with busy(cores[place]) if len(cores) > 1 else nullcontext(), suppress(threading.BrokenBarrierError):
                done.wait()

        with ThreadPoolExecutor(len(cores)) as pool:
            for ended in [pool.submit(decisions, place) for place in range(len(cores))]:
                ended.result()


def foreign(own: int) -> float:
    """The greatest share of time that another core works just now."""
    return max((share for core_, share in core.busy_shares().items() if core_ != own), default=0.0)


def next_load(rows: Sequence[Row], *, can_be_busy: bool) -> str:
    """The load that has fewer decisions; without a second core always quiet."""
    busy_ones = sum(row["load"] == BUSY for row in rows)
    return BUSY if can_be_busy and busy_ones < len(rows) - busy_ones else QUIET


def planned(seed: int) -> tuple[float, ...]:
    """The shares of one visit in random order, identical code several times."""
    shares = [*SHARES, *[0.0] * (AA_SHARE - 1)]
    random.Random(seed).shuffle(shares)  # noqa: S311  # mixes, guards no secret
    return tuple(shares)


def _answers(asked: StudyRequest, environment: dict[str, str]) -> Iterator[Decision]:
    with Popen(COMMAND, stdin=PIPE, stdout=PIPE, text=True, env=environment) as child:  # noqa: S603  # our own command
        assert child.stdin is not None  # noqa: S101  # a pipe was asked for
        assert child.stdout is not None  # noqa: S101  # a pipe was asked for
        child.stdin.write(to_line(asked) + "\n")
        child.stdin.close()
        try:
            yield from (from_line(line, Decision) for line in child.stdout)
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        raise SetupError(f"a process of the study ended with {child.returncode}; its message is above")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def loads(rows: Sequence[Row]) -> list[str]:
    """The loads that decisions were taken under, quiet first."""
    return [load for load in (QUIET, BUSY, FOREIGN) if any(row["load"] == load for row in rows)]
