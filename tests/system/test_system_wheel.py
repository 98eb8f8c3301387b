"""The wheel that ships: what is in it, that it works without the checkout, and beside a folder of the same name."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
EXPECTATION = """schema = 1

["baseline".parameters]
value = 225034
low = 225034
high = 225034
unit = "1"
better = "lower"
tier = "exact"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of a copy of this checkout that ships one more expectation, so that there is one to be found."""
    source = tmp_path_factory.mktemp("source") / "tradeoff-suite"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("suite", "expectations"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    extra = source / "expectations" / "any" / "shipped_example.toml"
    extra.parent.mkdir(parents=True, exist_ok=True)
    extra.write_text(EXPECTATION, "utf-8")
    built = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(_builder(source, built), cwd=source, capture_output=True, text=True, timeout=180, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The wheel's files as `pip install --no-deps --target` lays them out."""
    target = tmp_path_factory.mktemp("target")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_the_wheel_holds_code_types_expectations_and_the_launcher(wheel):
    """Package data travel; tests and reports do not."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {"suite/py.typed", "_tradeoff_suite.py", "suite/_expectations/any/shipped_example.toml"} <= set(names)
    assert {"suite/bench/benchmarks/pytest.ini", "suite/bench/benchmarks/test_cells.py"} <= set(names)
    data = {path.relative_to(ROOT).as_posix() for path in (ROOT / "suite" / "cli" / "templates").iterdir()}
    assert data | {"suite/bench/combinations.toml"} <= set(names)
    tops = {name.partition("/")[0] for name in names}
    assert {"suite", "_tradeoff_suite.py"} == {top for top in tops if not top.endswith(".dist-info")}
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "suite").rglob("*.py")}
    assert code - {"suite/cli/launch.py"} <= set(names)  # the launcher moves out of the package


def test_the_wheel_declares_its_command_and_its_plugin(installed):
    """Both entry points start in the launcher outside the package."""
    text = next(installed.glob("*.dist-info/entry_points.txt")).read_text("utf-8")
    assert "[console_scripts]\nsuite = _tradeoff_suite:main" in text
    assert "[pytest11]\ntradeoff_suite = _tradeoff_suite" in text


def test_an_installed_suite_finds_the_shipped_expectations(installed, python, tmp_path):
    """From an empty folder, without the checkout: `suite list expectations` reads suite/_expectations."""
    env = {"PYTHONPATH": str(installed)}
    where = python("-P", "-c", "import suite; print(suite.__file__)", cwd=tmp_path, env=env)
    assert str(installed / "suite" / "__init__.py") == where.stdout.strip(), where.stderr
    code = "import sys, _tradeoff_suite; sys.argv = ['suite', 'list', 'expectations']; sys.exit(_tradeoff_suite.main())"
    listed = python("-P", "-c", code, cwd=tmp_path, env=env)
    assert 0 == listed.returncode, listed.stderr
    assert "any shipped_example baseline parameters = 225034" in listed.stdout
    assert str(installed / "suite" / "_expectations" / "any" / "shipped_example.toml") in listed.stdout


def test_an_installed_suite_collects_its_benchmarks(installed, suite, tmp_path):
    """The benchmark files and their configuration are found inside the package."""
    arguments = ("--device=cpu", "--workload=digits_cnn", "--technique=baseline", "--collect-only")
    done = suite("bench", *arguments, cwd=tmp_path, env={"PYTHONPATH": str(installed)})
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "digits_cnn-baseline-cpu" in done.stdout


@pytest.fixture
def shadowed(tmp_path) -> Path:
    """A repository whose own package is called `suite`, with a test of it."""
    package = tmp_path / "suite"
    package.mkdir()
    (package / "__init__.py").write_text("ANSWER = 42\n", "utf-8")
    (tmp_path / "test_own.py").write_text("import suite\n\n\ndef test_own():\n    assert suite.ANSWER == 42\n", "utf-8")
    return tmp_path


def test_a_folder_named_suite_is_told_in_one_sentence(shadowed, python):
    """The command says which folder stands in the way and what to do, with exit code 11."""
    code = "import sys, _tradeoff_suite; sys.exit(_tradeoff_suite.main())"
    done = python("-W", "ignore", "-c", code, cwd=shadowed)
    assert 11 == done.returncode
    said = (done.stdout + done.stderr).splitlines()
    assert 1 == len(said), said
    assert said[0].startswith("suite: another package named 'suite' at ")
    assert str(shadowed / "suite" / "__init__.py") in said[0]
    assert "python -P" in said[0]


def test_tests_of_a_repository_with_such_a_folder_still_run(shadowed, python):
    """The plugin is off with a warning; the repository's own tests see their own package."""
    done = python("-m", "pytest", "-q", cwd=shadowed)
    text = done.stdout + done.stderr
    assert 0 == done.returncode, text
    assert "1 passed" in text
    assert "its pytest plugin is off" in text


def _builder(source: Path, target: Path) -> list[str]:
    """Whatever builds a wheel here, with an installed hatchling where there is one."""
    if importlib.util.find_spec("hatchling") and importlib.util.find_spec("build"):
        return [sys.executable, "-m", "build", "--no-isolation", "--wheel", f"--outdir={target}", str(source)]
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv, or the packages build and hatchling, to build a wheel")
    return [uv, "build", "--wheel", f"--out-dir={target}", f"--python={sys.executable}", str(source)]
