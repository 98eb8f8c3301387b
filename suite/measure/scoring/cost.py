"""What training costs: seconds and joules in the loop, and to the target, over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from suite.core.machine.energy_window import EnergyReading
from suite.core.metrics import measured
from suite.core.records import Measurement
from suite.core.stats.intervals import mean_interval
from suite.measure.scoring.pooled import CONFIDENCE, LEAST_SEEDS, PooledOutcomes


def training_cost(found: PooledOutcomes) -> list[Measurement]:
    """Seconds of training, and to the target where every seed reached it; nothing of what an earlier run trained.

    The same of energy: joules of an epoch, and to the target. They are suspect if the reading of a seed is invalid.
    """
    costs = {
        "train_seconds": [one.seconds for one in found.outcomes if one.seconds is not None],
        "time_to_target": [one.seconds_to_target for one in found.outcomes if one.seconds_to_target is not None],
    }
    energies: dict[str, list[tuple[EnergyReading | None, int | None]]] = {
        "energy_per_epoch": [(one.energy, one.energy.calls if one.energy else None) for one in found.outcomes],
        "energy_to_target": [(one.energy_to_target, 1) for one in found.outcomes],
    }
    seconds = [_cost(found, name, values) for name, values in costs.items() if len(values) == len(found.outcomes)]
    return seconds + [one for name, readings in energies.items() for one in _energy(found, name, readings)]


def _energy(
    found: PooledOutcomes, name: str, readings: Sequence[tuple[EnergyReading | None, int | None]]
) -> list[Measurement]:
    """Joules a part of each reading, mean over seeds; nothing unless every seed has one."""
    known = [(reading, parts) for reading, parts in readings if reading is not None and parts]
    if not known or len(known) < len(readings):
        return []
    reason = next((reading.reason for reading, _ in known if reading.reason), None)
    joules = [reading.joules / parts for reading, parts in known]
    periods = min(reading.periods for reading, _ in known)
    note = f"at least {periods} periods of the counter in the training of a seed"
    return [replace(_cost(found, name, joules), suspect=reason and f"invalid: {reason}", note=note)]


def _cost(found: PooledOutcomes, name: str, values: Sequence[float]) -> Measurement:
    mean, several = float(np.mean(values)), len(values) >= LEAST_SEEDS
    low, high = mean_interval(values, CONFIDENCE) if several else (None, None)
    noise = float(np.std(values, ddof=1)) / mean if several and mean else None
    return measured(
        found.cell, name, mean, low=low, high=high, confidence=CONFIDENCE if several else None, n=len(values),
        noise=noise, seeds=found.seeds, by_seed=tuple(map(float, values)), control=found.control_name,
    )  # fmt: skip
