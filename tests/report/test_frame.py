"""The tidy frame: one row per cell and metric, the same after a trip through CSV."""
# the expected value stands on the left

import io
import itertools
import json
import math
from dataclasses import replace

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from record_samples import measurements, verdicts

from suite.core.records import Cell, Measurement, RunHeader, Verdict, VerdictKind, Where
from suite.report.frames import COLUMNS, SEVERITY, tidy, worst

HEADER = RunHeader(
    run="run",
    started="2026-11-23T15:04:05+00:00",
    command="suite bench",
    commit=None,
    where=Where(machine="cpu-x86_64-test-2c", family="cpu-x86_64-avx2", device="cpu", threads=1),
    seeds=(0,),
    profile="default",
    quiet=True,
)
CELL = Cell(workload="digits_cnn", technique="amp_bf16", device="cpu")
ACCURACY = Measurement(
    cell=CELL,
    metric="accuracy",
    value=0.97,
    unit="1",
    better="higher",
    tier="portable",
    group="quality",
    low=0.96,
    control="baseline",
)


def verdict(kind, metric, group="speed", **more):
    return Verdict(kind=VerdictKind(kind), cell=CELL, metric=metric, group=group, **more)


def row(frame, metric):
    return frame.set_index("metric").loc[metric]


def test_a_measurement_is_a_row_with_its_verdict_and_where_it_was_taken():
    """Everything that a plot or a question needs stands in the row."""
    frame = tidy(HEADER, [ACCURACY], [verdict("pass", "accuracy", "quality", stale=True)])
    assert list(COLUMNS) == list(frame.columns)
    expected = {
        "workload": "digits_cnn",
        "technique": "amp_bf16",
        "control": "baseline",
        "device": "cpu",
        "precision": "fp32",
        "machine": "cpu-x86_64-test-2c",
        "metric": "accuracy",
        "value": 0.97,
        "low": 0.96,
        "unit": "1",
        "better": "higher",
        "tier": "portable",
        "verdict": "pass",
        "stale": True,
    }
    assert expected == {
        name: value
        for name, value in frame.iloc[0].items()
        if name not in ("high", "batch", "arguments", "detectable", "suspect", "seeds")
    }
    assert math.isnan(frame["high"].iloc[0])


def test_what_disturbed_a_timing_is_a_column_whatever_its_verdict():
    """Also a process that was not quiet; nothing of that concerns a quality."""
    speed = replace(ACCURACY, metric="speedup", group="speed", suspect="2 preemptions")
    assert "2 preemptions" == row(tidy(HEADER, [speed], [verdict("unverified", "speedup")]), "speedup")["suspect"]
    noisy = tidy(replace(HEADER, quiet=False), [ACCURACY, replace(speed, suspect=None)], [])
    assert "not timed in a quiet process" == row(noisy, "speedup")["suspect"]
    assert str(row(noisy, "accuracy")["suspect"]) == "nan"


def test_a_verdict_without_measurement_is_a_row_without_value():
    """What is missing is seen in the table, with unit and tier from the catalogue."""
    frame = tidy(HEADER, [ACCURACY], [verdict("missing", "speedup")])
    found = row(frame, "speedup")
    assert (True, "missing", "1", "family") == (
        math.isnan(found["value"]),
        found["verdict"],
        found["unit"],
        found["tier"],
    )


def test_a_verdict_on_a_group_has_the_groups_name_as_its_metric():
    """Two groups of a cell that failed are two rows."""
    frame = tidy(HEADER, [], [verdict("error", "", "speed"), verdict("unavailable", "", "memory")])
    assert ["speed", "memory"] == list(frame["metric"])
    assert ["error", "unavailable"] == list(frame["verdict"])
    assert frame["unit"].isna().all()


def test_a_measurement_without_verdict_has_none():
    """A run that was not checked can be looked at all the same."""
    frame = tidy(HEADER, [ACCURACY], [])
    assert (True, False) == (frame["verdict"].isna().iloc[0], frame["stale"].iloc[0])


