"""What a user's repository says about the suite."""
# the expected value stands on the left

import importlib.metadata
import os
import sys
from pathlib import Path

import pytest

from suite.core.errors import SetupError, SuiteError
from suite.registry import Registry, settings
from suite.registry.settings import (
    data_root,
    expect_dir,
    keeps_history,
    load_user_modules,
    prices_file,
    settings_file,
    shipped_expectations,
    user_modules,
)


def pyproject(folder, text):
    (folder / "pyproject.toml").write_text(text, "utf-8")
    return folder


def test_modules_are_listed_in_the_nearest_pyproject(tmp_path):
    """The search goes up from the working directory; `.py` paths are relative to the file that lists them."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\nload = ["my_models", "bench/mine.py"]\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert ["my_models", str(tmp_path / "bench/mine.py")] == user_modules(inner)


def test_the_nearest_table_counts_alone(tmp_path):
    """A project with settings of its own inside another one is a project of its own."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\nload = ["outer"]\n')
    inner = tmp_path / "inner"
    inner.mkdir()
    assert [] == user_modules(pyproject(inner, "[tool.tradeoff-suite]\n"))


def test_a_pyproject_without_the_table_hides_nothing(tmp_path):
    """A package in a subfolder has a pyproject.toml; the gate started there still knows the repository's networks."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\nload = ["outer"]\n')
    inner = tmp_path / "inner"
    inner.mkdir()
    assert ["outer"] == user_modules(pyproject(inner, "[project]\nname = 'inner'\n"))
    assert tmp_path / "pyproject.toml" == settings_file(inner)


def test_settings_above_the_repository_are_not_read(tmp_path):
    """They are another project's, or anybody's: `/tmp/pyproject.toml`."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\nload = ["anybodys"]\n')
    inner = tmp_path / "repository" / "folder"
    inner.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    assert settings_file(inner) is None
    assert [] == user_modules(inner)


def test_settings_of_another_user_above_the_folder_are_refused(tmp_path, monkeypatch):
    """Their modules would be run. In a folder that is that user's too (a checkout in a container) they are read."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\nload = ["anybodys"]\n')
    inner = tmp_path / "mine"
    inner.mkdir()
    monkeypatch.setattr(settings, "_owner", lambda path: 54321 if path.suffix else os.getuid())
    with pytest.raises(SetupError, match=r"pyproject\.toml belongs to another user \(uid 54321\)"):
        user_modules(inner)
    assert ["anybodys"] == user_modules(tmp_path)
    monkeypatch.setattr(settings, "_owner", lambda _: 54321)
    assert ["anybodys"] == user_modules(inner)


def entry(folder):
    (folder / "expectations" / "any").mkdir(parents=True)
    (folder / "expectations" / "any" / "mine.toml").write_text("", "utf-8")
    return folder / "expectations"


def test_expectations_are_found_upwards(tmp_path):
    """A gate started in a subfolder checks against the repository's expectations, with or without settings."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    stored = entry(tmp_path)
    assert stored == expect_dir(inner)
    pyproject(inner, "[project]\n")
    assert stored == expect_dir(inner)
    assert entry(tmp_path / "a") == expect_dir(inner)


