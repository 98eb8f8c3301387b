"""Functions that a file and a name say, and the modules beside their files."""
# the expected value stands on the left

import sys

import pytest

from suite.bench.functions import loading
from suite.bench.functions.loading import NeighbourFinder, function
from suite.core.errors import UsageError


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """No test leaves modules or folders to the next one."""
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(loading, "NEIGHBOURS", NeighbourFinder())


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fast.py"
    path.write_text("def one():\n    return 1\n", "utf-8")
    return path


def test_a_function_is_named_by_file_and_name(file):
    """A file is loaded once."""
    assert 1 == function(f"{file}:one")()
    assert function(f"{file}:one") is function(f"{file}:one")


def test_a_name_that_is_none_is_told(file):
    """With the nearest one."""
    with pytest.raises(UsageError, match="did you mean one"):
        function(f"{file}:onne")
    with pytest.raises(UsageError, match="names no function of a file"):
        function("fast")


def test_each_file_has_the_modules_of_its_own_folder(tmp_path):
    """Two checkouts have files of the same names."""
    for folder, value in (("old", 1.0), ("new", -1.0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "helper.py").write_text(f"VALUE = {value}\n", "utf-8")
        (tmp_path / folder / "fast.py").write_text("import helper\n\n\ndef f():\n    return helper.VALUE\n", "utf-8")
    old, new = (function(f"{tmp_path / folder}/fast.py:f") for folder in ("old", "new"))
    assert (1.0, -1.0) == (old(), new())


def test_a_module_beside_the_file_is_found_when_the_function_is_called(tmp_path):
    """As in a file that is run."""
    (tmp_path / "neighbour_of_one.py").write_text("VALUE = 3.0\n", "utf-8")
    path = tmp_path / "late.py"
    path.write_text("def f():\n    import neighbour_of_one\n    return neighbour_of_one.VALUE\n", "utf-8")
    assert 3.0 == function(f"{path}:f")()


def test_a_module_that_both_folders_have_is_not_guessed(tmp_path):
    """The wrong one would be measured without a word."""
    calls = []
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "neighbour_of_two.py").write_text("VALUE = 1.0\n", "utf-8")
        path = tmp_path / folder / "late.py"
        path.write_text("def f():\n    import neighbour_of_two\n    return neighbour_of_two.VALUE\n", "utf-8")
        calls.append(function(f"{path}:f"))
    with pytest.raises(ImportError, match="both files have a module 'neighbour_of_two' beside them"):
        calls[0]()


@pytest.mark.parametrize("change", ["sys.path.pop(0)", "sys.path[:] = []", "sys.path = list(sys.path)"])
def test_a_file_may_change_the_import_path(tmp_path, change):
    """Its folder may be gone from there."""
    path = tmp_path / "path.py"
    path.write_text(f"import sys\n\n{change}\n\n\ndef f():\n    return 1.0\n", "utf-8")
    assert 1.0 == function(f"{path}:f")()


def test_a_file_that_fails_is_loaded_again(tmp_path):
    """Half of it is no module."""
    path = tmp_path / "fails.py"
    path.write_text("1 / 0\n", "utf-8")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            function(f"{path}:f")
