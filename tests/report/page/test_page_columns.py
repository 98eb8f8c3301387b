"""The columns of the page's two tables: eight by default, and the same values as the records."""
# the expected value stands on the left

import page_samples
import pytest
from samples import RUN

from suite.report.page.cell_columns import CHOICES, cell_columns
from suite.report.page.measurement_columns import measurement_columns
from suite.report.page.run_content import RunContent


@pytest.fixture
def run(tmp_path):
    return RunContent.read(page_samples.small(tmp_path))


def by_name(columns):
    return {column.name: column for column in columns}


@pytest.mark.parametrize("columns", [cell_columns, measurement_columns])
def test_eight_columns_are_shown_by_default(columns, run, tmp_path):
    """With one machine and with several."""
    other = RunContent.read(page_samples.small(tmp_path / "other", where=page_samples.elsewhere("other")))
    assert 8 == sum(column.default for column in columns([run, other]))
    assert 7 <= sum(column.default for column in columns([run])) <= 8


@pytest.mark.parametrize("columns", [cell_columns, measurement_columns])
def test_all_columns_have_the_same_rows(columns, run):
    assert 1 == len({len(column.values) for column in columns([run, run])})


@pytest.mark.parametrize("columns", [cell_columns, measurement_columns])
def test_a_column_is_named_once_and_what_it_refers_to_exists(columns, run):
    found = columns([run])
    names = [column.name for column in found]
    assert len(set(names)) == len(names)
    assert {name for column in found for name in (*(column.ends or ()), column.unit) if name} <= set(names)


def test_rows_can_be_selected_by_all_that_tells_cells_apart(run):
    columns = by_name(cell_columns([run]))
    assert [] == [name for name in CHOICES if not columns[name].choice]


def test_the_score_has_one_column_whatever_it_is(run):
    """With its interval and its unit."""
    columns = by_name(cell_columns([run]))
    place = columns["technique"].values.index("static_int8")
    values = [columns[name].values[place] for name in ("score", "score_low", "score_high", "score_unit", "score_name")]
    assert [0.989, 0.979, 0.994, "%", "accuracy"] == values


def test_the_baseline_is_not_compared_with_itself(run):
    columns = by_name(cell_columns([run]))
    place = columns["technique"].values.index("baseline")
    assert columns["difference"].values[place] is None
    assert 1.0 == columns["speedup"].values[place]


def test_measurements_have_their_stored_value_and_bound(run):
    columns = by_name(measurement_columns([run]))
    assert len(RUN) == len(columns["value"].values)
    (place,) = (k for k, kind in enumerate(columns["verdict"].values) if kind == "regressed")
    assert [2.0, 2.4, 2.2, 0.03] == [
        columns[name].values[place] for name in ("value", "stored_value", "stored_low", "detectable")
    ]
