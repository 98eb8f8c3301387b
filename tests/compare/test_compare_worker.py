"""What a worker does before it is timed."""
# the expected value stands on the left

import itertools
import os

import pytest
import torch
from torch import nn

from suite.compare import worker


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
