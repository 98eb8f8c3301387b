"""A tiny cell under load: its curve, its loads and their tables."""
# the expected value stands on the left

import csv

import pytest
import tiny

from suite.analysis.load_test import tables
from suite.analysis.load_test.batcher import Policy
from suite.analysis.load_test.capacity import batches, capacity
from suite.analysis.load_test.plan import LoadTestPlan
from suite.analysis.load_test.run import put_under_load
from suite.cli import load_test, main
from suite.core.errors import ResultsError, UsageError

PLAN = LoadTestPlan(policy=Policy(max_batch=4, max_wait=1e-3), largest=6, shares=(0.1, 0.3), seconds=0.1, sampling=0.02)


@pytest.fixture(scope="module")
def found():
    registry = tiny.registry()
    return put_under_load(registry, tiny.case_of(registry, "wrapped"), PLAN, lambda _: None)


def test_the_curve_has_every_power_of_two_and_the_largest_batch():
    """One and 512 too."""
    assert (1, 2, 4, 6) == batches(6)
    assert (1, 2, 4, 8) == batches(8)
    assert (1,) == batches(1)
    assert (1, 512) == (batches(512)[0], batches(512)[-1])


@pytest.mark.system
def test_the_capacity_is_that_of_the_batches_that_can_be_formed(found):
    """Not of the largest one timed."""
    assert [1, 2, 4, 6] == [point.batch for point in found.points]
    assert found.capacity == capacity(found.points, 4) == max(p.throughput for p in found.points[:3])


@pytest.mark.system
def test_each_load_answers_its_requests(found):
    """Rates are shares of the capacity."""
    assert [0.1, 0.3] == [load.share for load in found.loads]
    assert [share * found.capacity for share in PLAN.shares] == pytest.approx([load.rate for load in found.loads])
    assert all(0 < load.p50 <= load.p99 and load.requests > 0 for load in found.loads)


@pytest.mark.system
def test_both_tables_are_shown_and_written(found, tmp_path):
    """A line for each batch and each load; an existing folder is not written over."""
    shown = "\n".join(tables.lines(found, PLAN))
    assert "capacity" in shown
    assert 2 + len(found.points) + 1 + 1 + len(found.loads) <= shown.count("\n") + 1
    curve, loads = tables.write(tmp_path / "made", found)
    assert [str(p.batch) for p in found.points] == [row["batch"] for row in rows(curve)]
    assert len(found.loads) == len(rows(loads))
    with pytest.raises(ResultsError, match="--out"):
        tables.write(tmp_path / "made", found)


def rows(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def parsed(*arguments):
    return main.build_parser().parse_args(["serving", "digits_cnn-baseline-cpu", *arguments])


def test_the_command_line_says_how_to_serve():
    """Quantities as people write them."""
    plan = load_test._plan(parsed("--max-batch", "8", "--max-wait", "5ms", "--slo", "50ms", "--load-share", "0.5"))
    assert (8, 0.005, 0.05, (0.5,)) == (plan.policy.max_batch, plan.policy.max_wait, plan.objective, plan.shares)


@pytest.mark.parametrize("arguments", [("--seconds", "0"), ("--max-wait", "5MB"), ("--largest", "4"), ("--slo", "0ms")])
def test_a_slip_on_the_command_line_is_told_at_once(arguments):
    """Before a process is started."""
    with pytest.raises(UsageError):
        load_test._plan(parsed(*arguments))
