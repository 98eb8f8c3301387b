"""A user's points: every bad cell is named with file, line and column; nothing is a traceback."""
# the expected value stands on the left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.curve_runs.data import Columns, DataError, read
from suite.errors import SuiteError, UsageError

GOOD = "tokens,loss,noise\n100,4.0,0.1\n\n200,3.5,0.1\n"
COLUMNS = Columns(x="tokens", y="loss")


def written(folder, text):
    path = folder / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_columns_are_found_by_name_and_empty_lines_left_out(tmp_path):
    """Whatever else the file holds."""
    found = read(written(tmp_path, "\ufeff" + GOOD), Columns(x="tokens", y="loss", sigma="noise"))
    assert ([100, 200], [4.0, 3.5], [0.1, 0.1]) == tuple(map(list, (found.resource, found.quality, found.sigma)))


def test_a_missing_column_is_guessed(tmp_path):
    """With the file's name."""
    with pytest.raises(UsageError, match=r"unknown column of .*data\.csv 'token'; did you mean tokens"):
        read(written(tmp_path, GOOD), Columns(x="token", y="loss"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tokens,loss\n100,4.0\n200,abc\n", r"data\.csv:3: column 'loss' must hold a finite number, got 'abc'"),
        ("tokens,loss\n100,nan\n", r"data\.csv:2: column 'loss' must hold a finite number, got 'nan'"),
        ("tokens,loss\n1,000,4.0\n", r"data\.csv:2: 3 cells under 2 columns"),
        ("tokens,loss\n100,4.0\n0,5.0\n", r"data\.csv:3: column 'tokens' must be above 0, got 0"),
        ("tokens,loss,loss\n100,4.0,4.0\n", r"data\.csv:1: column 'loss' stands twice"),
        ("tokens,loss\n", r"has a header and no points"),
        ("", r"is empty; its first line must name the columns"),
        (b"\xff\xfe\x00", r"cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, said):
    """The line as an editor counts it."""
    with pytest.raises(DataError, match=said):
        read(written(tmp_path, text), COLUMNS)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """No traceback from inside pathlib."""
    with pytest.raises(DataError, match=r"nowhere\.csv cannot be read: No such file"):
        read(tmp_path / "nowhere.csv", COLUMNS)


@given(content=st.binary(max_size=80))
def test_any_bytes_are_points_or_one_error(tmp_path_factory, content):
    """Never another exception."""
    path = written(tmp_path_factory.mktemp("any"), b"tokens,loss\n" + content)
    try:
        found = read(path, COLUMNS)
    except SuiteError:
        return
    assert len(found.resource) == len(found.quality) > 0
