"""Frames as CSV: the same bytes as pandas writes, in less time."""
# the expected value stands on the left

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_samples import many_measurements, write_run

from suite.report.csv_text import to_csv
from suite.report.tradeoffs import write

TEXTS = st.none() | st.text("a,\"'\n\r\0 ;é", max_size=4)


@given(st.lists(st.tuples(TEXTS, st.none() | st.floats(allow_nan=False), st.booleans()), max_size=6))
def test_any_values_are_written_as_pandas_writes_them(rows):
    frame = pd.DataFrame(rows, columns=["a,text", "value", "flag"])
    frame = frame.astype({"a,text": "str", "value": "float64", "flag": "bool"})
    assert frame.to_csv(index=False, lineterminator="\n").encode() == to_csv(frame)


def test_flags_that_may_be_missing_are_empty_where_they_are():
    frame = pd.DataFrame({"pareto": pd.array([True, None, False], dtype="boolean"), "n": [1, 2, 3]})
    assert b"pareto,n\nTrue,1\n,2\nFalse,3\n" == to_csv(frame)


@pytest.mark.parametrize("order", [[0, 1, 2, 0, 2], []])
def test_columns_that_follow_another_one_are_written_as_all_others(order):
    """Joined once for each value of that one."""
    values = {"key": ["x", "y", "z"], "own": [1.0, 2.0, 3.0], "share": [0.5, None, 2.0], "kind": ["a,b", None, ""]}
    frame = pd.DataFrame({name: [known[place] for place in order] for name, known in values.items()})
    frame = frame.astype({"key": "str", "own": "float64", "share": "float64", "kind": "str"})
    assert to_csv(frame) == to_csv(frame, key="key", repeated=["share", "kind"])


def test_swept_parameters_stand_in_the_rows_of_their_techniques(tmp_path):
    """Each in a column of its own; they are what the column of all arguments says."""
    results, _, _ = write(write_run(tmp_path, many_measurements(2000, workloads=1)))
    frame = pd.read_csv(results)
    swept = [name for name in frame.columns if name.endswith(".share")]
    assert 45 == len(swept)
    for _, row in frame.iterrows():
        known = {} if row.technique == "baseline" else json.loads(row.arguments)
        assert known == row[swept].dropna().to_dict()
