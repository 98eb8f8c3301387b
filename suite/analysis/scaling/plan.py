"""Which points a run of curves trains: workloads, resources, amounts and seeds.

Every point is a separate training with a schedule that ends at the point, see `suite.training.surgery.axes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from suite.core.errors import UsageError, unknown

if TYPE_CHECKING:
    from suite.measure.points import SweepPoint
    from suite.training.recipe import Recipe

RESOURCES: Mapping[str, str] = MappingProxyType(
    {"train_samples": "samples", "steps": "steps", "parameters": "parameters", "flops": "FLOPs"}
)
"""What a curve has on its x axis, with the unit."""
AXES = MappingProxyType({"train_samples": "train_samples", "steps": "steps", "parameters": "width", "flops": "width"})
"""The axis of `suite.training.surgery.axes` that brings more of the resource."""
BATCHES = 32  # training samples that the smallest amount has at least: a batch of the built-in workloads
LEAST_POINTS = 5


@dataclass(frozen=True, kw_only=True)
class ScalingSweep:
    """The amounts of one resource for one workload, as shares of what the plain recipe has.

    ``budget`` is the share of the recipe's steps that each of its points trains for, where the resource is neither
    steps nor operations: many points of a long training cost hours.
    """

    workload: str
    resource: str
    shares: tuple[float, ...]
    budget: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Sweeps and the number of seeds of each of their points."""

    sweeps: tuple[ScalingSweep, ...]
    seeds: int

    def only(self, workloads: tuple[str, ...], resources: tuple[str, ...]) -> Profile:
        """The part about these workloads and resources; all where none is named. Raises `UsageError` for others.

        A workload that the profile does not name, such as a user's, gets the sweeps of ``digits_cnn``.
        """
        for name in resources:
            if name not in RESOURCES:
                raise unknown("resource", name, RESOURCES)
        named = {sweep.workload for sweep in self.sweeps}
        strangers = [name for name in workloads if name not in named]
        usual = [sweep for sweep in self.sweeps if sweep.workload == DIGITS]
        every = [*self.sweeps, *(replace(sweep, workload=name) for name in strangers for sweep in usual)]
        wanted = workloads or tuple(named)
        kept = tuple(s for s in every if s.workload in wanted and (not resources or s.resource in resources))
        return replace(self, sweeps=kept)


@dataclass(frozen=True, kw_only=True)
class ScalingRun:
    """One training: ``share`` of a resource, with a seed."""

    workload: str
    resource: str
    share: float
    seed: int
    budget: float

    @property
    def key(self) -> tuple[str, str, float, int]:
        """What names the training in `points.csv`."""
        return self.workload, self.resource, self.share, self.seed


def geometric(least: float, most: float, count: int) -> tuple[float, ...]:
    """``count`` shares from ``least`` to ``most``, each the same factor above the one before; four digits."""
    if count < LEAST_POINTS or not 0 < least < most:
        raise UsageError(
            f"a curve needs at least {LEAST_POINTS} amounts between two positive ones, got {count} from {least:g} to "
            f"{most:g}"
        )
    factor = (most / least) ** (1 / (count - 1))
    return tuple(float(f"{least * factor**k:.4g}") for k in range(count))


DIGITS = "digits_cnn"
BYTES = "stdlib_lm"
HEADS = tuple(heads / 4 for heads in (1, 2, 3, 4, 6, 8))  # the byte model's widths are whole attention heads

QUICK = Profile(
    seeds=1,
    sweeps=tuple(
        ScalingSweep(workload=DIGITS, resource=resource, shares=geometric(least, 1.0, 5), budget=0.5)
        for resource, least in (("train_samples", 1 / 32), ("steps", 1 / 32), ("parameters", 1 / 16), ("flops", 1 / 64))
    ),
)
DEFAULT = Profile(
    seeds=2,
    sweeps=(
        ScalingSweep(workload=DIGITS, resource="train_samples", shares=geometric(1 / 32, 1.0, 8)),
        ScalingSweep(workload=DIGITS, resource="steps", shares=geometric(1 / 64, 1.0, 8)),
        ScalingSweep(workload=DIGITS, resource="parameters", shares=geometric(1 / 16, 1.5, 8), budget=0.5),
        ScalingSweep(workload=DIGITS, resource="flops", shares=geometric(1 / 128, 1.0, 8)),
        ScalingSweep(workload=BYTES, resource="train_samples", shares=geometric(1 / 128, 1.0, 8), budget=0.4),
        ScalingSweep(workload=BYTES, resource="steps", shares=geometric(1 / 64, 1.0, 8)),
        ScalingSweep(workload=BYTES, resource="parameters", shares=HEADS, budget=0.4),
        ScalingSweep(workload=BYTES, resource="flops", shares=geometric(1 / 128, 1.0, 8)),
    ),
)
PROFILES = MappingProxyType({"quick": QUICK, "default": DEFAULT})


def runs(profile: Profile) -> Iterator[ScalingRun]:
    """All trainings of a profile, the cheapest of a sweep first."""
    for sweep in profile.sweeps:
        for share in sorted(sweep.shares):
            for seed in range(profile.seeds):
                yield ScalingRun(
                    workload=sweep.workload, resource=sweep.resource, share=share, seed=seed, budget=sweep.budget
                )


def point(recipe: Recipe, run: ScalingRun) -> SweepPoint:
    """The recipe with the run's share of its resource, and its amount of computation.

    Operations grow in both directions alike. With a share ``s`` of the operations, the network has the fourth root of
    ``s`` of its width, so about the square root of ``s`` of its parameters. The number of steps uses up the rest.
    Source: Hoffmann et al. 2022, https://arxiv.org/abs/2203.15556: parameters and data should grow in equal proportion.
    """
    from suite.measure.points import point as found
    from suite.training.surgery.axes import find

    if run.resource == "flops":
        return _point_of_operations(recipe, run.share)
    if run.resource == "steps":
        steps = find(recipe, "steps")
        return found(steps, recipe, max(1, round(run.share * steps.full)))
    steps = find(recipe, "steps")
    plain = steps.at(recipe, max(1, round(run.budget * steps.full))) if run.budget < 1 else recipe
    axis = find(plain, AXES[run.resource])
    amount = max(BATCHES, round(run.share * axis.full)) if axis.whole else run.share * axis.full
    return found(axis, plain, amount)


def _point_of_operations(recipe: Recipe, share: float) -> SweepPoint:
    from suite.measure.points import point as found
    from suite.training.surgery.axes import find

    width, steps = find(recipe, "width"), find(recipe, "steps")
    whole, narrow = found(width, recipe, 1.0), found(width, recipe, share**0.25)
    if whole.flops is None or narrow.flops is None:
        raise UsageError("the network's operations cannot be counted; leave the resource flops out: --resource steps")
    narrower = width.at(recipe, share**0.25)
    return found(find(narrower, "steps"), narrower, max(1, round(steps.full * share * whole.flops / narrow.flops)))
