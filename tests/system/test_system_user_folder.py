"""A user's own repository: one file with a workload and a technique, measured, recorded and gated like a built-in."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from suite.registry.settings import shipped_expectations

pytestmark = pytest.mark.system

TECHNIQUE = "doubled(factor=2)"
HOSTILE = """
[tool.pytest.ini_options]
addopts = "-x --maxfail=1 -p no:benchmark --strict-config"
testpaths = ["nowhere"]
python_files = "check_*.py"
filterwarnings = ["error"]
no_such_setting = true
"""


def test_recording_writes_expectations_only_below_the_users_folder(measured):
    """The user's workload lands in ./expectations, at `any` and at this machine's level; the shipped files stay."""
    folder, done = measured
    written = sorted(path.relative_to(folder).parts for path in folder.rglob("*.toml"))
    assert {("expectations", "tiny.toml")} == {(parts[0], parts[-1]) for parts in written}
    assert 2 == len(written), written
    assert ("expectations", "any", "tiny.toml") in written
    assert not list(shipped_expectations().rglob("tiny.toml"))
    assert {"expectations", "reports", "lab.py", "bench.json"} == {path.name for path in folder.glob("[!._]*")}
    assert re.search(r"recorded: \d+ added, 0 updated", done.stdout)


def test_a_conftest_serves_a_plain_pytest_run(recorded, python):
    """`pytest --pyargs suite.bench.benchmarks` knows what conftest.py declares; its timings are marked as not quiet."""
    (recorded / "lab.py").rename(recorded / "conftest.py")
    options = ("--suite-workload=tiny", "--suite-technique=doubled", "--suite-quick", "--suite-device=cpu")
    done = python("-P", "-m", "pytest", "--pyargs", "suite.bench.benchmarks", *options, cwd=recorded)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert "this is no quiet process: start it with `suite bench`" in done.stdout
    assert (recorded / "reports" / "latest" / "tradeoffs.csv").is_file()


@pytest.fixture(scope="module")
def crossed(measured, tmp_path_factory, bench, calm):
    """A repository in which one bound was moved by hand, its own text before that, and the gate that found it."""
    folder = tmp_path_factory.mktemp("crossed")
    shutil.copy(measured[0] / "lab.py", folder)
    shutil.copytree(measured[0] / "expectations" / "any", folder / "expectations" / "any")
    file = folder / "expectations" / "any" / "tiny.toml"
    kept = file.read_text("utf-8")
    before, heading, entry = kept.partition(f'["{TECHNIQUE}".parameters]\n')
    value = _parameters(kept)
    file.write_text(before + heading + re.sub(rf"\b{value}\b", str(value - 1), entry, count=3), "utf-8")
    return folder, kept, bench("--workload=tiny", "--technique=doubled", *calm, cwd=folder)


def test_a_gate_whose_bound_is_crossed_fails_and_names_everything(crossed):
    """Exit code 1; metric, value, bound, file and line stand beside the command that measures the cell again."""
    _, kept, done = crossed
    value, line = _parameters(kept), kept.partition(f'["{TECHNIQUE}".parameters]')[0].count("\n") + 1
    assert 1 == done.returncode, done.stdout + done.stderr
    assert f"REGRESSED tiny {TECHNIQUE} cpu: parameters = {value}, bound <= {value - 1}" in done.stdout
    assert f"(expectations/any/tiny.toml:{line})" in done.stdout
    assert re.search(r"suite bench .*--workload tiny --technique 'doubled\(factor=2\)'", done.stdout)


def test_the_command_of_a_failed_gate_runs_as_it_is_printed(crossed, suite, calm):
    """What the summary proposes can be pasted: it finds the user's file and the cell again."""
    folder, kept, done = crossed
    proposed = [line for line in done.stdout.splitlines() if line.startswith("    suite bench ")]
    assert 1 == len(proposed), done.stdout
    again = suite(*shlex.split(proposed[0])[1:], "--quick", *calm, cwd=folder)
    assert 1 == again.returncode, again.stdout + again.stderr
    assert f"bound <= {_parameters(kept) - 1}" in again.stdout


def test_a_gate_passes_once_the_bound_is_back(crossed, bench, calm):
    """Measured a second time, every figure lies within what the first run recorded."""
    folder, kept, _ = crossed
    file = folder / "expectations" / "any" / "tiny.toml"
    moved = file.read_text("utf-8")
    file.write_text(kept, "utf-8")
    try:
        done = bench("--workload=tiny", "--technique=doubled", *calm, cwd=folder)
    finally:
        file.write_text(moved, "utf-8")
    assert 0 == done.returncode, done.stdout + done.stderr
    assert re.search(r"verdicts: .*\d+ pass", done.stdout)
    assert "regressed" not in done.stdout


def test_a_finished_run_is_recorded_without_measuring_again(measured, suite, tmp_path):
    """`suite record reports/latest --only ...` stores one technique's figures where it is told to."""
    folder, _ = measured
    target = tmp_path / "elsewhere"
    done = suite(
        "record", str(folder / "reports" / "latest"), f"--expect-dir={target}", f"--only={TECHNIQUE}", cwd=tmp_path
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert str(Path(target, "any", "tiny.toml")) in done.stdout
    assert {TECHNIQUE} == _techniques(target / "any" / "tiny.toml")


def test_settings_of_a_hostile_repository_change_nothing(recorded, bench, calm):
    """The bench brings its own pytest configuration, whatever the repository and PYTEST_ADDOPTS say."""
    (recorded / "pyproject.toml").write_text(HOSTILE, "utf-8")
    done = bench(
        "--workload=tiny",
        "--technique=doubled",
        *calm,
        cwd=recorded,
        env={"PYTEST_ADDOPTS": "-k nothing --maxfail=1 --no-such-option"},
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_modules_of_the_settings_are_loaded_by_every_command(recorded, suite):
    """`[tool.tradeoff-suite] load` makes the user's names known, relative to pyproject.toml, from below it too."""
    (recorded / "pyproject.toml").write_text('[tool.tradeoff-suite]\nload = ["lab.py"]\n', "utf-8")
    below = recorded / "below"
    below.mkdir()
    listed = suite("list", cwd=below)
    assert 0 == listed.returncode, listed.stderr
    assert "Which of two brightnesses an image has." in listed.stdout
    assert TECHNIQUE in listed.stdout


def _techniques(file: Path) -> set[str]:
    return set(tomllib.loads(file.read_text("utf-8"))) - {"schema", "origin"}


def _parameters(text: str) -> int:
    """The stored number of parameters of the technique."""
    return int(tomllib.loads(text)[TECHNIQUE]["parameters"]["value"])
