"""The columns of the page's two tables: eight by default, and the same values as the records."""
# the expected value stands on the left

import page_samples
import pytest
from samples import PRUNED, RUN, measured

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


@pytest.mark.parametrize(
    ("found", "fields", "expected"),
    [
        ([("energy_per_item", 0.5, None)], {"energy": "intel-rapl:0 package-0"}, (0.5, "valid")),
        ([("energy_per_item", 0.5, "invalid: it did not move")], {"energy": "a"}, (None, "invalid: it did not move")),
        ([], {"energy": "absent: virtual machines have none"}, (None, "absent: virtual machines have none")),
        ([], {"energy": "a", "profile": "quick"}, (None, "absent: a quick run reads no energy of items")),
        ([], {"energy": "a"}, (None, "absent: the cell was not timed")),
        ([], {}, (None, "absent: the run does not say why")),
    ],
)
def test_the_energy_of_an_item_is_a_value_of_a_valid_reading_or_a_reason(tmp_path, found, fields, expected):
    """Invalid is not absent, and neither is drawn."""
    measurements = [measured("baseline", metric, value, suspect=why) for metric, value, why in found]
    run = RunContent.read(page_samples.write_run(tmp_path, [*RUN, *measurements], **fields))
    columns = by_name(cell_columns([run]))
    value = columns["energy_per_item"].values[0] if "energy_per_item" in columns else None
    assert expected == (value, columns["energy_state"].values[0])


def test_the_energy_of_training_has_a_state_of_its_own(tmp_path):
    """A quick run reads it too."""
    why = "invalid: 3 periods of the counter in a training of one part, 20 are needed"
    measurements = [
        measured("baseline", "energy_per_epoch", 5.0),
        measured(PRUNED, "energy_per_epoch", 5.0, suspect=why),
    ]
    run = RunContent.read(page_samples.write_run(tmp_path, [*RUN, *measurements], energy="a", profile="quick"))
    columns = by_name(cell_columns([run]))
    states = dict(zip(columns["technique"].values, columns["training_energy_state"].values, strict=True))
    values = dict(zip(columns["technique"].values, columns["energy_per_epoch"].values, strict=True))
    assert ("valid", why) == (states["baseline"], states[PRUNED])
    assert (5.0, None) == (values["baseline"], values[PRUNED])
    assert "absent: this run did not train the cell, or several ranks did" == states["static_int8"]
