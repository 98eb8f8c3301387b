"""A fresh quiet process that decides: ``python -P -m studies.gate.worker``, see `studies.gate.protocol`."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from suite.core.transport import from_line, to_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from studies.gate.decide import Decision, GateTerms
    from studies.gate.planted import Network
    from studies.gate.protocol import Decide, StudyRequest
    from suite.core.records import Measurement

COMMAND = (sys.executable, "-P", "-m", "studies.gate.worker")
CALIBRATION = 0.25  # of the budget of a decision
ASKED = 0.125  # of the decisions on identical code: the peers too, which take as long as the gate


def main() -> None:
    """Answer the request on stdin."""
    from suite.core.machine import quiet  # torch must see the environment first

    quiet.pin()
    quiet.apply_threads()
    from studies.gate.protocol import StudyRequest

    for answer in _answers(from_line(sys.stdin.readline(), StudyRequest)):
        sys.stdout.write(to_line(answer) + "\n")
        sys.stdout.flush()


def _answers(request: StudyRequest) -> Iterator[Measurement | Decision]:
    from studies.gate.decide import speedup
    from studies.gate.planted import digits_like
    from studies.gate.protocol import Sample
    from suite.core.machine import quiet

    began, task = perf_counter(), request.task
    terms = replace(request.terms, quiet=quiet.is_quiet()[0])
    network = digits_like(seed=request.seed, seconds=CALIBRATION * terms.seconds)
    if isinstance(task, Sample):
        yield speedup(network, task.planted, terms=terms, seed=request.seed)[0]
    else:
        yield from _decisions(task, network, terms, request.seed, end=began + task.until)


def _decisions(task: Decide, network: Network, terms: GateTerms, seed: int, *, end: float) -> Iterator[Decision]:
    from studies.gate.decide import decide

    mixed = random.Random(seed)  # noqa: S311  # mixes, guards no secret
    for number, share in enumerate(task.planted, start=seed + 1):
        if perf_counter() > end:
            return
        fresh = share == 0 or mixed.random() < task.fresh
        repeat = _Repeat(network, terms, share=share, seed=number, fresh=fresh)
        peers = share > 0 or mixed.random() < ASKED
        yield replace(decide(network, share, terms=terms, seed=number, repeat=repeat, peers=peers), fresh=fresh)


class _Repeat:
    """Measures once more with another seed: in a fresh process, or here at other addresses."""

    def __init__(self, network: Network, terms: GateTerms, *, share: float, seed: int, fresh: bool) -> None:
        self.network, self.terms, self.share, self.seed, self.fresh = network, terms, share, seed, fresh

    def __call__(self) -> Measurement:
        from studies.gate.decide import speedup

        self.seed += 1_000
        if self.fresh:
            return sampled(self.share, self.terms, self.seed)
        return speedup(self.network, self.share, terms=self.terms, seed=self.seed)[0]


def sampled(share: float, terms: GateTerms, seed: int, environment: Mapping[str, str] | None = None) -> Measurement:
    """The ratio that a fresh process measures. Raises `subprocess.CalledProcessError` where it fails."""
    from studies.gate.protocol import Sample, StudyRequest
    from suite.core.records import Measurement

    request = StudyRequest(task=Sample(planted=share), terms=terms, seed=seed)
    ended = subprocess.run(  # noqa: S603  # our own command
        COMMAND, input=to_line(request) + "\n", text=True, stdout=subprocess.PIPE, check=True,
        env=dict(os.environ if environment is None else environment),
    )  # fmt: skip
    return from_line(ended.stdout.splitlines()[-1], Measurement)


if __name__ == "__main__":
    main()
