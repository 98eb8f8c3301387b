"""Runs of plain functions kept under a name, and a later run beside them."""
# the expected value stands on the left

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from suite.bench.functions.saved import SavedRun, check_writable, compared, path_of, read, write
from suite.core.errors import UsageError


def shown(value, *, suspect=None, wide=1.01):
    return SimpleNamespace(value=value, low=value / wide, high=value * wide, suspect=suspect)


def run(machine="here", **speedups):
    made = SavedRun(machine)
    for name, found in speedups.items():
        made.add(name, found)
    return made


def test_what_is_saved_is_read_again(tmp_path):
    """A second comparison of one test is the second; an earlier run of the name is replaced."""
    made = run(a=shown(2.0), b=shown(3.0, suspect="another process used the core"))
    made.add("a", shown(4.0))
    write(tmp_path / "new", "main", run(old=shown(1.0)))
    path = write(tmp_path / "new", "main", made)
    assert ["a", "b", "a#2"] == list(read(tmp_path / "new", "main").rows)
    assert made == read(path.parent, "main")


def test_the_comparisons_of_a_test_whose_parameters_hold_a_hash_are_all_kept():
    """The second one is the second, not the first one again."""
    made = SavedRun("here")
    for nodeid in ("t[a#b]", "t[a#b]", "t", "t", "t[a#b]"):
        made.add(nodeid, shown(1.0))
    assert ["t[a#b]", "t[a#b]#2", "t", "t#2", "t[a#b]#3"] == list(made.rows)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"low": 1}, "instead of value, low, high and suspect"),
        (5, "5 instead of value"),
        ({"value": "x", "low": 1, "high": 2, "suspect": None}, "which are no ratios above 0"),
        ({"value": 0, "low": 0, "high": 0, "suspect": None}, "which are no ratios above 0"),
        ({"value": 1, "low": None, "high": 2, "suspect": None}, "which are no ratios above 0"),
        ({"value": 1, "low": 1, "high": 2, "suspect": 3}, "which are no ratios above 0"),
    ],
)
def test_a_damaged_row_is_one_sentence(tmp_path, row, said):
    """With the file and what to do."""
    content = {"schema": 1, "machine": "here", "comparisons": {"t": row}}
    (tmp_path / "main.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(UsageError, match=rf"main\.json is no saved run \(t has .*{said}.*save it anew"):
        read(tmp_path, "main")


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path):
    """To read it, and to write there."""
    (tmp_path / "main.json").mkdir()
    with pytest.raises(UsageError, match=r"main\.json is no saved run \(Is a directory\)"):
        read(tmp_path, "main")
    with pytest.raises(UsageError, match=r"main\.json is a folder"):
        check_writable(tmp_path / "main.json")


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_timed(tmp_path):
    """A file stands in its place."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UsageError, match=r"file/deep cannot be written \(Not a directory\); --tradeoff-saved DIR"):
        check_writable(tmp_path / "file" / "deep" / "main.json")
    check_writable(tmp_path / "new" / "main.json")


def test_a_name_that_is_not_there_is_told_with_those_that_are(tmp_path):
    """And one that no file can have."""
    write(tmp_path, "main", run())
    with pytest.raises(UsageError, match=r"maim.*main"):
        read(tmp_path, "maim")
    with pytest.raises(UsageError, match="is no name"):
        path_of(tmp_path, "../main")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": 9}'])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    """With what to do."""
    (tmp_path / "main.json").write_text(content, "utf-8")
    with pytest.raises(UsageError, match="save it anew"):
        read(tmp_path, "main")


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (shown(2.0), shown(1.8), "speed-up 2 -> 1.8, 0.900x [0.887, 0.913]: slower"),
        (shown(2.0), shown(2.2), ": faster"),
        (shown(2.0), shown(2.01), ": no change shown"),
        (shown(2.0, suspect="noisy"), shown(1.0), "decides nothing: noisy"),
        (SimpleNamespace(value=2.0, low=None, high=None, suspect=None), shown(1.0), "too few rounds"),
    ],
)
def test_a_change_has_an_interval_and_a_word(before, now, expected):
    """Nothing is decided by times that are suspect or have no interval."""
    (line,) = compared(run(a=before), run(a=now))
    assert expected in line


def test_what_only_one_run_has_is_told():
    """Neither is an error."""
    found = compared(run(gone=shown(2.0)), run(new=shown(2.0)))
    assert ["gone: was not compared in this run", "new: new"] == found


def test_two_machines_are_not_compared():
    """Speed-ups are not the same there."""
    (line,) = compared(run("there", a=shown(2.0)), run("here", a=shown(1.0)))
    assert "saved on there, this is here" in line


TEST = """
def test_sum(tradeoff):
    tradeoff.compare(baseline=lambda: sum(range(3000)), candidate=lambda: sum(range(3000)), seconds=0.1)
"""


@pytest.mark.system
def test_a_run_is_saved_and_the_next_one_shown_beside_it(tmp_path):
    """From the options of a pytest run; a name that is not there ends it before anything is timed."""
    (tmp_path / "test_sum.py").write_text(TEST, "utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    def pytest_with(*options):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)

    first = pytest_with("--tradeoff-save", "main")
    assert 0 == first.returncode, first.stdout
    assert (tmp_path / "reports" / "tradeoff" / "main.json").exists()
    second = pytest_with("--tradeoff-compare", "main").stdout
    assert "this run beside 'main'" in second
    assert "test_sum.py::test_sum: speed-up" in second
    third = pytest_with("--tradeoff-compare", "maim")
    assert (4, True) == (third.returncode, "main" in third.stderr)
