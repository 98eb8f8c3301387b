"""A tiny cell under load: its curve, its loads and their tables."""
# the expected value stands on the left

import csv
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny

from suite.analysis.load_test import tables
from suite.analysis.load_test.batcher import Policy
from suite.analysis.load_test.capacity import BatchCapacity, batches, capacity, peak
from suite.analysis.load_test.plan import LoadTestPlan
from suite.analysis.load_test.run import LoadTestResult, put_under_load
from suite.analysis.load_test.summary import Load
from suite.cli import load_test, main
from suite.core.errors import ResultsError, UsageError
from suite.core.machine import child, core, quiet

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


@pytest.mark.parametrize(
    ("given", "share"), [("0.5", 0.5), ("50", 0.5), ("50%", 0.5), ("120", 1.2), ("2", 2), ("1 %", 0.01)]
)
def test_a_load_is_a_share_or_in_percent(given, share):
    """`--load-share 50` cannot mean fifty times the capacity."""
    assert pytest.approx((share,)) == load_test._plan(parsed("--load-share", given)).shares


@pytest.mark.parametrize("given", ["301", "400%", "0", "-0.5", "half", "nan", "inf"])
def test_a_load_that_nothing_can_carry_is_refused(given):
    """The message has the value."""
    with pytest.raises(UsageError, match=r"load|share"):
        load_test._plan(parsed(f"--load-share={given}"))


def point(batch, throughput, suspect=None):
    return BatchCapacity(
        batch=batch, seconds=batch / throughput, throughput=throughput, baseline_seconds=1.0, baseline_throughput=1.0,
        speedup=1.0, low=None, high=None, suspect=suspect,
    )  # fmt: skip


def test_a_capacity_from_disturbed_rounds_is_disturbed():
    """Other batches' rounds say nothing of it."""
    points = [point(1, 100.0, "1 preemption"), point(2, 300.0, "2 preemptions"), point(4, 900.0)]
    assert ("2 preemptions", None) == (peak(points, 2).suspect, peak(points, 4).suspect)
    load = Load(
        share=0.5, rate=150.0, requests=9, p50=1.0, p99=1.0, goodput=9.0, late=0.0, mean_batch=1.0, saturated=False
    )
    loads = (replace(load, suspect="2 preemptions"),)
    found = LoadTestResult(points=tuple(points), capacity=300.0, objective=1.0, loads=loads, suspect="2 preemptions")
    shown = "\n".join(tables.lines(found, PLAN))
    assert "capacity 300 ? requests/s" in shown
    assert "? the rounds of this capacity were disturbed, and so are the shares of it: 2 preemptions" in shown
    assert "50% ?" in shown
    sound = "\n".join(tables.lines(replace(found, suspect=None, loads=(load,)), PLAN))
    assert "?" not in sound


@pytest.mark.parametrize("arguments", [("--seconds", "0"), ("--max-wait", "5MB"), ("--largest", "4"), ("--slo", "0ms")])
def test_a_slip_on_the_command_line_is_told_at_once(arguments):
    """Before a process is started."""
    with pytest.raises(UsageError):
        load_test._plan(parsed(*arguments))


def test_a_core_that_is_shared_is_not_passed_on(monkeypatch):
    """The process that is started would not be quiet with it, and start another without end."""
    for name in (core.CORE, core.TAKEN, core.ALLOWED):
        monkeypatch.setenv(name, "3")
    started = []

    def run(_, *, env, check):
        started.append((quiet.is_quiet(env)[0], core.CORE in env, check))
        return SimpleNamespace(returncode=7)

    monkeypatch.setattr(child.subprocess, "run", run)
    given = parsed()
    assert 7 == given.run(given, ())
    assert [(True, False, False)] == started


def test_a_core_that_is_shared_is_told_beside_the_tables(monkeypatch, capsys):
    """Its capacity is not to be trusted."""
    shared = "another run holds core 3"
    monkeypatch.setattr(quiet, "is_quiet", lambda _: (False, shared))
    monkeypatch.setattr(quiet, "pin", lambda: None)
    monkeypatch.setattr(quiet, "apply_threads", lambda: None)
    monkeypatch.setattr("suite.analysis.load_test.run.put_under_load", lambda *_: None)
    monkeypatch.setattr(tables, "lines", lambda *_: ["capacity"])
    monkeypatch.setattr(tables, "write", lambda *_: [])
    assert 0 == load_test._measure(parsed())
    assert f"capacity\ndoubtful: {shared}\n" == capsys.readouterr().out