def test_types_do_not_depend_on_the_rows():
    """An empty run, one without intervals and a full one can be concatenated and queried alike."""
    empty, bare = tidy(HEADER, [], []), tidy(HEADER, [], [verdict("missing", "macs")])
    full = tidy(HEADER, [ACCURACY], [verdict("pass", "accuracy", "quality")])
    assert list(full.dtypes) == list(empty.dtypes) == list(bare.dtypes)
    assert ["float64"] * 3 == [str(full[name].dtype) for name in ("value", "low", "high")]
    assert "bool" == str(full["stale"].dtype)
    assert 0 == len(empty)


@settings(deadline=None, max_examples=25)
@given(st.lists(measurements, max_size=4), st.lists(verdicts, max_size=3))
def test_a_frame_comes_back_from_csv_with_the_same_values(measured, judged):
    """Anybody can read results.csv with pandas alone."""
    frame = tidy(HEADER, measured, judged)
    found = pd.read_csv(io.StringIO(frame.to_csv(index=False)), dtype={"unit": str})
    assert all(itertools.starmap(same, zip(plain(frame), plain(found), strict=True)))


def test_a_frame_comes_back_from_csv_without_options():
    """A run with sizes and times in it needs no word on types; where all units are 1 the reader makes them numbers."""
    frame = tidy(
        HEADER, [ACCURACY], [verdict("pass", "accuracy", "quality"), verdict("missing", "artefact_bytes", "size")]
    )
    assert plain(frame) == plain(pd.read_csv(io.StringIO(frame.to_csv(index=False))))


def plain(frame):
    return [None if pd.isna(value) else value for values in frame.itertuples(index=False) for value in values]


def same(expected, found):
    """Equal, or the neighbouring number: pandas' reader may be off by the last bit."""
    return expected == found or (isinstance(expected, float) and math.isclose(expected, found, rel_tol=1e-14))


def test_precision_is_the_headers_and_float32_where_it_names_none():
    """No technique is known here by its name; a run's header says what each composition computes in."""
    header = replace(HEADER, precisions={"amp_bf16": "bf16"})
    other = replace(ACCURACY, cell=replace(CELL, technique="baseline"))
    assert ["bf16", "fp32"] == list(tidy(header, [ACCURACY, other], [])["precision"])
    assert ["fp32", "fp32"] == list(tidy(HEADER, [ACCURACY, other], [])["precision"])


def test_the_batch_of_a_figure_stands_beside_it():
    """A speed-up at another batch is another figure; what has no batch has none."""
    speedup = replace(ACCURACY, metric="speedup", conditions={"batch": 64, "threads": 1})
    frame = tidy(HEADER, [ACCURACY, speedup], [])
    assert 64 == row(frame, "speedup")["batch"]
    assert math.isnan(row(frame, "accuracy")["batch"])


def test_every_kind_of_verdict_has_its_severity():
    """The worst of a cell is an error before all, and a pass only if nothing else is there."""
    assert set(VerdictKind) == set(SEVERITY)
    assert len(VerdictKind) == len(SEVERITY)
    assert VerdictKind.REGRESSED is worst(["pass", "missing", "regressed", "improved"])
    assert VerdictKind.XFAIL is worst(["pass", "xfail"])
    assert worst([]) is None


def test_parameters_of_a_composition_are_data_in_its_rows():
    """All of them as JSON, and those that the run sweeps as columns of their own, with their types."""
    names = ["baseline", *(f"qat(bits={bits},mode='{mode}')" for bits in (4, 8) for mode in ("a", "b"))]
    frame = tidy(HEADER, [replace(ACCURACY, cell=replace(CELL, technique=name)) for name in names], [])
    assert [*COLUMNS, "qat.bits", "qat.mode"] == list(frame.columns)
    assert ({"qat.bits": 4, "qat.mode": "b"}, 4.0, "b") == (
        json.loads(frame["arguments"].iloc[2]),
        frame["qat.bits"].iloc[2],
        frame["qat.mode"].iloc[2],
    )
    assert [True, True, True] == list(frame[["arguments", "qat.bits", "qat.mode"]].iloc[0].isna())
    assert [4.0, 8.0] == list(frame.groupby("qat.bits")["value"].mean().index)
