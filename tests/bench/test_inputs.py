"""What a training depends on beside sources: settings in other files, values in closures, data without a digest."""
# the expected value stands on the left

import functools
import json

import pytest
import tiny
import torch

from suite.bench.inputs import inputs_of, of_data, of_recipe
from suite.catalog.scores import classification
from suite.registry import Registry
from suite.registry.opened import digests, watching


def test_files_that_are_read_are_seen_and_their_change_too(tmp_path):
    """A learning rate in a JSON file is no source."""
    config = tmp_path / "config.json"
    config.write_text('{"lr": 0.1}', "utf-8")
    with watching() as names:
        json.loads(config.read_text("utf-8"))
        (tmp_path / "written.txt").write_text("written, not read", "utf-8")
    before = digests(names)
    assert [str(config)] == [name for name in before if str(tmp_path) in name]
    config.write_text('{"lr": 0.2}', "utf-8")
    assert before != digests(names)


def test_code_and_files_of_packages_are_no_inputs(tmp_path):
    """Sources have a digest of their own."""
    (tmp_path / "module.py").write_text("x = 1", "utf-8")
    with watching() as names:
        (tmp_path / "module.py").read_text("utf-8")
    assert {} == digests(names)


def test_nothing_is_seen_outside_of_the_block(tmp_path):
    """The hook stays installed."""
    (tmp_path / "late.txt").write_text("", "utf-8")
    with watching() as names:
        pass
    (tmp_path / "late.txt").read_text("utf-8")
    assert {} == names


def by_closure(rate):
    return tiny.recipe(optimizer=lambda parameters, _: torch.optim.SGD(parameters, lr=rate))


def by_partial(rate):
    return tiny.recipe(optimizer=functools.partial(torch.optim.SGD, lr=rate))


def by_default(rate):
    return tiny.recipe(optimizer=lambda parameters, _, lr=rate: torch.optim.SGD(parameters, lr=lr))


def by_value(rate):
    return tiny.recipe(learning_rate=rate)


@pytest.mark.parametrize("made", [by_closure, by_partial, by_default, by_value])
def test_values_that_a_recipe_holds_are_part_of_its_digest(made):
    """Wherever the function that uses them keeps them; the same values have the same digest."""
    assert of_recipe(made(0.1)) == of_recipe(made(0.1))
    assert of_recipe(made(0.1)) != of_recipe(made(0.2))


def test_a_workloads_inputs_change_with_its_data_and_its_files(tmp_path):
    """Nobody has declared a digest."""
    config = tmp_path / "config.json"

    def inputs(text, seed=0):
        config.write_text(text, "utf-8")
        made = Registry()

        @made.workload(scores=classification())
        def halves(_seed):
            """The tiny workload, its number of epochs from a file."""
            config.read_text("utf-8")
            return tiny.recipe(seed)

        return inputs_of([made.find_workload("halves")])["halves"]

    assert inputs("1") == inputs("1")
    assert inputs("1") != inputs("2")
    assert of_data(tiny.splits(0)) != of_data(tiny.splits(1))
    assert inputs("1") != inputs("1", seed=1)


def test_a_workload_that_cannot_be_read_has_no_inputs():
    """Its cells say why."""
    made = Registry()

    @made.workload(scores=classification())
    def broken(_seed):
        """Fail."""
        raise OSError("no such disk")

    assert {} == inputs_of([made.find_workload("broken")])
