"""How the priors of `suite.gate.hours` are fitted: maximum likelihood of the spreads of runs in `hours.csv`.

The variance of ``n`` runs over the prior's is F-distributed with ``n - 1`` and the prior's degrees of freedom (Smyth
2004). Each machine has the same weight, however many of its ratios were stored. The degrees of freedom have a weak
log-normal prior about 4, without which a handful of ratios would fit any number.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from statistics import fmean

from scipy.optimize import minimize
from scipy.stats import f

from suite.gate.hours import NEAR, Spread

LEAST_VARIANCE = 1e-8


def rows():
    """Each ratio of `hours.csv`: machine, metric, technique, runs, value (first run), spread (of logs), noise."""
    with (Path(__file__).parent / "hours.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def fitted(metric: str, *, near: bool) -> Spread:
    """The prior of one kind of ratio."""
    kind = [row for row in rows() if row["metric"] == metric and (abs(math.log(float(row["value"]))) < NEAR) == near]
    machines = [row["machine"] for row in kind]
    weights = [len(kind) / len(set(machines)) / machines.count(machine) for machine in machines]
    found = [(float(row["spread"]) ** 2, int(row["runs"]) - 1) for row in kind]

    def loss(parameters):
        variance, freedom = math.exp(2 * parameters[0]), math.exp(parameters[1])
        likelihoods = [
            f.logpdf(max(own, LEAST_VARIANCE) / variance, runs, freedom) - math.log(variance) for own, runs in found
        ]
        weighted = len(found) * fmean(w * one for w, one in zip(weights, likelihoods, strict=True))
        return (parameters[1] - math.log(4)) ** 2 - weighted

    best = minimize(loss, (-4.5, math.log(4)), method="Nelder-Mead").x
    return Spread(deviation=math.exp(best[0]), freedom=math.exp(best[1]))
