"""What a worker process is sent: whole networks and as much data as it needs, each written once."""
# the expected value stands on the left

import gc
import importlib.util
import os
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from suite.bench.workers.payload import OTHER_ITEMS, TRAINING_ITEMS, ParcelError, Parcels, read, write
from suite.training.recipe import Split, Splits

USERS_CLASS = """
from torch import nn


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x
"""
LOOKS = """
import sys
import torch

network = torch.load(sys.argv[1], weights_only=False)
print("conftest" in sys.modules, float(network(torch.tensor(21.0))))
"""


@pytest.fixture
def parcels(tmp_path):
    return Parcels(folder=tmp_path)


@pytest.fixture(scope="module")
def trained():
    return tiny.fitted(), tiny.fitted(tiny.recipe(1))


CASE = tiny.case_of(tiny.registry(), "nhwc")


def test_a_network_comes_back_with_its_weights(parcels, trained):
    """Bit for bit, in evaluation mode as it was."""
    paths = parcels.of(CASE, *trained)
    for name, one in zip(("base", "technique"), trained, strict=True):
        found = read(getattr(paths, name), "cpu")
        assert tiny.equal_states(tiny.state(one.network), tiny.state(found))
        assert not found.training


def test_the_same_object_is_written_once(parcels, trained):
    """However many processes read it; another network of that name is written anew."""
    base, technique = trained
    loaded = tiny.splits(0)
    fixed = replace(base, recipe=replace(base.recipe, data=lambda: loaded))
    first = parcels.of(CASE, fixed, technique)
    times = {name: _mtime(path) for name, path in _paths(first).items()}
    _age(_paths(first))
    aged = {name: _mtime(path) for name, path in _paths(first).items()}
    assert first == parcels.of(CASE, fixed, technique)
    assert aged == {name: _mtime(path) for name, path in _paths(first).items()}
    parcels.of(CASE, fixed, base)
    assert aged["technique"] != _mtime(first.technique)
    assert aged["base"] == _mtime(first.base) != times["base"]


def _paths(sent):
    return {"base": sent.base, "technique": sent.technique, "data": sent.data}


def _mtime(path):
    return Path(path).stat().st_mtime_ns


def _age(paths):
    for path in paths.values():
        os.utime(path, (1, 1))


def test_only_as_many_items_are_sent_as_a_worker_looks_at(parcels, trained):
    """And no storage behind a slice of them: a large data set would be written whole."""
    count = TRAINING_ITEMS + 4000
    part = Split(inputs=torch.zeros(count, 8), targets=torch.zeros(count, dtype=torch.long), ids=torch.arange(count))
    many = Splits(train=part, test=part, validation=part)
    base = replace(trained[0], recipe=tiny.recipe(data=lambda: many))
    path = parcels.of(CASE, base, trained[1]).data
    found = read(path, "cpu")
    assert (TRAINING_ITEMS, OTHER_ITEMS, OTHER_ITEMS) == (len(found.train), len(found.test), len(found.validation))
    assert TRAINING_ITEMS * 8 * 4 == found.train.inputs.untyped_storage().nbytes()
    assert list(range(OTHER_ITEMS)) == found.test.ids.tolist()


def test_data_without_validation_stay_without(parcels, trained):
    """Only a target needs it."""
    plain = replace(tiny.splits(0), validation=None)
    base = replace(trained[0], recipe=tiny.recipe(data=lambda: plain))
    assert read(parcels.of(CASE, base, trained[1]).data, "cpu").validation is None


@pytest.mark.system
def test_a_class_of_a_conftest_travels_by_value(tmp_path, monkeypatch):
    """`pytest --pyargs suite.bench.benchmarks` may declare it there, and a worker has no conftest.py."""
    source, target = tmp_path / "conftest.py", tmp_path / "network.pt"
    source.write_text(USERS_CLASS, "utf-8")
    spec = importlib.util.spec_from_file_location("conftest", source)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "conftest", module)
    spec.loader.exec_module(module)
    write(target, module.Doubled(), "a cell")
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOOKS, str(target)], capture_output=True, text=True, check=False, cwd="/"
    )
    assert "False 42.0" == done.stdout.strip(), done.stderr


def test_what_cannot_be_sent_is_named_with_its_cell(tmp_path):
    """An open file, a lock, a generator: the reason is pickle's own."""
    network = tiny.Net()
    network.lines = (line for line in "ab")
    with pytest.raises(ParcelError, match=r"a cell cannot be sent to another process: TypeError: .*generator"):
        write(tmp_path / "network.pt", network, "a cell")


def test_what_was_sent_is_held_no_longer_than_it_can_be_sent_again(tmp_path):
    """Kept to be recognised, the networks of all cells before would fill an accelerator's memory."""
    parcels, (base, technique) = Parcels(folder=tmp_path), (tiny.fitted(), tiny.fitted())
    networks = [weakref.ref(one.network) for one in (base, technique)]
    parcels.of(CASE, base, technique)
    del technique
    parcels.forget("halves")
    gc.collect()
    assert [True, False] == [found() is not None for found in networks]
    del base
    parcels.forget(None)
    gc.collect()
    assert [None, None] == [found() for found in networks]
