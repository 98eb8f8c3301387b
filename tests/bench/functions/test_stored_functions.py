"""Speed-ups of a test's functions against stored expectations: recorded, then judged."""

import pytest

from suite.bench.functions import stored
from suite.bench.functions.answers import AnswersApart
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio
from suite.core.errors import UsageError
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


def judged(measurements, folder):
    (verdict,) = stored.judged(measurements, folder)
    return verdict


@pytest.mark.parametrize(
    ("node", "workload", "technique"),
    [
        (NODE, "tests.test_norm-test_fast", "candidate[64]"),
        ("test_a.py::TestB::test_c", "test_a-TestB.test_c", "candidate"),
        ("a/test_b.py::test_c[x/y]", "a.test_b-test_c", "candidate[x/y]"),
    ],
)
def test_a_tests_function_is_the_workload_and_its_parameters_the_candidates(node, workload, technique):
    """One of several checks has its name, too."""
    cell = stored.cell_of(node)
    assert (workload, technique) == (cell.workload, cell.technique)
    assert f"{technique}:large" == stored.cell_of(node, name="large").technique


def test_two_tests_never_share_a_file():
    """Names of files hold no other characters, so a digest tells them apart."""
    nodes = [
        *("t.py::test_größe", "t.py::test_gräße", "t.py::test_日本", "t.py::test_中国"),
        *("a b/t.py::f", "a_b/t.py::f", "tests/a/b.py::f", "tests/a.py::b::f", "x.y/t.py::f", "x/y/t.py::f"),
    ]
    names = [stored.cell_of(node).workload for node in nodes]
    assert len(nodes) == len(set(names))
    assert not any(stored.UNSAFE.search(name) for name in names)


def test_what_was_recorded_passes_and_a_slower_candidate_regresses(tmp_path):
    """With the wide bounds of a single process."""
    assert VerdictKind.UNVERIFIED == judged(measured(2.0), tmp_path).kind
    assert 1 == stored.recorded(measured(2.0), tmp_path, ["pytest"]).added
    assert VerdictKind.PASS == judged(measured(1.99), tmp_path).kind
    verdict = judged(measured(1.2), tmp_path)
    assert VerdictKind.REGRESSED == verdict.kind
    assert "bound" in verdict.reason
    assert VerdictKind.UNVERIFIED == judged(measured(2.0, node="tests/test_norm.py::test_fast[8]"), tmp_path).kind


def test_what_is_suspect_is_not_recorded(tmp_path):
    """The reason is told."""
    found = stored.recorded(measured(2.0, suspect="it was preempted"), tmp_path, ["pytest"])
    assert ["suspect: it was preempted"] == [one.reason for one in found.skipped]
    assert not list(tmp_path.rglob("*.toml"))


def test_expectations_of_functions_are_no_part_of_a_benchs(tmp_path):
    """They lie below the same folder, and no workload answers them."""
    stored.recorded(measured(2.0), tmp_path / "functions", ["pytest"])
    assert () == load_all(tmp_path)


def test_what_regresses_does_not_replace_what_is_stored(tmp_path):
    """Recording again is no way around the gate."""
    stored.recorded(measured(3.0), tmp_path, ["pytest"])
    with pytest.raises(UsageError, match=r"not recorded, it regresses: .*delete the entry at .*\.toml:\d+"):
        stored.recorded(measured(1.0), tmp_path, ["pytest"])
    assert VerdictKind.REGRESSED == judged(measured(1.0), tmp_path).kind
