"""Put one cell under load: measure its capacity, then offer it shares of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from suite.analysis.load_test.arrivals import poisson
from suite.analysis.load_test.capacity import BatchCapacity, batches, curve, peak
from suite.analysis.load_test.open_loop import drive
from suite.analysis.load_test.plan import LoadTestPlan
from suite.analysis.load_test.requests import answering
from suite.analysis.load_test.summary import Load, summary
from suite.bench import requirements
from suite.bench.resolved_cell import Case
from suite.bench.trained_store import TrainedStore
from suite.core.machine.flags import applied
from suite.measure.arms import TECHNIQUE, serving_arms
from suite.measure.speed import QUICK
from suite.registry import Registry
from suite.training.devices import select_device


@dataclass(frozen=True, kw_only=True)
class LoadTestResult:
    """The curve, the capacity in requests a second, the objective in seconds, and what each load brought.

    ``suspect`` says what disturbed the rounds that the capacity comes from.
    """

    points: tuple[BatchCapacity, ...]
    capacity: float
    objective: float
    loads: tuple[Load, ...]
    suspect: str | None = None


def put_under_load(registry: Registry, case: Case, plan: LoadTestPlan, say: Callable[[str], None]) -> LoadTestResult:
    """Train the cell (and the baseline), then measure; ``say`` hears what is going on.

    Raises `UnavailableError` where the cell cannot run here.
    """
    select_device(case.cell.device)
    store = TrainedStore(registry=registry, device=case.cell.device)
    requirements.require(case, store.plain(case.workload, 0))
    say(f"training {case}")
    base, ours = (store.get(case.workload, one, 0) for one in (registry.baseline, case.composition))
    sides = serving_arms(base, ours, is_baseline=case.composition.is_baseline)
    sizes = sorted({*batches(plan.largest), *batches(plan.policy.max_batch)})
    say(f"timing batches of {sizes[0]} to {sizes[-1]}")
    points = tuple(curve(case.cell, sides, sizes, replace(QUICK, batch=plan.sampling)))
    best = peak(points, plan.policy.max_batch)
    full = next(point.seconds for point in points if point.batch == plan.policy.max_batch)
    objective = plan.objective_of(full)
    serve = answering(sides[TECHNIQUE], batches(plan.policy.max_batch))
    with applied(sides[TECHNIQUE].served.recipe.flags):
        loads = tuple(_loads(plan, serve, best, objective, say))
    return LoadTestResult(
        points=points, capacity=best.throughput, objective=objective, loads=loads, suspect=best.suspect
    )


def _loads(
    plan: LoadTestPlan,
    serve: Callable[[int, int], object],
    best: BatchCapacity,
    objective: float,
    say: Callable[[str], None],
) -> Iterator[Load]:
    for number, share in enumerate(plan.shares):
        rate = share * best.throughput
        say(f"offering {rate:.0f} requests a second, {share:.0%} of the capacity, for {plan.seconds:g} s")
        log = drive(poisson(rate, plan.seconds, plan.seed + number), plan.policy, serve)
        found = summary(log, plan.policy, share=share, rate=rate, seconds=plan.seconds, objective=objective)
        yield replace(found, suspect=best.suspect)
