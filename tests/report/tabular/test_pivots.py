"""The usual questions about a frame."""
# the expected value stands on the left

import math
from dataclasses import replace

import pytest
from samples import PRUNED, RUN, UNAVAILABLE, figures, header

from suite.core.errors import UsageError
from suite.report import load, pivots
from suite.report.results.folder import RunFolder


@pytest.fixture
def frame(tmp_path):
    """Two machines with the same small run."""
    paths = []
    for name in ("a", "b"):
        where = replace(header().where, machine=name)
        folder = RunFolder.create(tmp_path, header(run=name, where=where))
        folder.append(*RUN, UNAVAILABLE)
        paths.append(folder.path)
    return load(paths)


def test_tradeoffs_have_one_row_per_cell_of_each_machine(frame):
    """The table of one run, for all of them."""
    table = pivots.tradeoffs(frame)
    assert 10 == len(table)
    assert ["run", "machine", "workload", "technique"] == list(table.columns[:4])
    assert [2.5, 2.5] == list(table.loc[table["technique"] == PRUNED, "speedup"])


def test_the_front_holds_only_what_nothing_beats(frame):
    """Of each machine apart: the smallest and fastest cell, whose accuracy overlaps with all others."""
    found = pivots.pareto(frame)
    assert {PRUNED} == set(found["technique"])
    assert {"a", "b"} == set(found["machine"])


def test_the_matrix_shows_verdicts_or_failures_and_values(frame):
    """Technique by workload, machine and device."""
    assert "unavailable" == pivots.matrix(frame).loc["pure_fp16", ("digits_cnn", "a", "cpu")]
    assert 2.0 == pivots.matrix(frame, "speedup").loc["static_int8", ("digits_cnn", "b", "cpu")]
    with pytest.raises(UsageError, match="no rows of the metric 'speed'"):
        pivots.matrix(frame, "speed")


def test_the_return_is_the_number_of_items_that_pay_the_training_back(frame):
    """3 s more of training; 1,000 items/s that take 2.5 times less time save 0.6 ms each: 5,000 items."""
    found = pivots.roi(frame).query("machine == 'a'").set_index("technique")
    assert pytest.approx(5000) == found.loc[PRUNED, "items_to_payback"]
    assert 0 == found.loc["static_int8", "items_to_payback"]
    assert math.isnan(found.loc["extra_epochs(epochs=5)", "items_to_payback"])


def test_what_serves_slower_never_pays_back(tmp_path):
    """Infinity, whatever its training costs."""
    folder = RunFolder.create(tmp_path, header())
    folder.append(
        *figures("baseline", speedup=1.0, throughput=100.0, train_seconds=1.0),
        *figures("slow", speedup=0.5, throughput=50.0, train_seconds=0.5),
    )
    assert [math.inf] == list(pivots.roi(load(folder.path))["items_to_payback"])


def test_no_run_gives_empty_tables(tmp_path):
    """A crashed run may have measured nothing."""
    frame = load(RunFolder.create(tmp_path, header()).path)
    assert [0, 0, 0, 0] == [len(pivot(frame)) for pivot in (pivots.tradeoffs, pivots.pareto, pivots.matrix, pivots.roi)]
