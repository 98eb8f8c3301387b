"""Programs in processes of their own: what they write, how they end, and that none sees another."""
# the expected value stands on the left

import json

import pytest

from suite.claims import isolated
from suite.claims.copying import answer

HERE = "claims_program"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Write a module that can be run by its name."""
    monkeypatch.syspath_prepend(tmp_path)
    return lambda text: (tmp_path / f"{HERE}.py").write_text(text, "utf-8")


def played(longest=20):
    return json.loads(answer(HERE, longest))


@pytest.mark.skipif(not isolated.COPIES, reason="copies of a process are made on Linux alone")
@pytest.mark.parametrize(
    ("text", "code", "stdout", "stderr"),
    [
        ("print(1)", 0, "1\n", ""),
        ("import sys; sys.exit(3)", 3, "", ""),
        ("raise SystemExit('no')", 1, "", ""),
        ("1 / 0", 1, "", "ZeroDivisionError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, "", ""),
    ],
)
def test_a_copy_ends_as_the_program_would(program, text, code, stdout, stderr):
    """Exit code, output, traceback."""
    program(text)
    done = played()
    assert (code, stdout) == (done["returncode"], done["stdout"])
    assert stderr in done["stderr"]


@pytest.mark.skipif(not isolated.COPIES, reason="copies of a process are made on Linux alone")
def test_a_program_leaves_nothing_to_the_next(program):
    """Not even a name in a module."""
    program("import json; print(hasattr(json, 'planted')); json.planted = 1")
    assert ["False\n", "False\n"] == [played()["stdout"], played()["stdout"]]


@pytest.mark.skipif(not isolated.COPIES, reason="copies of a process are made on Linux alone")
def test_a_program_that_does_not_end_is_stopped(program):
    """By the alarm's signal."""
    program("import time; time.sleep(60)")
    assert -14 == played(longest=1)["returncode"]


@pytest.mark.system
def test_both_ways_to_run_a_program_agree():
    """A process of its own and a copy."""
    name = "suite.claims.programs.forward_repaired"
    assert isolated._started(name).stdout == isolated.run(name).stdout
