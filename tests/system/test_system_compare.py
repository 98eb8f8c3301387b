"""`suite compare` in a user's own repository, with real processes."""
# the expected value stands on the left

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

IDENTITY = ("-c", "user.name=someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false")
SETTINGS = '[tool.tradeoff-suite]\nload = ["lab.py"]\n'
PLAIN, HEAVY = "h = self.conv(x)", "h = sum(self.conv(x) for _ in range(8)) / 8"
ADDED = '''

@workload(source="none", techniques=())
def added(seed: int) -> Recipe:
    """New."""
    return recipe(seed)
'''
BROKEN = 'raise RuntimeError("this commit was broken")\n'
NETWORK = "return self.fc(torch.relu(self.conv(x)).flatten(1))"
BUDGET = ("--pairs=3", "--budget=1.5", "--inconclusive=fail")
BUSY = (
    " dropped because other processes used the core",
    "no core is free",
)  # then there is no verdict, and none was promised


def is_busy(text):
    return any(reason in text for reason in BUSY)


def git(folder, *arguments):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *IDENTITY, *arguments]
    subprocess.run(command, env=environ, check=True, capture_output=True)


def commit(folder, text, message):
    (folder / "lab.py").write_text(text, "utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


@pytest.fixture(scope="module")
def repository(tmp_path_factory, lab_text):
    """A network, then one that computes its convolution eight times, and a workload that is new."""
    folder = tmp_path_factory.mktemp("compared")
    git(folder, "init", "-q")
    (folder / "pyproject.toml").write_text(SETTINGS, "utf-8")
    (folder / ".gitignore").write_text("reports/\n__pycache__/\n", "utf-8")
    old = lab_text.replace(NETWORK, f"{PLAIN}\n        return self.fc(torch.relu(h).flatten(1))")
    assert PLAIN in old
    commit(folder, old, "A network")
    new = old.replace(PLAIN, HEAVY)
    commit(folder, new + ADDED, "A heavier network")
    return folder


def told(folder):
    """The lines of the latest comparison."""
    latest = max((folder / "reports").glob("compare-*"), key=lambda path: path.stat().st_mtime)
    return [json.loads(line) for line in (latest / "compare.jsonl").read_text("utf-8").splitlines()]


def rows(folder):
    """Verdict by metric, of the latest comparison."""
    return {metric: verdict for _, metric, _, _, verdict in told(folder)[-1]["rows"]}


@pytest.mark.timed
def test_a_heavier_commit_is_a_regression(repository, suite):
    """Same weights, same outputs but for rounding, more work; the user's repository stays clean."""
    done = suite("compare", "HEAD~1", "--workload=tiny", *BUDGET, "--markdown=reports/m.md", cwd=repository)
    said = rows(repository)
    assert "same" == said["parameters"], done.stdout + done.stderr
    assert {"regressed"} == {said["speed"], said["speed_b1"]} or is_busy(done.stdout), done.stdout + done.stderr
    assert done.returncode == (1 if "regressed" in said.values() else 10)
    assert "regressed" in (repository / "reports" / "m.md").read_text("utf-8") or is_busy(done.stdout)
    assert "uncommitted" not in done.stdout


@pytest.mark.timed
def test_a_commit_is_no_regression_of_itself(repository, suite):
    """The outputs agree to the last bit."""
    done = suite("compare", "HEAD", "--workload=tiny", *BUDGET, cwd=repository)
    said = rows(repository)
    assert "same" == said["output_difference"], done.stdout + done.stderr
    assert "regressed" not in said.values()
    assert done.returncode in (0, 10)


@pytest.mark.timed
@pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")
def test_children_of_processes_that_have_loaded_torch_serve_and_train(repository, suite):
    """Three of each side in each pair, for every metric; the processes themselves are those that said they can fork."""
    options = ("--workload=tiny", "--training", "--pairs=2", "--forks=3", "--budget=1.5")
    done = suite("compare", "HEAD", *options, cwd=repository, env={"SUITE_THREADS": "1"})
    lines = told(repository)
    described = next(line for line in lines if "current" in line and "cell" in line)
    assert described["current"]["forks"], done.stdout + done.stderr
    assert described["reference"]["forks"]
    played = {
        (line["metric"], line["pair"], line["fork"])
        for line in lines
        if line.get("stage") == "looked" and "fork" in line
    }
    expected = {(m, p, f) for m in ("speed", "speed_b1", "train_step") for p in (0, 1) for f in (0, 1, 2)}
    assert expected == played or is_busy(done.stdout), done.stdout + done.stderr


def test_counted_work_tells_a_heavier_commit_and_none_from_itself(repository, suite):
    """On any runner: nothing is timed. What came is named."""
    options = ("--workload=tiny", "--count", "--training", "--no-instructions")
    done = suite("compare", "HEAD~1", *options, cwd=repository)
    said = rows(repository)
    assert {"regressed"} == {said["operators"], said["training_operators"]}, done.stdout + done.stderr
    assert "+7 aten.convolution, at lab.py:" in done.stdout
    assert 1 == done.returncode
    done = suite("compare", "HEAD", *options, cwd=repository)
    assert {"same"} == set(rows(repository).values()), done.stdout + done.stderr
    assert 0 == done.returncode


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
@pytest.mark.timeout(1800)
def test_counted_instructions_tell_a_heavier_commit(repository, environment):
    """With the functions that it calls more often. Python is no fork here: valgrind would not run beside it."""
    command = [sys.executable, "-P", "-m", "suite", "compare", "HEAD~1", "--workload=tiny", "--count"]
    done = subprocess.run(
        command, cwd=repository, env=environment, timeout=1800, capture_output=True, text=True, check=False
    )
    if "valgrind knows no AVX-512" in done.stdout:
        pytest.skip("this machine's libraries have instructions of their own that valgrind does not know")
    said = rows(repository)
    assert {"regressed"} == {said.get("instructions"), said.get("instructions_b1")}, done.stdout + done.stderr
    assert 1 == done.returncode


def test_a_cell_that_the_reference_lacks_is_said(repository, suite):
    """And a run that could compare nothing is no pass."""
    done = suite("compare", "HEAD~1", "--workload=added", *BUDGET, cwd=repository)
    assert "added-baseline-cpu: missing: HEAD~1" in done.stdout, done.stdout + done.stderr
    assert "unknown workload 'added'" in done.stdout
    assert 11 == done.returncode


def test_a_commit_whose_module_raises_is_told_for_its_cell(repository, lab_text, suite, tmp_path):
    """What it raised stands below the table, nothing was compared, and no traceback is shown."""
    folder = tmp_path / "broken"
    git(tmp_path, "clone", "-q", str(repository), str(folder))
    commit(folder, BROKEN + lab_text, "A broken network")
    commit(folder, lab_text, "Mended")
    done = suite("compare", "HEAD~1", "--workload=tiny", *BUDGET, cwd=folder)
    assert "this commit was broken" in done.stdout, done.stdout + done.stderr
    assert "tiny-baseline-cpu: inconclusive: HEAD~1" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert 11 == done.returncode


def test_a_reference_that_does_not_exist_is_told_in_one_message(repository, suite):
    """No traceback."""
    done = suite("compare", "no-such-branch", cwd=repository)
    assert "suite: there is no git reference 'no-such-branch'" in done.stderr
    assert "Traceback" not in done.stderr
    assert 11 == done.returncode
