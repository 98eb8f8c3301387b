"""Ordered pairs of techniques on a tiny network: each keeps what both promise, or says before training why it cannot.

By default the techniques whose promises, losses or weights meet; with ``SUITE_PAIRS=all`` (``nox -s pairs``) every one.
What a compiler serves or trains is left out: it takes seconds a pair.
"""
# the expected value stands on the left

import os
import warnings

import pytest
import tiny

from suite.bench.bench import Bench, Plan
from suite.bench.explain import explain
from suite.bench.resolved_cell import case
from suite.catalog.scores import classification
from suite.core.errors import CompositionError, UnavailableError
from suite.registry import REGISTRY

pytestmark = pytest.mark.system

SHORT = {
    "lottery_ticket": "lottery_ticket(rewind=2,rounds=2,epochs=2)",
    "lottery_reinit": "lottery_reinit(rewind=2,rounds=2,epochs=2)",
}
"""Techniques that train for long, or look for more steps than there are."""
MEETING = (
    *("ema", "early_stopping", "magnitude_pruning", "prune_at_init", "semi_structured", "simulated_qat", "low_rank"),
    *("early_exit", "slimmable", "distillation"),
)


def names():
    """The techniques that are paired."""
    if os.environ.get("SUITE_PAIRS") != "all":
        return MEETING
    found = REGISTRY.techniques.values()
    return tuple(one.name for one in found if one.name != "baseline" and "compiler" not in one.needs)


def workload():
    if "halves" not in REGISTRY.workloads:

        @REGISTRY.workload(scores=classification(), techniques=(), digest=lambda: "halves-1")
        def halves(seed):
            """Which half of an image is bright."""
            return tiny.recipe(seed)

    return REGISTRY.find_workload("halves")


def outcome(bench, text):
    """Nothing where quality and size were measured, or why not."""
    try:
        found = case(REGISTRY, workload(), text, "cpu")
    except CompositionError as error:
        return f"refused: {error}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert {} == bench.preflight([found])
            for group in ("quality", "size"):
                bench.measure(found, group)
    except (UnavailableError, CompositionError) as error:
        return f"unavailable: {error}"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is an error of the cell
        return f"error: {type(error).__name__} {explain(error)}"
    finally:
        bench.release(found, found)
    return ""


@pytest.mark.parametrize("first", names())
def test_a_pair_keeps_what_both_promise_or_says_why_it_cannot_be(first):
    """None ends as an error, and no promise is found broken after training."""
    with Bench(registry=REGISTRY, device="cpu", plan=Plan(profile="quick", seeds=1)) as bench:
        pairs = [f"{SHORT.get(first, first)}+{SHORT.get(second, second)}" for second in names() if second != first]
        found = {pair: outcome(bench, pair) for pair in pairs}
    assert {} == {pair: why for pair, why in found.items() if why.startswith("error")}
    assert all(len(why) > len("unavailable: ") for why in found.values() if why)
