"""How much a ratio of times differs from run to run, before a machine has seen several runs of it.

Within a run the interval is narrow, but hours later the same code has another ratio. A bound from one run knows only
how its processes differ. The spread between runs comes from a prior: the same kind of ratio in all entries that have
several runs. It is a scaled inverse chi-square distribution, combined with the entry's own spread by degrees of freedom
(Smyth 2004, https://doi.org/10.2202/1544-6115.1027). Its weight falls as runs are added.

`PRIORS` was fitted by maximum likelihood to 163 ratios of `digits_cnn` on two machines, each machine with the same
weight (`tests/gate/hours.csv`, `tests/gate/test_gate_hours.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NEAR = 0.05  # a ratio within 5 % of 1 is one of a network with (nearly) the baseline's own work
INTERVAL = 0.01  # what the interval of a gate's own sample needs beside
MOST = 0.5  # a ratio that halves has regressed, whatever the hour
CHANCE = 1 / 200  # that of a whole run, so that a cell that runs alone is judged by its bound
ENOUGH_PROCESSES = 3


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The relative standard deviation of a run's ratio, and the degrees of freedom that it is known with."""

    deviation: float
    freedom: float


PRIORS = {
    # metric: (near 1, any other ratio)
    "speedup": (Spread(deviation=0.0032, freedom=2.7), Spread(deviation=0.023, freedom=2.3)),
    "speedup_b1": (Spread(deviation=0.0054, freedom=2.2), Spread(deviation=0.013, freedom=2.0)),
    "speedup_vs_channels_last": (Spread(deviation=0.0096, freedom=2.0), Spread(deviation=0.040, freedom=3.7)),
    "train_step_speedup": (Spread(deviation=0.0048, freedom=5.0), Spread(deviation=0.014, freedom=3.6)),
    "speed_vs_kernel": (Spread(deviation=0.025, freedom=4.2), Spread(deviation=0.025, freedom=4.2)),
}
OTHER = "speedup"  # the kind of a ratio of which nothing is known


def prior(metric: str, value: float) -> Spread:
    """The spread of runs of this kind of ratio; ``value`` is the ratio itself."""
    near, other = PRIORS.get(metric, PRIORS[OTHER])
    return near if value > 0 and abs(math.log(value)) < NEAR else other


def spread(metric: str, runs: Sequence[float], noise: float | None, processes: int) -> Spread:
    """The spread of runs from the prior, the ``noise`` of so many processes, and what the ``runs`` [n >= 1] saw."""
    middle = fmean(runs)
    parts = [prior(metric, middle)]
    if noise is not None and processes >= ENOUGH_PROCESSES:
        parts.append(Spread(deviation=noise, freedom=processes - 1))
    if len(runs) > 1 and middle:
        parts.append(Spread(deviation=stdev(runs) / abs(middle), freedom=len(runs) - 1))
    freedom = sum(part.freedom for part in parts)
    return Spread(deviation=math.sqrt(sum(p.freedom * p.deviation**2 for p in parts) / freedom), freedom=freedom)


def strays(known: Spread, runs: int, chance: float) -> float:
    """How far below the mean of ``runs``, as a share of it, the next run is with that ``chance`` (Student)."""
    from scipy.special import stdtrit  # scipy is slow to import

    return float(-stdtrit(known.freedom, chance)) * math.sqrt(1 + 1 / runs) * known.deviation


def reach(metric: str, runs: Sequence[float], noise: float | None, processes: int) -> float:
    """How far below the mean of ``runs``, as a share of it, a bound has to be so that the next gate passes."""
    return min(MOST, INTERVAL + strays(spread(metric, runs, noise, processes), len(runs), CHANCE))
