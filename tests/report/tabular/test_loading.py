"""Runs as one frame: documented columns, several runs and machines, one line for what is wrong with a folder."""
# the expected value stands on the left

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_samples import measurements, verdicts
from samples import DEVICE, PRUNED, RUN, UNAVAILABLE, WORKLOAD, figures, header, measured

import suite.report
from suite.core.errors import ResultsError
from suite.core.records import Cell, GroupEnd, RunEnd, Verdict, VerdictKind
from suite.report.results.folder import RESULTS, RunFolder
from suite.report.tabular import schema
from suite.report.tabular.loading import load

DOCS = Path(__file__).parents[3] / "docs" / "frames.md"


@pytest.fixture
def make(tmp_path):
    """Make a run below ``reports``; returns its folder."""

    def run(records, name="one", reports="reports", **fields):
        folder = RunFolder.create(tmp_path / reports, header(run=name, **fields))
        folder.append(*records)
        return folder.path

    return run


def test_the_package_hands_on_the_function():
    """`suite.report.load` is what users call."""
    assert load is suite.report.load


def test_each_measurement_is_a_row_with_the_documented_columns_and_types(make):
    """Types do not depend on the rows."""
    frame = load(make(RUN))
    empty = load(make([], "empty"))
    expected = {one.name: schema.DTYPES[one.kind] for one in schema.SCHEMA}
    text = str(pd.Series(["text"]).dtype)
    for found in (frame, empty):
        assert {k: text if v == "str" else v for k, v in expected.items()} == {
            k: str(v) for k, v in found.dtypes.items()
        }
    assert (len(RUN), 0) == (len(frame), len(empty))
    assert schema.VERSION == frame.attrs["schema"]


def test_the_documentation_shows_the_schema():
    """A column that is not documented does not exist for users."""
    text = DOCS.read_text("utf-8")
    assert schema.markdown() in text, f"docs/frames.md has to hold:\n{schema.markdown()}"
    assert f"schema version {schema.VERSION}" in text


def test_a_failure_and_a_verdict_without_measurement_are_rows_without_value(make):
    """What could not be measured is seen, with the reason."""
    missing = Verdict(kind=VerdictKind.MISSING, cell=RUN[0].cell, metric="operators", group="size", reason="not there")
    frame = load(make([UNAVAILABLE, missing])).set_index("metric")
    assert frame["value"].isna().all()
    assert ["unavailable", "no fp16 kernels"] == list(frame.loc["speed", ["failure", "reason"]])
    assert ["missing", "not there"] == list(frame.loc["operators", ["verdict", "reason"]])


def test_several_runs_and_machines_are_one_frame(make):
    """A pattern, the folder above and a list of folders name the same runs."""
    other = replace(header().where, machine="other")
    paths = [make(RUN), make(RUN[:3], "two", where=other)]
    frames = [
        load(paths),
        load(paths[0].parent),
        load(str(paths[0].parent / "*")),
        load([path / RESULTS for path in paths]),
    ]
    assert [len(RUN) + 3] * 4 == [len(frame) for frame in frames]
    assert {"other", header().where.machine} == set(frames[0]["machine"])
    assert frames[0].to_csv() == frames[1].to_csv() == frames[2].to_csv()


def test_one_run_id_of_two_machines_is_told_apart_and_noted(make):
    """Two machines may start a run in the same second."""
    paths = [make(RUN[:1]), make(RUN[:1], reports="b", where=replace(header().where, machine="other"))]
    frame = load(paths)
    assert 2 == len(frame)
    assert any("run one is there of 2 machines" in note for note in frame.attrs["notes"])


def test_a_copy_of_a_run_counts_once_and_is_noted(make, tmp_path):
    """Rows that are there twice would weigh double."""
    path = make(RUN[:1])
    shutil.copytree(path, tmp_path / "copy")
    frame = load([path, tmp_path / "copy"])
    assert 1 == len(frame)
    assert any("left out" in note for note in frame.attrs["notes"])


