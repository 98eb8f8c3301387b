"""What a rank does with the sampler's commands; no rank starts here."""
# the expected value stands on the left

from multiprocessing import Pipe
from types import SimpleNamespace

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
