"""A technique that replaces the data: what a network is judged on is not made of the answers."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.bench.bench import Bench, Plan
from suite.bench.preflight.leaks import check_data
from suite.core.errors import TechniqueError


def changed(part, change):
    return None if part is None else replace(part, inputs=change(part))


def resolved(change, *, parts=("train", "test", "validation"), slots=("data",)):
    """A registry with a technique that changes the inputs of these parts, and its composition."""
    registry = tiny.registry()

    @registry.technique(slots=slots)
    def other(recipe):
        """Change the data."""

        def data():
            found = recipe.data()
            return replace(found, **{name: changed(getattr(found, name), change) for name in parts})

        return replace(recipe, data=data)

    return registry, registry.resolve("other")


def by_target(part):
    return part.inputs + part.targets[:, None, None, None]


def smaller(part):
    return part.inputs[..., ::2, ::2]


def noisy(part):
    return part.inputs + torch.randn_like(part.inputs)


@pytest.mark.parametrize("change", [smaller, noisy])
def test_inputs_made_of_inputs_are_no_fault(change):
    """Random numbers of torch are the same both times."""
    check_data(resolved(change)[1], tiny.recipe())


def test_data_without_a_validation_part_are_no_fault():
    parts = tiny.splits(0)
    check_data(resolved(smaller)[1], tiny.recipe(data=lambda: replace(parts, validation=None)))


def test_training_inputs_may_be_made_of_their_targets():
    check_data(resolved(by_target, parts=("train",))[1], tiny.recipe())


@pytest.mark.parametrize("part", ["test", "validation"])
def test_labels_in_inputs_that_are_judged_are_an_error(part):
    _, other = resolved(by_target, parts=(part,))
    with pytest.raises(TechniqueError, match=f"changes the {part} inputs when their targets are put into another"):
        check_data(other, tiny.recipe())


def test_a_bench_tells_before_it_trains():
    registry, _ = resolved(by_target)
    with Bench(registry=registry, device="cpu", plan=Plan(profile="quick")) as bench:
        with pytest.raises(TechniqueError, match="other changes the test inputs"):
            bench.measure(tiny.case_of(registry, "other"), "quality")
        assert not bench.store._fitted
