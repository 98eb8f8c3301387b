"""The usual questions about a frame."""
# the expected value stands on the left

import math
from dataclasses import replace

import pandas as pd
import pytest
from engine_samples import ENGINES
from engine_samples import HEADER as ENGINES_HEADER
from samples import PRUNED, RUN, UNAVAILABLE, figures, header

from suite.core.errors import UsageError
from suite.report import load, pivots, save
from suite.report.results.folder import RunFolder
from suite.report.tradeoffs import write


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


def test_a_technique_of_several_ranks_is_paid_back_against_the_baseline_of_one(tmp_path):
    """One second more of training that saves half of 10 ms an item: 200 items."""
    spread = [
        replace(one, cell=replace(one.cell, ranks=4))
        for one in figures("ddp", speedup=2.0, throughput=200.0, train_seconds=2.0)
    ]
    folder = RunFolder.create(tmp_path, header())
    folder.append(*figures("baseline", speedup=1.0, throughput=100.0, train_seconds=1.0), *spread)
    (row,) = pivots.roi(load(folder.path)).to_dict("records")
    assert (4, "ddp", pytest.approx(200)) == (row["ranks"], row["technique"], row["items_to_payback"])


def test_tradeoffs_compare_the_seeds_that_all_cells_share(tmp_path):
    """As tradeoffs.csv of the same run has them."""
    base, other = figures("baseline", accuracy=(0.8, 0.7, 0.9)) + figures("static_int8", accuracy=(0.9, 0.8, 0.95))
    folder = RunFolder.create(tmp_path, header())
    folder.append(
        replace(base, seeds=(0, 1), by_seed=(0.9, 0.7)), replace(other, seeds=(0,), by_seed=(0.9,)),
    )  # fmt: skip
    csv = pd.read_csv(write(folder)[1]).set_index("technique")["accuracy"]
    assert {"baseline": 0.9, "static_int8": 0.9} == dict(csv)
    frame = load(folder.path)
    assert dict(csv) == dict(pivots.tradeoffs(frame).set_index("technique")["accuracy"])
    assert [0.8, 0.9] == list(frame["value"])


def test_each_run_has_its_own_primary_score(tmp_path):
    """A workload may change it."""
    paths = []
    for name, score in (("old", "accuracy"), ("new", "f1")):
        folder = RunFolder.create(tmp_path, header(run=name, scores={"digits_cnn": (score,)}))
        folder.append(*(replace(one, metric=score) for one in figures("baseline", accuracy=(0.9, 0.8, 1.0))))
        paths.append(folder.path)
    assert ["accuracy", "f1"] == list(pivots.tradeoffs(load(paths))["score"])


@pytest.mark.parametrize("ending", [".csv", ".md", ".tex", ".parquet"])
def test_a_saved_matrix_names_its_techniques_and_places(frame, tmp_path, ending):
    """Its index and the levels of its columns are what it shows."""
    path = save(pivots.matrix(frame, "speedup"), tmp_path / f"matrix{ending}")
    text = str(pd.read_parquet(path)) if ending == ".parquet" else path.read_text("utf-8")
    assert "static" in text
    assert "digits" in text


def test_engines_are_parted_as_in_the_table_of_the_run(tmp_path):
    """As engines.csv of the same run has them; runs without engines have no row."""
    folder = RunFolder.create(tmp_path, ENGINES_HEADER)
    folder.append(*RUN, *ENGINES)
    write(folder)
    found = pivots.engines(load(folder.path))
    pd.testing.assert_frame_equal(pd.read_csv(folder.path / "engines.csv"), found.drop(columns=["run", "machine"]))
    assert [3.0, 3.0] == list(found["engine_gain"])


def test_frames_without_engines_have_no_such_row(frame):
    """The columns stay."""
    found = pivots.engines(frame)
    assert (0, "run") == (len(found), found.columns[0])
