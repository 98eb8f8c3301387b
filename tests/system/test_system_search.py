"""``suite search`` as a person types it: mistakes in one sentence, a kill survived, databases."""
# the expected value stands on the left

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from brief_timing import brief

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text("utf-8")
(PROGRAM,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
USUAL = ("--workload", "irises", "--load", "irises.py", "--device", "cpu", "--technique", "wide", "--technique", "half")
SMALL = ("--maximise", "speedup", "--final-seeds", "1")


@pytest.fixture
def search(tmp_path, environment, interpreter):
    (tmp_path / "irises.py").write_text(PROGRAM + brief(seconds=0.2), "utf-8")

    def run(*arguments, killed_when=None):
        python = interpreter if killed_when is None else sys.executable  # only the real one is killed
        with subprocess.Popen(
            [python, "-P", "-m", "suite", "search", *USUAL, *arguments],
            cwd=tmp_path, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as running:  # fmt: skip
            if killed_when is not None:
                wait_for(killed_when)
                os.killpg(running.pid, signal.SIGKILL)
            said = running.communicate()[0]
        return running.returncode, said

    return run


def wait_for(condition):
    end = time.monotonic() + 120
    while time.monotonic() < end and not condition():
        time.sleep(0.1)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="process groups and signals of POSIX")
def test_a_killed_search_goes_on(search, tmp_path):
    """The baseline, which was measured before the kill, is not told again."""
    journal = tmp_path / "found.journal"
    options = (*SMALL, "--storage", str(journal), "--trials", "3")
    search(*options, killed_when=lambda: journal.exists() and '"figures"' in journal.read_text("utf-8"))
    code, said = search(*options)
    assert 0 == code, said
    assert "[1]" not in said
    assert "3 compositions measured" in said


def test_what_nothing_keeps_is_told_with_the_nearest(search):
    """Exit code 1."""
    code, said = search(*SMALL, "--budget", "bytes=1B", "--trials", "3")
    assert 1 == code, said
    assert re.search(r"no composition keeps all bounds; half comes nearest: artefact_bytes <= 1 B is missed by", said)


def test_a_metric_that_is_not_measured_here_is_refused(search):
    """After the baseline, and before anything else is trained."""
    code, said = search("--minimise", "compile_seconds_cold")
    assert 11 == code, said
    assert "baseline has no compile_seconds_cold: a search needs objectives that are measured on cpu" in said


def test_a_database_serves_as_storage(search, tmp_path):
    """And keeps what was measured."""
    code, said = search(*SMALL, "--storage", "sqlite:///found.db", "--trials", "2")
    assert 0 == code, said
    code, said = search(*SMALL, "--storage", "sqlite:///found.db", "--trials", "2")
    assert 0 == code, said
    assert "[1]" not in said
    assert (tmp_path / "found.db").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--maximise", "accuracy", "--technique", "narow"), "did you mean narrow"),
        (("--maximise", "speedup", "--keep", "perplexity>=2"), "perplexity"),
        (("--maximise", "speedup", "--trials", "0"), "--trials=0 must be at least 1"),
    ],
)
def test_a_mistake_is_one_sentence(search, arguments, words):
    """No traceback, exit code 11."""
    code, said = search(*arguments)
    assert 11 == code
    assert words in said
    assert 1 == len(said.splitlines())