def test_a_crashed_run_and_one_without_a_verdict_are_loaded_with_a_note(make):
    """Their values are values; what they lack is said in one line each."""
    crashed = load(make(RUN, "crashed", groups=99)).attrs["notes"]
    assert 1 == sum("unfinished: 0 of 99 groups" in note for note in crashed)
    assert 1 == sum("nothing was judged" in note for note in crashed)
    assert all("\n" not in note for note in crashed)


def test_a_whole_run_with_verdicts_has_no_note(make):
    """Notes are for what a reader has to know."""
    cell, group = RUN[0].cell, RUN[0].group
    verdict = Verdict(kind=VerdictKind.PASS, cell=cell, metric=RUN[0].metric, group=group, measurement=RUN[0])
    end = (GroupEnd(cell=cell, group=group, metrics=1), RunEnd(groups=1, done=1, whole=True, code=0))
    assert [] == load(make([RUN[0], verdict, *end], groups=1)).attrs["notes"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot read"),
        ("", "the first line is no run's header"),
        ('{"type": "header"}\n', "not a record of this version"),
        ('{"type": "telemetry"}\n', "not a record of this version: no object with a type among"),
    ],
)
def test_a_folder_that_cannot_be_read_is_one_line(tmp_path, content, problem):
    """Empty, of another version or of another program: never a traceback."""
    if content is not None:
        (tmp_path / RESULTS).write_text(content)
    with pytest.raises(ResultsError, match=problem) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_field_of_a_newer_version_is_named(make):
    """Whoever reads it knows what to do: a newer suite reads the folder."""
    path = make(RUN[:1])
    text = (path / RESULTS).read_text()
    (path / RESULTS).write_text(text.replace('"null"', '"entropy"'))
    with pytest.raises(ResultsError, match="has no 'entropy'; a newer version wrote it"):
        load(path)


def test_of_several_folders_every_unreadable_one_has_its_line(make, tmp_path):
    """One look tells all that is to be mended."""
    with pytest.raises(ResultsError) as caught:
        load([make(RUN[:1]), tmp_path / "a", tmp_path / "b"])
    assert 2 == len(str(caught.value).splitlines())


def test_a_pattern_that_matches_nothing_is_refused(tmp_path):
    """An empty frame would look like a run without a measurement."""
    with pytest.raises(ResultsError, match="no results folder"):
        load(str(tmp_path / "*"))


@settings(deadline=None, max_examples=25)
@given(records=st.lists(measurements, max_size=4), judged=st.lists(verdicts, max_size=3))
def test_values_intervals_and_verdicts_come_back_from_disk(tmp_path_factory, records, judged):
    """Whatever is measured and judged is a row with the same figures."""
    folder = RunFolder.create(tmp_path_factory.mktemp("reports"), header())
    folder.append(*records, *judged)
    frame = load(folder.path)
    last = {(one.cell, one.metric): one for one in records}
    rows = {
        (Cell(workload=r.workload, technique=r.technique, device=r.device), r.metric): r for r in frame.itertuples()
    }
    for key, one in last.items():
        row = rows[key]
        found = [None if pd.isna(value) else value for value in (row.value, row.low, row.high, row.control)]
        assert [one.value, one.low, one.high, one.control] == found
        assert (one.unit, one.better, one.tier, one.group) == (row.unit, row.better, row.tier, row.group)
    kinds = {(one.cell, one.metric): str(one.kind) for one in folder.verdicts()}
    assert kinds == {key: row.verdict for key, row in rows.items() if isinstance(row.verdict, str)}


def test_parameters_devices_and_ranks_are_columns(make):
    """A cell's key is whole."""
    cell = Cell(workload=WORKLOAD, technique=PRUNED, device=DEVICE, ranks=2)
    row = load(make([replace(measured(PRUNED, "macs", 1.0), cell=cell), *figures("baseline", macs=2)])).iloc[0]
    assert (2, '{"structured_pruning.ratio": 0.5, "structured_pruning.epochs": 5}') == (row["ranks"], row["arguments"])


def test_a_pattern_that_python_refuses_is_one_message(tmp_path, monkeypatch):
    """Python 3.13 takes it; nothing matches then."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ResultsError, match=r"no valid pattern|no results folder"):
        load("reports/**x")
