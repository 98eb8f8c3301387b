"""What a worker does before it is timed."""
# the expected value stands on the left

import ast
import inspect
import itertools
import os
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
import tiny
import torch
from torch import nn

from suite.compare import preloaded, protocol, worker
from suite.compare.counts import compared
from suite.compare.protocol import Move, Turn
from suite.training.loop import Trained


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform pins no process")
@pytest.mark.parametrize(("threads", "expected"), [("1", [{3}]), ("4", [])])
def test_a_worker_stays_on_one_core_only_with_one_thread(threads, expected, monkeypatch):
    """Four threads on one core would take turns."""
    pinned = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: pinned.append(cores))
    monkeypatch.setenv("SUITE_CORE", "3")
    monkeypatch.setenv("SUITE_THREADS", threads)
    worker.pin()
    assert expected == pinned


def sides_of(tmp_path):
    """A request of the reference, whose checkout lies in a cache."""
    here, cached = tmp_path / "here", tmp_path / "cached"
    for root in (here, cached):
        (root / "python" / "mynet").mkdir(parents=True)
        (root / "python" / "mynet" / "__init__.py").touch()
    return here, cached, SimpleNamespace(root=str(cached), other_root=str(here))


def test_folders_of_an_editable_install_move_to_the_other_checkout(tmp_path):
    """A .pth file names the current one; where the other has no such folder it is left out."""
    here, cached, request = sides_of(tmp_path)
    (here / "late").mkdir()
    entries = [str(here / "python"), str(here / "late"), "/usr/lib/python3", str(here / ".venv/lib/site-packages")]
    assert [str(cached / "python"), *entries[2:]] == worker.moved_entries(entries, request)
    assert entries == worker.moved_entries(entries, SimpleNamespace(root=str(cached), other_root=None))


def test_a_module_of_the_other_checkout_is_an_error(tmp_path, monkeypatch):
    """Both sides would import the current code, and be the same."""
    here, cached, request = sides_of(tmp_path)
    monkeypatch.setitem(sys.modules, "mynet", SimpleNamespace(__file__=str(cached / "python/mynet/__init__.py")))
    worker.check_modules(request)
    monkeypatch.setitem(sys.modules, "mynet", SimpleNamespace(__file__=str(here / "python/mynet/__init__.py")))
    with pytest.raises(RuntimeError, match=r"the module mynet of this side was imported from .*other side's checkout"):
        worker.check_modules(request)


def stored(network, folder):
    path = folder / "weights.pt"
    torch.save(network.state_dict(), path)
    return str(path)


def layers(*widths):
    return nn.Sequential(*(nn.Linear(a, b) for a, b in itertools.pairwise(widths)))


def test_weights_of_the_same_names_and_shapes_are_the_other_sides(tmp_path):
    """Both sides compute the same."""
    theirs, ours = nn.Linear(3, 2), nn.Linear(3, 2)
    assert worker._same_weights(ours, stored(theirs, tmp_path))
    assert torch.equal(theirs.weight, ours.weight)


@pytest.mark.parametrize(
    "widths", [(3, 2, 5), (3, 2), (3, 2, 4, 1)], ids=["another shape", "a name less", "a name more"]
)
def test_no_weight_is_loaded_where_one_does_not_fit(widths, tmp_path):
    """Each side has its own, as it is said."""
    theirs, ours = layers(3, 2, 4), layers(*widths)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    assert not worker._same_weights(ours, stored(theirs, tmp_path))
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in before.items())


def test_both_ends_read_the_same_records():
    """The worker loads the driver's file, so that no field can have another name there."""
    assert protocol.__file__ == worker.protocol.__file__
    assert worker.protocol is not protocol


@pytest.mark.parametrize("module", [preloaded, protocol, worker])
def test_a_worker_starts_with_the_standard_library_alone(module):
    """Its own environment may have another version of the suite, and none of its packages."""
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    found = [name for one in tree.body for name in names(one)]
    assert [] == [name for name in found if name.partition(".")[0] not in sys.stdlib_module_names]


