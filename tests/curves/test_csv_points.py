"""The one reader of points: each doubtful cell is named with file and line; nothing is a traceback or lost."""
# the expected value stands on the left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import SuiteError, UsageError
from suite.curves.csv_points import Table, TableError

NAMES = ("amount", "score")


def points(folder, text, names=NAMES, **options):
    path = folder / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Table.read(path, names).points(names, **{"amounts": names[:1], **options})


def columns(found):
    return [column.tolist() for column in found.columns.values()]


@pytest.mark.parametrize(
    "text",
    [
        "amount,score\n100,0.5\n\n200,0.6\n",
        "\ufeffamount;score\r\n100;0.5\r\n200;0.6\r\n",
        "amount\tscore\n100\t0.5\n200\t0.6\n",
        'id,"amount","score"\na,"100",0.5\n"b,c",200,6e-1\n',
        " amount , score \n 100 , .5 \n,\n+200., 0.6\n",
    ],
)
def test_columns_are_found_by_name_whatever_separates_them(tmp_path, text):
    """Commas, semicolons or tabs, with quotes and spaces; lines without any value do not count."""
    found = points(tmp_path, text)
    assert [[100, 200], [0.5, 0.6]] == columns(found)
    assert () == found.notes


NO_NUMBER = "which is no finite number"
QUOTED = '"1,000"'
PLAIN = "; write numbers with a decimal point and without thousands separators"
FAULTS = {
    "a thousands separator": ("amount,score\n100,0.5\n1,000,0.6\n", f":3: 3 cells under 2 columns{PLAIN}"),
    "a decimal comma": ("amount,score\n100,0,5\n", f":2: 3 cells under 2 columns{PLAIN}"),
    "a quoted separator": (f"amount,score\n{QUOTED},0.5\n", f":2: column 'amount' holds '1,000', {NO_NUMBER}{PLAIN}"),
    "a comma among semicolons": ("amount;score\n1;0,5\n", f":2: column 'score' holds '0,5', {NO_NUMBER}{PLAIN}"),
    "a short row": ("amount,score\n100,0.5\n200\n", ":3: 1 cells under 2 columns; fill the row in or remove it"),
    "a word": ("amount,score\n100,0.5\n200,high\n", f":3: column 'score' holds 'high', {NO_NUMBER}; correct or remove"),
    "NaN": ("amount,score\n100,nan\n", f":2: column 'score' holds 'nan', {NO_NUMBER}"),
    "infinity": ("amount,score\n100,inf\n", f":2: column 'score' holds 'inf', {NO_NUMBER}"),
    "an overflow": ("amount,score\n100,1e999\n", f":2: column 'score' holds '1e999', {NO_NUMBER}"),
    "an underscore": ("amount,score\n1_0,1\n", f":2: column 'amount' holds '1_0', {NO_NUMBER}"),
    "a negative amount": ("amount,score\n-5,0.5\n", ":2: column 'amount' must be above 0, got -5; leave the row out"),
    "a line break in a cell": ('amount,score,note\n1,1,"a\nb"\n2,x,\n', ":4: column 'score' holds 'x'"),
    "a misspelt column": ("amount,scores\n1,1\n", ":1: unknown column 'score'; did you mean scores?"),
    "a column twice": ("amount,score,score\n1,1,1\n", ":1: column 'score' is twice in the header; rename one"),
    "no header": ("1,0.5\n2,0.6\n", ":1: unknown column 'amount'; known: 0.5, 1; the first line must name the columns"),
    "no row": ("amount,score\n", ": a header and no row below the header"),
    "no value": ("amount,score\n1,\n2,\n", ": no row has a value in column 'amount' or 'score'"),
    "only zeros": ("amount,score\n0,1\n", ": no row has a value other than 0 in column 'amount' or 'score'"),
    "nothing": ("", ": the file is empty; its first line must name the columns"),
    "another encoding": (b"amount,score\n1,\xf6\n", ":2: cannot be read: it is no text in UTF-8; save it as CSV"),
    "UTF-16": ("amount,score\n".encode("utf-16"), ": cannot be read: it is UTF-16; save it as CSV in UTF-8"),
    "an open quote": ('amount,score\n1,"5\n', ":2: cannot be read as CSV: unexpected end of data"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_file_line_and_column(fault, tmp_path):
    """As an editor can jump to it."""
    text, problem = FAULTS[fault]
    with pytest.raises(TableError) as caught:
        points(tmp_path, text)
    assert f"{tmp_path / 'data.csv'}{problem}" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """No traceback from inside pathlib."""
    with pytest.raises(TableError, match=r"nowhere\.csv: cannot be read: No such file"):
        Table.read(tmp_path / "nowhere.csv")


def test_rows_without_a_value_are_skipped_and_counted(tmp_path):
    """Exports of several charts have one row for each."""
    found = points(tmp_path, "amount,score\n1,\n2,0.5\n,0.7\n3,0.6\n")
    assert [[2, 3], [0.5, 0.6]] == columns(found)
    assert (3, 5) == found.lines
    assert ("skipped 2 of 4 rows without a value in column 'amount' or 'score' (lines 2 to 4)",) == found.notes


def test_epoch_0_is_skipped_and_counted(tmp_path):
    """It has no logarithm; who counts epochs from 0 is told to count from 1."""
    found = points(tmp_path, "amount,score\n0,0.1\n1,0.5\n")
    assert [[1], [0.5]] == columns(found)
    (note,) = found.notes
    assert note.startswith("skipped 1 row with 0 in column 'amount' (line 2): 0 has no place on a logarithmic axis")
    assert note.endswith("count from 1")


def test_rows_are_chosen_by_their_cells(tmp_path):
    """Spaces around the condition do not matter."""
    text = "workload,amount,score\na,1,0.5\nb,1,0.7\n"
    assert [[1], [0.7]] == columns(points(tmp_path, text, where=[" workload = b"]))
    with pytest.raises(TableError, match="no row has workload=c"):
        points(tmp_path, text, where=["workload=c"])
    with pytest.raises(UsageError, match="--where takes COLUMN=VALUE"):
        points(tmp_path, text, where=["workload"])


def test_rows_of_several_curves_are_not_mixed(tmp_path):
    """The message says how to choose; a column of that name with numbers is a resource."""
    with pytest.raises(TableError, match="rows of several curves, axis steps, width; add --where axis=steps"):
        points(tmp_path, "axis,amount,score\nsteps,1,0.5\nwidth,1,0.7\n")
    assert [[1, 1], [0.5, 0.7]] == columns(points(tmp_path, "resource,amount,score\n3,1,0.5\n4,1,0.7\n"))


def test_columns_that_must_be_positive_are(tmp_path):
    """Noise of nothing would weigh endlessly."""
    with pytest.raises(TableError, match=":3: column 'score' must be above 0, got 0"):
        points(tmp_path, "amount,score\n1,1\n2,0\n", positive=["score"])


@given(content=st.binary(max_size=80))
def test_any_bytes_are_points_or_one_error(tmp_path_factory, content):
    """Never another exception."""
    try:
        found = points(tmp_path_factory.mktemp("any"), b"amount,score\n" + content)
    except SuiteError:
        return
    assert len(found["amount"]) == len(found["score"]) == len(found.lines) > 0
