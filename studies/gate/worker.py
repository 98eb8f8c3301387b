"""A fresh quiet process that decides: ``python -P -m studies.gate.worker``, a request on stdin, answers on stdout.

Both are lines of JSON. The task ``sample`` measures one ratio, ``decide`` takes a decision for each planted share until
its seconds are over.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import asdict
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studies.gate.decide import GateTerms
    from studies.gate.planted import Network
    from suite.core.records import Measurement

COMMAND = (sys.executable, "-P", "-m", "studies.gate.worker")
KEPT = ("value", "low", "high", "confidence", "n", "suspect", "null")
CALIBRATION = 0.25  # of the budget of a decision
ASKED = 0.125  # of the decisions on identical code: the peers too, which take as long as the gate


def main() -> None:
    """Answer the request on stdin."""
    request = json.loads(sys.stdin.readline())
    from suite.core.machine import quiet  # torch must see the environment first

    quiet.pin()
    quiet.apply_threads()
    for answer in TASKS[request["task"]](request):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _sample(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from studies.gate.decide import speedup

    network, terms = _made(request)
    found, _ = speedup(network, request["planted"][0], terms=terms, seed=request["seed"])
    yield {name: getattr(found, name) for name in KEPT}


def _decide(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from studies.gate.decide import decide

    began, mixed = perf_counter(), random.Random(request["seed"])  # noqa: S311  # mixes, guards no secret
    network, terms = _made(request)
    for k, share in enumerate(request["planted"]):
        if perf_counter() - began > request["until"]:
            return
        seed = request["seed"] + k + 1
        fresh = share == 0 or mixed.random() < request["fresh"]
        repeat = _Repeat(request, network, terms, share=share, seed=seed, fresh=fresh)
        peers = share > 0 or mixed.random() < ASKED
        yield decide(network, share, terms=terms, seed=seed, repeat=repeat, peers=peers) | {"fresh": fresh}


class _Repeat:
    """Measures once more with another seed: in a fresh process, or here at other addresses."""

    def __init__(
        self, request: dict[str, Any], network: Network, terms: GateTerms, *, share: float, seed: int, fresh: bool
    ) -> None:
        self.request, self.network, self.terms = request, network, terms
        self.share, self.seed, self.fresh = share, seed, fresh

    def __call__(self) -> Measurement:
        from studies.gate.decide import CELL, METRIC, speedup
        from suite.core.metrics import measured

        self.seed += 1_000
        if not self.fresh:
            return speedup(self.network, self.share, terms=self.terms, seed=self.seed)[0]
        again = self.request | {"task": "sample", "planted": [self.share], "seed": self.seed}
        row = dict(ask(again))
        return measured(CELL, METRIC, row.pop("value"), **row)


def ask(request: dict[str, Any], environment: dict[str, str] | None = None) -> dict[str, Any]:
    """The one answer of a fresh process. Raises `subprocess.CalledProcessError` where it fails."""
    ended = subprocess.run(  # noqa: S603  # our own command
        COMMAND, input=json.dumps(request) + "\n", text=True, stdout=subprocess.PIPE, check=True,
        env=dict(os.environ) if environment is None else environment,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def _made(request: dict[str, Any]) -> tuple[Network, GateTerms]:
    """The calibrated network, and the terms, which know whether this process is quiet."""
    from studies.gate.decide import GateTerms
    from studies.gate.planted import digits_like
    from suite.core.machine import quiet

    terms = GateTerms(**request["terms"] | {"quiet": quiet.is_quiet()[0]})
    return digits_like(seed=request["seed"], seconds=CALIBRATION * terms.seconds), terms


def request(
    task: str, terms: GateTerms, planted: list[float], *, seed: int, until: float, fresh: float
) -> dict[str, Any]:
    """A request: ``planted`` shares, ``until`` seconds, ``fresh`` the share of planted repeats in fresh processes."""
    return {
        "task": task, "terms": asdict(terms), "planted": planted, "seed": seed, "until": until, "fresh": fresh
    }  # fmt: skip


TASKS = {"sample": _sample, "decide": _decide}

if __name__ == "__main__":
    main()
