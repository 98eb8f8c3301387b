"""Entries that no planned cell will ever answer."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace

import pytest
from expect_samples import CELL, FAMILY, GROUPS, MACHINE, TECHNIQUE, expectation, here

from suite.core.records import Origin
from suite.gate import unanswered

COUNT = expectation("parameters", 100, low=100, high=100)
PLAN = {CELL: GROUPS}
OTHERS = {replace(CELL, technique=name): GROUPS for name in ("baseline", "structured_pruning(ratio=0.4,epochs=5)")}


def reasons(*entries, planned=OTHERS, **where):
    return [verdict.reason for verdict in unanswered(entries, planned, where=here(**where))]


def test_an_entry_whose_technique_is_gone_is_missing_with_the_nearest_name():
    """A deleted technique, or a changed default, must not leave its entries silent."""
    (verdict,) = unanswered([COUNT], OTHERS, where=here())
    wanted = (
        "no cell of this run measures it: the technique is gone or is spelled otherwise "
        f"(nearest: structured_pruning(ratio=0.4,epochs=5)); run it with --technique '{TECHNIQUE}', "
        'or mark it retired = "why"'
    )
    assert wanted == verdict.reason
    assert ("missing", CELL, "parameters", "size") == (verdict.kind, verdict.cell, verdict.metric, verdict.group)
    assert COUNT == verdict.expectation


def test_an_entry_of_a_workload_that_is_not_planned_says_so():
    """Its module may not be loaded."""
    (reason,) = reasons(replace(COUNT, workload="wine"))
    assert "the workload is gone or its module is not loaded; run it with --workload wine" in reason


def test_an_entry_of_a_group_that_its_cell_does_not_measure_is_missing():
    """A workload that lost its labels brings no quality any more."""
    (reason,) = reasons(expectation("accuracy", 0.9, low=0.8), planned={CELL: ("size", "speed")})
    assert "no cell of this run measures its quality: the cell measures size, speed" in reason


def test_what_a_planned_cell_measures_is_answered():
    """Whether a measurement came is for the check of that cell to say."""
    assert [] == reasons(COUNT, expectation("accuracy", 0.9, low=0.8), planned=PLAN)


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({}, 1),
        ({"level": MACHINE}, 1),
        ({"level": FAMILY}, 1),
        ({"level": "cuda-sm90"}, 0),
        ({"level": MACHINE, "origin": Origin(threads=2)}, 0),
        ({"level": MACHINE, "conditions": {"threads": 2}}, 0),
        ({"conditions": {"threads": 2}}, 1),
        ({"only": ("cuda",)}, 0),
        ({"only": ("cpu",)}, 1),
        ({"retired": "replaced by narrow"}, 0),
        ({"retired": "renamed", "metric": "speedup_b64"}, 0),
    ],
)
def test_only_entries_that_apply_here_wait_for_an_answer(change, count):
    """Other hardware, other threads, other devices and retired entries do not."""
    assert count == len(reasons(replace(COUNT, **change)))


def test_the_number_of_a_device_does_not_matter_for_its_type():
    """Entries for cuda wait for cuda:1 too."""
    assert 1 == len(reasons(replace(COUNT, only=("cuda",)), device="cuda:1"))
