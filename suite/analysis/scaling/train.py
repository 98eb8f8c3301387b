"""Trains one point of a curve and tests it, as a cell of the bench is trained and tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suite.analysis.scaling.plan import ScalingRun, point
from suite.core.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from suite.measure.points import SweepPoint
    from suite.measure.scoring.items import Outcome
    from suite.registry import Registry, Workload
    from suite.registry.score import Score


@dataclass(frozen=True, kw_only=True)
class TrainedPoint:
    """A trained point as `points.csv` keeps it; ``quality`` is the workload's primary score on the test part."""

    workload: str
    resource: str
    share: float
    seed: int
    amount: float
    parameters: int
    train_samples: int
    steps: int
    items_seen: int
    flops: int | None
    quality: float
    seconds: float

    @property
    def key(self) -> tuple[str, str, float, int]:
        """The key of its `ScalingRun`."""
        return self.workload, self.resource, self.share, self.seed


def trained(registry: Registry, run: ScalingRun, device: str) -> tuple[TrainedPoint, Outcome]:
    """Train the point of a run from scratch and test it. Raises `UsageError` for a workload without a score."""
    from suite.measure.quality import outcome
    from suite.training.loop import fit
    from suite.training.serving import serve

    workload = registry.find_workload(run.workload)
    score = primary(workload)
    found = point(workload.plain(run.seed), run)
    network = fit(found.recipe, seed=run.seed, device=device, reference=_nobody, goal=None, report=None)
    tested = outcome(network, serve(network), workload, batch=workload.batch_on(device))
    return _row(run, found, _value(score, tested), network.seconds), tested


def primary(workload: Workload) -> Score:
    """The score that curves are about."""
    if workload.source != "train" or workload.primary is None:
        raise UsageError(f"{workload.name} is not trained here, or has no score: it has no learning curve")
    return workload.primary


def _row(run: ScalingRun, found: SweepPoint, quality: float, seconds: float) -> TrainedPoint:
    amounts = {
        "train_samples": found.train_samples, "steps": found.steps, "parameters": found.parameters, "flops": found.flops
    }  # fmt: skip
    return TrainedPoint(
        workload=run.workload, resource=run.resource, share=run.share, seed=run.seed,
        amount=float(amounts[run.resource] or 0), parameters=found.parameters, train_samples=found.train_samples,
        steps=found.steps, items_seen=found.items_seen, flops=found.flops, quality=quality, seconds=round(seconds, 3),
    )  # fmt: skip


def _value(score: Score, tested: Outcome) -> float:
    if score.aggregate is not None:
        return score.aggregate(tested.outputs, tested.targets)
    return tested.figures[score.name].value


def _nobody(composition: str) -> nn.Module:
    raise UsageError(f"a plain recipe requested the network of {composition}")
