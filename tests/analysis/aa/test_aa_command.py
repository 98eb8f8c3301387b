"""The command `suite aa` around its processes, which are made up."""
# the expected value stands on the left

import argparse
import json

import pytest
import tiny

from suite.cli import aa
from suite.core.metrics import measured


class FakeWorkers:
    """Notes which parts it is asked to time."""

    def speed(self, _case, _base, _technique, task, *, processes):
        self.parts = task.parts
        figure = measured(tiny.BASELINE_CELL, "speedup", 1.0, low=0.99, high=1.01, confidence=0.99, n=100)
        return [{"speedup": figure}] * processes


class FakeCase(argparse.Namespace):
    """A cell that trains in its own way."""

    def __str__(self):
        return "digits-baseline-cpu"


@pytest.mark.parametrize(
    ("training", "timeable", "expected"),
    [
        (False, ("inference", "training"), ("inference",)),
        (True, ("inference", "training"), ("inference", "training")),
        (True, ("inference",), ("inference",)),
    ],
)
def test_a_training_step_is_timed_where_asked_for_and_the_technique_has_its_own(training, timeable, expected, tmp_path):
    """Every process's figures are kept."""
    workers, store = FakeWorkers(), argparse.Namespace(get=lambda *_: None)
    case = FakeCase(workload=None, composition=None, timeable=timeable)
    parsed = argparse.Namespace(seconds=4.0, processes=4, training=training)
    assert 4 == len(aa._measured(case, parsed, store, workers, tmp_path))
    assert expected == workers.parts
    kept = (tmp_path / "aa.jsonl").read_text("utf-8").splitlines()
    assert [{"cell": "digits-baseline-cpu", "figures": {"speedup": [1.0, 0.99, 1.01, None]}}] * 4 == [
        json.loads(line) for line in kept
    ]
