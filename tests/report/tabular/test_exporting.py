"""Frames as files: exact ones come back equal, readable ones hold no markup of foreign names."""
# the expected value stands on the left

import pandas as pd
import pytest
from samples import RUN, header, measured

from suite.cli.main import main
from suite.core.errors import UsageError
from suite.report import load, save
from suite.report.results.folder import RunFolder
from suite.report.tabular.exporting import ENDINGS

HOSTILE = "<script>alert(1)</script>|`x`_50%\x1b[31m"


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, header())
    made.append(*RUN, measured(HOSTILE, "macs", 1 / 3))
    return made


def test_parquet_comes_back_equal_with_its_notes(folder, tmp_path):
    """Nothing is lost, the schema's version neither."""
    frame = load(folder.path)
    found = pd.read_parquet(save(frame, tmp_path / "frame.parquet"))
    pd.testing.assert_frame_equal(frame, found)
    assert frame.attrs == found.attrs


def test_csv_comes_back_with_the_same_values(folder, tmp_path):
    """Every digit is there."""
    frame = load(folder.path)
    found = pd.read_csv(save(frame, tmp_path / "frame.csv"), dtype={"unit": str})
    assert list(frame["value"]) == list(found["value"])
    assert list(frame["technique"]) == list(found["technique"])


def test_csv_is_what_pandas_writes(folder, tmp_path):
    """Written faster, but no other file."""
    frame = load(folder.path)
    assert frame.to_csv(index=False, lineterminator="\n").encode() == save(frame, tmp_path / "frame.csv").read_bytes()


def test_markdown_and_latex_hold_no_foreign_markup(folder, tmp_path):
    """Names come from users' files."""
    frame = load(folder.path)[["technique", "metric", "value"]]
    markdown, latex = (save(frame, tmp_path / f"frame{end}").read_text("utf-8") for end in (".md", ".tex"))
    assert "<script>" not in markdown
    assert "\x1b" not in markdown + latex
    assert r"\_50\%" in latex
    assert "0.333333" in markdown


def test_another_ending_is_refused_with_those_that_exist(tmp_path):
    """A guess would write something that nobody asked for."""
    with pytest.raises(UsageError, match=r"\.csv, \.parquet, \.md, \.tex, got '\.xls'"):
        save(pd.DataFrame(), tmp_path / "frame.xls")


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_command_writes_the_frame_of_a_run(folder, tmp_path, ending, capsys):
    """`suite report RUN --frame FILE` is the function for shells."""
    path = tmp_path / f"all{ending}"
    assert 0 == main(["report", str(folder.path), "--frame", str(path)])
    assert str(path) in capsys.readouterr().out
    assert path.stat().st_size > 0
