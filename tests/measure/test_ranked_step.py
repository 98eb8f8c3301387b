"""What a rank does with the sampler's commands; no rank starts here."""
# the expected value stands on the left

import os
from multiprocessing import Pipe
from types import SimpleNamespace

import pytest
import tiny

from suite.core.machine import flags
from suite.measure import ranked_step
from suite.training.distributed.in_ranks import flags_of_a_rank

SETTINGS = {"float32_matmul_precision": "medium"}


class NotingStep:
    """Notes torch's settings in each turn."""

    def __init__(self, settings):
        self.flags, self.seen = settings, []

    def __call__(self):
        self.seen.append(flags.read()["float32_matmul_precision"])

    reset = __call__


def serve(timed, *commands):
    ours, theirs = Pipe()
    for command in (*commands, "end"):
        ours.send((command,))
    ranked_step._serve(timed, theirs)


def test_a_rank_steps_under_the_settings_of_its_recipe():
    """They end with its commands."""
    timed, before = NotingStep(SETTINGS), flags.read()
    serve(timed, "reset", "step")
    assert ["medium", "medium"] == timed.seen
    assert before == flags.read()


def test_a_rank_has_one_thread_whatever_its_recipe_says():
    recipe = SimpleNamespace(flags={**SETTINGS, "threads": 4})
    assert SETTINGS == flags_of_a_rank(recipe)
    assert {} == flags_of_a_rank(tiny.recipe())


@pytest.mark.parametrize(
    ("cores", "said"),
    [
        ((1, 3), None),
        ((3,), "2 ranks share core 3, since other runs hold the rest; start it when those have ended"),
        ((), "2 ranks have no core of their own, since other runs hold the rest; start it when those have ended"),
    ],
)
def test_ranks_without_a_core_each_are_suspect(cores, said, monkeypatch):
    monkeypatch.setattr(os, "sched_setaffinity", None, raising=False)
    assert said == ranked_step.sharing(2, cores)


def test_without_affinity_nobody_knows_who_shares_a_core(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert ranked_step.sharing(2, ()) is None