def test_expectations_of_an_outer_project_are_not_the_inner_ones(tmp_path):
    """A project with settings of its own is not gated by what another one expects."""
    entry(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    pyproject(inner, "[tool.tradeoff-suite]\n")
    assert inner / "expectations" == expect_dir(inner)


def test_an_empty_folder_of_that_name_holds_no_expectations(tmp_path):
    """Any folder may be called so; what counts is a TOML file of a machine, a family or any."""
    inner = tmp_path / "inner"
    (inner / "expectations").mkdir(parents=True)
    (inner / "expectations" / "readme.toml").write_text("", "utf-8")
    assert entry(tmp_path) == expect_dir(inner)


def test_the_first_expectations_belong_beside_the_settings(tmp_path):
    """The first recording from a subfolder does not scatter them; without settings there is no such place."""
    inner = tmp_path / "inner"
    inner.mkdir()
    if expect_dir(inner) is None:
        pyproject(tmp_path, "[tool.tradeoff-suite]\n")
        assert tmp_path / "expectations" == expect_dir(inner)


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


class Distribution:
    """As much of an installed distribution as the message names."""

    name = "their-networks"


@pytest.mark.parametrize(
    ("cause", "body"),
    [
        ("ImportError: no such name", "raise ImportError('no such name')"),
        ("ValueError: first", "raise ValueError('first\\nsecond')"),
        ("AttributeError: module", ""),
    ],
)
def test_a_broken_entry_point_is_one_sentence_that_names_its_owner(tmp_path, monkeypatch, cause, body):
    """Somebody else's package must not end every command in a traceback."""
    (tmp_path / "broken_declarations.py").write_text(body, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = importlib.metadata.EntryPoint("theirs", "broken_declarations:register", settings.ENTRY_POINTS)
    monkeypatch.setattr(settings, "entry_points", lambda group: [point._for(Distribution())] if group else [])
    with pytest.raises(SetupError) as caught:
        load_user_modules(Registry(), tmp_path, [])
    sys.modules.pop("broken_declarations", None)
    said = str(caught.value)
    start = "the entry point theirs = 'broken_declarations:register' of their-networks cannot be loaded: "
    assert said.startswith(start + cause)
    assert said.endswith("; update or uninstall their-networks")
    assert "\n" not in said


def test_what_the_suite_says_about_an_entry_point_is_passed_on(tmp_path, monkeypatch):
    """A declaration that is wrong names its own line."""
    (tmp_path / "wrong_declarations.py").write_text(
        "from suite.core.errors import UsageError\nraise UsageError('say it so')", "utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    point = importlib.metadata.EntryPoint("theirs", "wrong_declarations", settings.ENTRY_POINTS)
    monkeypatch.setattr(settings, "entry_points", lambda group: [point] if group else [])
    with pytest.raises(SuiteError, match=r"^say it so$"):
        load_user_modules(Registry(), tmp_path, [])


def test_expectations_are_shipped():
    """The built-in workloads come with theirs."""
    assert shipped_expectations().is_dir()


# -- where data sets lie ----------------------------------------------------------------------------------------------


@pytest.fixture
def unset(monkeypatch):
    """No variable says where data lie."""
    monkeypatch.delenv("SUITE_DATA", raising=False)


@pytest.mark.usefixtures("unset")
def test_data_lie_where_the_nearest_settings_say(tmp_path):
    """Relative to the file that says so, wherever below it a command is started; an absolute folder stays."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\ndata_root = "sets/of data"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert tmp_path / "sets" / "of data" == data_root(inner)
    pyproject(tmp_path, f"[tool.tradeoff-suite]\ndata_root = '{tmp_path / 'elsewhere'}'\n")
    assert tmp_path / "elsewhere" == data_root(inner)


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("text", ["[project]\nname = 'mine'\n", "[tool.tradeoff-suite]\nload = []\n"])
def test_without_a_setting_data_lie_in_the_users_cache(tmp_path, text):
    """One folder for all projects of a user."""
    assert ("tradeoff-suite", "data") == data_root(pyproject(tmp_path, text)).parts[-2:]


def test_the_variable_is_stronger_than_the_settings(tmp_path, monkeypatch):
    """A machine's data lie where the machine has them; an empty variable says nothing."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\ndata_root = "sets"\n')
    for value, expected in ((str(tmp_path / "disk"), "disk"), ("near", "near"), (" ", "sets"), ("", "sets")):
        monkeypatch.setenv("SUITE_DATA", value)
        assert tmp_path / expected == data_root(tmp_path)


@pytest.mark.parametrize("start", ["~", "$HOME"])
def test_the_users_folder_is_known_by_its_short_name(tmp_path, monkeypatch, start):
    """A tilde in a workflow file is not expanded by a shell; other variables are the shell's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SUITE_DATA", f"{start}/sets")
    expected = tmp_path / "sets" if start == "~" else tmp_path / "$HOME" / "sets"
    assert expected == data_root(tmp_path)


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("value", ["3", '""', '["data"]', "true"])
def test_a_data_root_that_is_no_folder_is_named_with_its_file(tmp_path, value):
    """And how to write it."""
    pyproject(tmp_path, f"[tool.tradeoff-suite]\ndata_root = {value}\n")
    with pytest.raises(SetupError, match=r"pyproject.toml: \[tool.tradeoff-suite\] data_root must be a folder, like"):
        data_root(tmp_path)


@pytest.mark.parametrize(("expected", "line"), [(True, "history = true"), (False, "history = false"), (False, "")])
def test_a_setting_lets_every_run_add_to_the_history(expected, line, tmp_path):
    """Off unless asked for."""
    assert expected is keeps_history(pyproject(tmp_path, f"[tool.tradeoff-suite]\n{line}\n"))


def test_a_history_that_is_neither_true_nor_false_is_refused(tmp_path):
    """The sentence names file, setting and value."""
    with pytest.raises(SetupError, match="history must be true or false, got 'yes'"):
        keeps_history(pyproject(tmp_path, '[tool.tradeoff-suite]\nhistory = "yes"\n'))


def test_the_file_of_prices_is_relative_to_the_settings(tmp_path):
    """And named as the working folder would name it where that is shorter."""
    pyproject(tmp_path, '[tool.tradeoff-suite]\nprices = "costs/prices.toml"\n')
    inner = tmp_path / "inner"
    inner.mkdir()
    assert Path("costs/prices.toml") == prices_file(tmp_path)
    assert tmp_path / "costs/prices.toml" == prices_file(inner)
    assert prices_file(pyproject(inner, "[tool.tradeoff-suite]\n")) is None


@pytest.mark.parametrize("value", ["2.5", '""', "[]"])
def test_a_setting_of_prices_that_names_no_file_is_refused(value, tmp_path):
    with pytest.raises(SetupError, match=r'prices must be a file, like prices = "prices\.toml"'):
        prices_file(pyproject(tmp_path, f"[tool.tradeoff-suite]\nprices = {value}\n"))
