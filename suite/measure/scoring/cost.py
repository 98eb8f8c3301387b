"""What training costs: seconds in the loop, and seconds to the target, over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from suite.core.metrics import measured
from suite.core.records import Measurement
from suite.core.stats.intervals import mean_interval
from suite.measure.scoring.pooled import CONFIDENCE, LEAST_SEEDS, PooledOutcomes


def training_cost(found: PooledOutcomes) -> list[Measurement]:
    """Seconds of training, and to the target where every seed reached it; nothing of what an earlier run trained."""
    costs = {
        "train_seconds": [one.seconds for one in found.outcomes if one.seconds is not None],
        "time_to_target": [one.seconds_to_target for one in found.outcomes if one.seconds_to_target is not None],
    }
    return [_cost(found, name, values) for name, values in costs.items() if len(values) == len(found.outcomes)]


def _cost(found: PooledOutcomes, name: str, values: Sequence[float]) -> Measurement:
    mean, several = float(np.mean(values)), len(values) >= LEAST_SEEDS
    low, high = mean_interval(values, CONFIDENCE) if several else (None, None)
    noise = float(np.std(values, ddof=1)) / mean if several and mean else None
    return measured(
        found.cell, name, mean, low=low, high=high, confidence=CONFIDENCE if several else None, n=len(values),
        noise=noise, seeds=found.seeds, by_seed=tuple(map(float, values)), control=found.control_name,
    )  # fmt: skip
