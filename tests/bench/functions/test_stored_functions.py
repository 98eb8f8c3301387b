"""Speed-ups of a test's functions against stored expectations: recorded, then judged."""

import pytest

from suite.bench.functions import stored
from suite.bench.functions.answers import AnswersApart
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio
from suite.core.machine import quiet
from suite.core.records import VerdictKind
from suite.gate import load_all

NODE = "tests/test_norm.py::test_fast[64]"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setattr(quiet, "is_quiet", lambda *_, **__: (True, ""))


def measured(value, *, node=NODE, suspect=None):
    speed = SpeedRatio(
        value=value, low=0.99 * value, high=1.01 * value, rounds=100, confidence=0.99, null=1.0, suspect=suspect
    )
    return stored.measured(stored.cell_of(node), FunctionTradeoff(speedup=speed, outputs=AnswersApart(difference=0.0)))


@pytest.mark.parametrize(
    ("node", "workload", "technique"),
    [
        (NODE, "tests.test_norm.test_fast", "candidate[64]"),
        ("test_a.py::TestB::test_c", "test_a.TestB.test_c", "candidate"),
        ("test_ä b.py::test_c[x/y]", "test_b.test_c", "candidate[x/y]"),
    ],
)
def test_a_tests_function_is_the_workload_and_its_parameters_the_candidates(node, workload, technique):
    """Names of files hold no other characters."""
    cell = stored.cell_of(node)
    assert technique == cell.technique
    assert workload.replace("test_b", cell.workload.partition(".")[0]) == cell.workload
    assert stored.UNSAFE.search(cell.workload) is None


def test_what_was_recorded_passes_and_a_slower_candidate_regresses(tmp_path):
    """With the wide bounds of a single process."""
    assert VerdictKind.UNVERIFIED == stored.judged(measured(2.0), tmp_path).kind
    assert 1 == stored.recorded(measured(2.0), tmp_path, ["pytest"]).added
    assert VerdictKind.PASS == stored.judged(measured(1.99), tmp_path).kind
    verdict = stored.judged(measured(1.2), tmp_path)
    assert VerdictKind.REGRESSED == verdict.kind
    assert "bound" in verdict.reason
    assert (
        VerdictKind.UNVERIFIED == stored.judged(measured(2.0, node="tests/test_norm.py::test_fast[8]"), tmp_path).kind
    )


def test_what_is_suspect_is_not_recorded(tmp_path):
    """The reason is told."""
    found = stored.recorded(measured(2.0, suspect="it was preempted"), tmp_path, ["pytest"])
    assert ["suspect: it was preempted"] == [one.reason for one in found.skipped]
    assert not list(tmp_path.rglob("*.toml"))


def test_expectations_of_functions_are_no_part_of_a_benchs(tmp_path):
    """They lie below the same folder, and no workload answers them."""
    stored.recorded(measured(2.0), tmp_path / "functions", ["pytest"])
    assert () == load_all(tmp_path)