def names(statement):
    """What a statement at the top of a file imports."""
    if isinstance(statement, ast.ImportFrom):
        return [statement.module]
    return [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else []


class FakeDevice:
    """A queue: what was queued counts as work of a turn until somebody waits for it."""

    def __init__(self, monkeypatch):
        self.clock = self.queued = 0.0
        monkeypatch.setattr(worker, "perf_counter", lambda: self.clock)
        monkeypatch.setattr(torch.accelerator, "synchronize", self.wait)

    def work(self, seconds):
        self.queued += seconds

    def wait(self, _device):
        self.clock, self.queued = self.clock + self.queued, 0.0


@pytest.fixture
def side(monkeypatch):
    """One side on a fake accelerator, and its device; a call takes 1 s, a reset 10 s and a move 100 s."""
    device, made = FakeDevice(monkeypatch), object.__new__(worker._Side)
    made.device = "cuda"
    made.places = SimpleNamespace(move=lambda: device.work(100.0))
    made.chance = random.Random(0)  # noqa: S311  # guards no secret
    made.answers, made.looked_at = SimpleNamespace(problem=lambda *_: ""), set()
    served = worker._Serving(lambda _: device.work(1.0), None, 1)
    made.calls = {"speed": (served, lambda: None), "train_step": (lambda: device.work(1.0), lambda: device.work(10.0))}
    return made, device


def test_a_turn_does_not_pay_for_what_was_queued_before_it(side):
    """Weights that are put back are copied by the device, after the host went on."""
    made, _ = side
    assert 3.0 == made.turn(Turn(metric="train_step", calls=3)).seconds


def test_a_move_has_ended_when_it_returns(side):
    """Else the other side's turn would share the device with it."""
    made, device = side
    made.move(Move(metric="speed"))
    assert (0.0, 101.0) == (device.queued, device.clock)
    assert 2.0 == made.turn(Turn(metric="speed", calls=2)).seconds


@pytest.mark.parametrize(("device", "expected"), [("cuda:1", [1]), ("cuda", []), ("cpu", [])])
def test_a_numbered_accelerator_is_made_the_current_one(device, expected, monkeypatch):
    """Kernels and events of libraries follow it."""
    chosen = []
    monkeypatch.setattr(torch.accelerator, "set_device_index", chosen.append)
    worker.select(device)
    assert expected == chosen


def test_a_timed_call_that_answers_otherwise_is_an_error_of_its_side(side, monkeypatch):
    """As the driver is told it: the cell of that side has an error and no ratio."""
    made, _ = side
    monkeypatch.setattr(worker, "LOOKED_AT", 1.0)
    made.answers = SimpleNamespace(problem=lambda _output, items: f"{items} items answered otherwise")
    expected = {"error": "ImplausibleError: implausible: 1 items answered otherwise", "kind": "ImplausibleError"}
    assert expected == vars(made.turn(Turn(metric="speed", calls=2)))
    assert 3.0 == made.turn(Turn(metric="train_step", calls=3)).seconds


def test_a_network_that_keeps_its_answers_is_an_error_of_its_side(side):
    """A call takes no time on the inputs that are served again and again."""
    made, device = side
    served, kept = torch.ones(4, 2), []

    def call(inputs):
        if not any(torch.equal(inputs, one) for one in kept):
            kept.append(inputs.clone())
            device.work(1.0)

    made.calls = {"speed": (worker._Serving(call, served, 4), lambda: None)}
    made._timed("speed", 1)
    found = made.turn(Turn(metric="speed", calls=2))
    assert "ImplausibleError" == found.kind
    assert "takes 1 s, and 0 s on those of the timed turns: answers are kept" in found.error


@pytest.mark.parametrize("asked", get_args(protocol.Question), ids=lambda kind: kind.__name__)
def test_a_side_answers_each_question_of_the_protocol(asked):
    """By the method of its name: a question that was renamed alone would end the worker."""
    assert callable(getattr(worker._Side, asked.__name__.lower()))


def test_data_are_kept_for_a_process_that_would_load_them_slowly(tmp_path):
    """Whole or not at all."""
    worker._keep(lambda: SimpleNamespace(train=None), tmp_path / "0.data")
    assert [tmp_path / "0.data"] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "data", [iter(()).__next__, lambda: SimpleNamespace(open=lambda: None), dict], ids=["once", "a lambda", "too many"]
)
def test_data_that_cannot_be_kept_are_no_error_of_the_side(data, tmp_path, monkeypatch):
    """The process loads them by itself, and no half file is left."""
    if data is dict:
        monkeypatch.setattr(worker, "LARGEST_DATA", -1)
    worker._keep(data, tmp_path / "0.data")
    assert [] == list(tmp_path.iterdir())


class Copying(tiny.Net):
    """The tiny network with a copy more."""

    def forward(self, x):
        x = torch.empty_like(x).copy_(x)
        return super().forward(x)


def counting_side(model, *, training=False):
    """What a worker counts of a network of random weights, without its process."""
    recipe = tiny.recipe(model=model)
    made = object.__new__(worker._Side)
    made.request = SimpleNamespace(batch=4, metrics=())
    made.device, made.reference = "cpu", tiny.no_reference
    made.trained = Trained(recipe=recipe, network=model().eval(), device="cpu", seed=0, seconds=0.0)
    return made.countwork(protocol.CountWork(training=training))


def test_a_worker_counts_the_work_of_a_served_batch():
    """By the driver's own files; an extra copy is found at its line."""
    before, now = counting_side(tiny.Net), counting_side(Copying)
    exact = {one.metric: one for one in compared(now, before)}
    assert {"operators", "view_operators", "allocations", "allocated_bytes"} == exact.keys()
    line = inspect.getsourcelines(Copying)[1] + 4
    (copied,) = [change for change in exact["operators"].changes if "aten.copy_" in change]
    assert copied.startswith("+1 aten.copy_, at ")
    assert copied.endswith(f"test_compare_worker.py:{line}")
    assert "regressed" == exact["operators"].verdict


def test_a_worker_counts_a_training_step_if_asked_to():
    """With the backward pass and the optimizer."""
    found = counting_side(tiny.Net, training=True)
    assert 2 == found.fingerprints["training_operators"]["aten.convolution_backward"]


def test_what_a_network_raises_while_it_is_counted_is_the_sides_failure():
    """And no traceback of the worker's."""

    class Failing(tiny.Net):
        def forward(self, _):
            raise ValueError("no such layer")

    assert {"error": "ValueError: no such layer", "kind": "ValueError"} == vars(counting_side(Failing))
