"""Whether a technique's training would eat the run: a few of its steps are timed before it trains.

Half precision on a CPU without the instructions for it takes fifty times as long as its control, which is half of a
newcomer's first run. A factor from two or three steps is no measurement, and nothing is judged by it.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

from suite.bench.resolved_cell import Case
from suite.core.errors import SlowError
from suite.core.machine.flags import applied
from suite.core.phases import phase
from suite.training.devices import own_random_numbers, synchronize
from suite.training.loop import first_step, steps_per_epoch
from suite.training.recipe import Recipe, Reference

SLOW = 5.0  # times its control's training
LEAST = 30.0  # seconds of training: below that nothing is eaten, whatever the factor
STEPS, LONGEST = 3, 1.0  # timed steps, and seconds after which no further one begins


def require_pace(case: Case, recipe: Recipe, control: Recipe, reference: Reference) -> None:
    """Raise `SlowError` if ``recipe`` would train `SLOW` times as long as ``control``, and `LEAST` seconds.

    Training in a compiled form is not looked at: compiling for the sake of a few steps would take longer than most
    trainings.
    """
    if case.compiles:
        return
    device = case.cell.device
    ours, theirs = (_seconds(one, device, reference) for one in (recipe, control))
    if ours > LEAST and ours > SLOW * theirs:
        name = case.composition.name
        raise SlowError(
            f"left out: {name} would train about {ours / theirs:.0f} times as long as its control here ({ours:.0f} s "
            f"against {theirs:.0f} s, by {STEPS} steps of each); run it with --technique '{name}' or with --slow",
            ours / theirs,
        )


def _seconds(recipe: Recipe, device: str, reference: Reference) -> float:
    """What training from scratch by this recipe takes, about."""
    with applied(recipe.flags), own_random_numbers(device), phase("training"):
        steps = steps_per_epoch(recipe, recipe.data().train) * recipe.epochs
        return _step_seconds(recipe, device, reference) * steps


def _step_seconds(recipe: Recipe, device: str, reference: Reference) -> float:
    step, batch = first_step(recipe, device=device, reference=reference)
    taken: list[float] = []
    began = perf_counter()
    while len(taken) < 2 or (len(taken) <= STEPS and perf_counter() - began < LONGEST):  # noqa: PLR2004  # warm, timed
        now = perf_counter()
        step(batch)
        synchronize(device)
        taken.append(perf_counter() - now)
    return median(taken[1:])  # the first one warms up
