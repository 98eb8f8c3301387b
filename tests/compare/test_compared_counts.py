"""Work that both sides of a comparison counted."""
# the expected value stands on the left

import pytest

from suite.compare.counts import compared
from suite.compare.judge import Rules
from suite.compare.measure import Compared
from suite.compare.protocol import SideRequest, WorkCounted, line, parts
from suite.compare.records import as_records
from suite.compare.table import exit_code, remarks, rows
from suite.core.records import Reason, VerdictKind

COPY, RELU = "aten.copy_ @ model.py:forward:3f2a", "aten.relu @ model.py:forward:0b0b"
CELL = "halves-baseline-cpu"
REQUEST = SideRequest(workload="halves", technique="baseline", device="cpu", batch=16)


def counted(fingerprint=None, lines=None, doubts=None, **values):
    fingerprints = {} if fingerprint is None else {"operators": fingerprint}
    values = values or {"operators": sum(fingerprint.values())}
    return WorkCounted(
        values=values, fingerprints=fingerprints, doubts=doubts or {}, lines={"operators": lines} if lines else {}
    )


OLD = counted({RELU: 1}, {RELU: "model.py:38"})
NEW = counted({RELU: 1, COPY: 2}, {COPY: "model.py:41"})


def found(ours, theirs):
    return Compared(cell=CELL, request=REQUEST, exact=compared(ours, theirs))


def test_more_work_is_a_regression_with_the_operators_that_explain_it():
    """In the table and in the lines below it."""
    one = found(NEW, OLD)
    assert [(CELL, "operators", "3 / 1", "exact", "regressed")] == rows([one], [])
    assert [f"{CELL} operators: +2 aten.copy_, at model.py:41"] == remarks([one], [], Rules())
    assert 1 == exit_code(rows([one], []), [one])


def test_more_work_passes_where_sizes_are_reported():
    """It is named all the same."""
    (exact,) = compared(NEW, OLD, gates=False)
    assert ("differs", ("+2 aten.copy_, at model.py:41",)) == (exact.verdict, exact.changes)


def test_less_work_differs_and_names_the_line_that_went():
    """Of the reference."""
    (exact,) = compared(counted({}, operators=0), OLD)
    assert ("differs", ("-1 aten.relu, was at model.py:38",)) == (exact.verdict, exact.changes)


def test_equal_work_is_the_same():
    """Nothing is said of it."""
    (exact,) = compared(OLD, OLD)
    assert ("same", ()) == (exact.verdict, exact.changes)


@pytest.mark.parametrize(("now", "verdict"), [(3, "regressed"), (5, "differs"), (4, "same")])
def test_fewer_fused_operators_are_worse(now, verdict):
    """More of them are better, other than of all other counts."""
    (exact,) = compared(counted(fused_operators=now), counted(fused_operators=4))
    assert verdict == exact.verdict


def test_a_count_that_does_not_repeat_decides_nothing():
    """Whichever side it is of."""
    (exact,) = compared(counted({RELU: 2}, doubts={"operators": "it varies"}), OLD)
    assert ("inconclusive", ("it varies",)) == (exact.verdict, exact.changes)


def test_a_count_of_one_side_alone_is_no_regression():
    """A network that is compiled now has no allocations to compare."""
    mine, theirs = counted(graphs=1), counted(allocations=4)
    assert [("allocations", "of the reference alone"), ("graphs", "of the current code alone")] == [
        (exact.metric, *exact.changes) for exact in compared(mine, theirs)
    ]
    assert {"differs"} == {exact.verdict for exact in compared(mine, theirs)}


def test_records_of_a_run_name_the_operators():
    """For annotations of a pull request."""
    (record,) = as_records([found(NEW, OLD)], [], Rules())
    assert (VerdictKind.REGRESSED, Reason.ABOVE) == (record.kind, record.code)
    assert "1 -> 3; +2 aten.copy_, at model.py:41" == record.reason


def test_fewer_fused_operators_lie_below_in_a_record():
    """And more is better of them."""
    (record,) = as_records([found(counted(fused_operators=3), counted(fused_operators=4))], [], Rules())
    assert (Reason.BELOW, "higher") == (record.code, record.measurement.better)


def test_counts_travel_as_a_line():
    """From the worker to the driver."""
    name, fields = parts(line(NEW))
    assert NEW == {"WorkCounted": WorkCounted}[name](**fields)
