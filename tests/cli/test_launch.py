"""The start of the command line and the plugin where another package is called ``suite`` too."""
# the expected value stands on the left

import subprocess
import sys
from pathlib import Path

import pytest

import suite
from suite.cli import launch

LAUNCHER = Path(launch.__file__)


def run(code, folder):
    """Run the launcher as it is installed, outside the package, in a folder whose modules come first."""
    folder.joinpath("_tradeoff_suite.py").write_text(LAUNCHER.read_text("utf-8"), "utf-8")
    command = [sys.executable, "-W", "always", "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_in_its_own_environment_there_is_no_problem():
    """The suite that is imported is this one."""
    assert launch.problem() is None
    assert suite.DISTRIBUTION == launch.DISTRIBUTION


@pytest.mark.parametrize("file", ["suite.py", "suite/__init__.py"])
def test_another_package_of_that_name_is_told_in_one_sentence(tmp_path, file):
    """The command names the place and the way out, and ends with the code of an unusable set-up."""
    other = tmp_path / file
    other.parent.mkdir(exist_ok=True)
    other.write_text("", "utf-8")
    done = run("import sys, _tradeoff_suite; sys.exit(_tradeoff_suite.main())", tmp_path)
    assert 11 == done.returncode
    assert f"suite: another package named 'suite' at {other} comes before" in done.stdout
    assert "python -P" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_folder_without_init_is_told_apart_too(tmp_path):
    """A folder of that name stands in the way only where nothing installed is found; the message names it."""
    (tmp_path / "suite").mkdir()
    code = f"import sys; sys.path.remove({str(LAUNCHER.parents[2])!r}); import _tradeoff_suite as t; print(t.problem())"
    done = run(code, tmp_path)
    assert f"another package named 'suite' at {tmp_path / 'suite'} comes before" in done.stdout


def test_the_plugin_is_off_with_a_warning_where_another_package_stands_in_the_way(tmp_path):
    """A user's own tests go on: they never asked for the suite."""
    (tmp_path / "suite.py").write_text("", "utf-8")
    done = run("import _tradeoff_suite as t; print(getattr(t, 'pytest_plugins', 'off'))", tmp_path)
    assert "off" == done.stdout.strip()
    assert "its pytest plugin is off" in done.stderr


def test_a_suite_that_cannot_be_imported_says_why(tmp_path):
    """The reason of the import error is kept."""
    (tmp_path / "suite.py").write_text("raise ImportError('no module named nowhere')", "utf-8")
    done = run("import _tradeoff_suite as t; print(t.problem())", tmp_path)
    assert "tradeoff-suite cannot be imported: no module named nowhere" == done.stdout.strip()
