"""What a user's repository says about the suite."""
# the expected value stands on the left

import importlib.metadata
import sys

import pytest

from suite import settings
from suite.errors import SetupError
from suite.registry import Registry
from suite.settings import load_user_modules, shipped_expectations, user_modules


def pyproject(folder, text):
    (folder / "pyproject.toml").write_text(text, "utf-8")
    return folder


def test_modules_are_listed_in_the_nearest_pyproject(tmp_path):
    """The search goes up from the working directory; `.py` paths are relative to the file that lists them."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\nload = ["my_models", "bench/mine.py"]\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert ["my_models", str(tmp_path / "bench/mine.py")] == user_modules(inner)


def test_the_nearest_pyproject_counts_alone(tmp_path):
    """A project inside another one is a project of its own."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\nload = ["outer"]\n')
    inner = tmp_path / "inner"
    inner.mkdir()
    assert [] == user_modules(pyproject(inner, "[project]\n"))


def test_a_folder_without_any_pyproject_loads_nothing(tmp_path):
    """The suite runs anywhere."""
    if not any((folder / "pyproject.toml").is_file() for folder in tmp_path.parents):
        assert [] == user_modules(tmp_path)


@pytest.mark.parametrize("load", ['"my_models"', "[1]", "{ a = 1 }"])
def test_a_load_that_is_no_list_of_names_is_an_error_with_an_example(tmp_path, load):
    """The file and the way to write it stand in the message."""
    with pytest.raises(SetupError, match=r'pyproject\.toml: .*must be a list .* load = \["my_models"\]'):
        user_modules(pyproject(tmp_path, f"[tool.tradeoff-suite]\nload = {load}\n"))


def test_a_broken_pyproject_is_an_error_that_names_the_file(tmp_path):
    """What TOML says about the line is passed on."""
    with pytest.raises(SetupError, match=r"pyproject\.toml: .*line 1"):
        user_modules(pyproject(tmp_path, "[tool.tradeoff-suite\n"))


@pytest.mark.parametrize("text", ["tool = 1\n", "[tool]\ntradeoff-suite = 3\n"])
def test_a_table_that_is_no_table_is_an_error_that_names_the_file(tmp_path, text):
    """No traceback from deep inside, whatever stands there."""
    with pytest.raises(SetupError, match=r"pyproject\.toml"):
        user_modules(pyproject(tmp_path, text))


def test_every_listed_module_is_loaded_once_settings_first(tmp_path, monkeypatch):
    """A module that is listed and asked for is one module."""
    loaded = []
    monkeypatch.setattr(Registry, "load", lambda _self, name: loaded.append(name))
    pyproject(tmp_path, '[tool.tradeoff-suite]\nload = ["one", "two"]\n')
    load_user_modules(Registry(), tmp_path, ["three", "one"])
    assert ["one", "two", "three"] == loaded


def test_entry_points_are_loaded_too(tmp_path, monkeypatch):
    """An installed package declares its techniques without a line in the user's settings."""
    package = tmp_path / "declares_techniques.py"
    package.write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = importlib.metadata.EntryPoint("mine", "declares_techniques", settings.ENTRY_POINTS)
    monkeypatch.setattr(settings, "entry_points", lambda group: [point] if group == settings.ENTRY_POINTS else [])
    load_user_modules(Registry(), pyproject(tmp_path, ""), [])
    assert str(package) == sys.modules.pop("declares_techniques").__file__


def test_expectations_are_shipped():
    """The built-in workloads come with theirs."""
    assert shipped_expectations().is_dir()
