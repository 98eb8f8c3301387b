"""Learning curves from tables: what is read, and how each fault is named by line and column."""
# the expected value stands on the left

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.advise.curve import TableError, averaged, read_csv
from suite.errors import UsageError


def table(folder, text):
    path = folder / "points.csv"
    path.write_text(text, "utf-8")
    return path


def points(folder, text, **options):
    return list(read_csv(table(folder, text), "amount", "score", **options))


def test_points_are_read_by_the_names_of_their_columns(tmp_path):
    """Other columns do not matter."""
    assert [(10, 0.5), (20, 0.6)] == points(tmp_path, "seed,score,amount\n0,0.5,10\n0,0.6,20\n")


def test_a_training_column_is_read_beside(tmp_path):
    """For signs of overfitting."""
    assert [(1, 0.5, 0.9)] == points(tmp_path, "amount,score,fit\n1,0.5,0.9\n", train="fit")


def test_seeds_are_averaged_and_amounts_sorted():
    """Repeated amounts are one point."""
    found = averaged("a", [(20, 0.7), (10, 0.5), (20, 0.9)])
    assert [10, 20] == found.resource.tolist()
    assert pytest.approx([0.5, 0.8]) == found.quality.tolist()
    assert found.train is None


def test_rows_are_chosen(tmp_path):
    """One workload of several."""
    text = "workload,amount,score\na,1,0.5\nb,1,0.7\n"
    assert [(1, 0.7)] == points(tmp_path, text, where=["workload=b"])


FAULTS = {
    "holds 'high', which is no finite number": ("amount,score\n1,0.5\n2,high\n", 3, "score"),
    "holds 'nan', which is no finite number": ("amount,score\n1,nan\n", 2, "score"),
    "is empty; remove the row or fill it in": ("amount,score\n1,0.5\n2\n", 3, "score"),
    "unknown column 'score'; did you mean scores?": ("amount,scores\n1,0.5\n", 1, "score"),
    "unknown column 'amount'; known: none": ("", 1, "amount"),
}


@pytest.mark.parametrize("problem", FAULTS)
def test_a_fault_is_named_by_line_and_column(problem, tmp_path):
    """As an editor can jump to it."""
    text, line, column = FAULTS[problem]
    with pytest.raises(TableError, match=re.escape(problem)) as caught:
        points(tmp_path, text)
    assert line == caught.value.line
    assert f"points.csv:{line}: " in str(caught.value)
    assert repr(column) in str(caught.value)


def test_rows_of_several_curves_are_not_mixed(tmp_path):
    """The message says how to choose."""
    with pytest.raises(TableError, match="rows of several curves, axis steps, width; add --where axis=steps"):
        points(tmp_path, "axis,amount,score\nsteps,1,0.5\nwidth,1,0.7\n")


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("amount,score\n", [], "no row below the header"),
        ("seed,amount,score\n0,1,1\n", ["seed=7"], "no row has seed=7"),
    ],
)
def test_a_table_without_rows_is_refused(text, where, problem, tmp_path):
    """With what was asked of them."""
    with pytest.raises(TableError, match=problem):
        points(tmp_path, text, where=where)


def test_a_condition_without_a_value_is_refused(tmp_path):
    """With an example."""
    with pytest.raises(UsageError, match="COLUMN=VALUE"):
        points(tmp_path, "amount,score\n1,1\n", where=["seed"])


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    """In one sentence each."""
    with pytest.raises(TableError, match="cannot be read: No such file"):
        read_csv(tmp_path / "none.csv", "amount", "score")
    (tmp_path / "points.csv").write_bytes(b"\xff\xfe\x00amount")
    with pytest.raises(TableError, match="UTF-8"):
        read_csv(tmp_path / "points.csv", "amount", "score")


def test_no_points_are_refused():
    """An event file may be empty."""
    with pytest.raises(UsageError, match="a holds no points"):
        averaged("a", [])


numbers = st.integers(-1000, 1000)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    """A curve is a set of points."""
    before = averaged("a", rows)
    random.shuffle(rows)
    after = averaged("a", rows)
    assert before.resource.tolist() == after.resource.tolist()
    assert pytest.approx(before.quality.tolist()) == after.quality.tolist()
