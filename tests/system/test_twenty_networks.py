"""Networks as hubs have them under all default techniques: each cell is measured, or unavailable with a reason."""
# the expected value stands on the left

import warnings

import hub_networks
import pytest

from suite.bench.bench import Bench, Plan
from suite.bench.explain import explain
from suite.bench.selection import Selection, select
from suite.core.errors import UnavailableError
from suite.registry import REGISTRY

pytestmark = pytest.mark.system


def outcomes(name):
    """By technique: nothing where quality and size were measured, or why not. What a compiler serves is left out."""
    if name not in REGISTRY.workloads:
        hub_networks.declare(REGISTRY, name)
    cases, _ = select(REGISTRY, Selection(device="cpu", workloads=[name]))
    cases = [case for case in cases if not case.compiles]
    found = {}
    with Bench(registry=REGISTRY, device="cpu", plan=Plan(profile="quick", seeds=1)) as bench:
        assert {} == bench.preflight(cases)
        for case, following in zip(cases, [*cases[1:], None], strict=True):
            found[case.composition.name] = outcome(bench, case)
            bench.release(case, following)
    return found


def outcome(bench, case):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for group in ("quality", "size"):
                bench.measure(case, group)
    except UnavailableError as error:
        return f"unavailable: {error}"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is an error of the cell
        return f"error: {type(error).__name__} {explain(error)}"
    return ""


@pytest.mark.parametrize("name", sorted(hub_networks.networks()))
def test_every_technique_is_measured_or_says_why_it_cannot_be(name):
    """None ends as an error after training."""
    found = outcomes(name)
    errors = {technique: why for technique, why in found.items() if why.startswith("error")}
    assert {} == errors
    assert "" == found["baseline"]
    assert all(len(why) > len("unavailable: ") for why in found.values() if why)
