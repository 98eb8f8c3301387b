"""Sessions that `.ci/run` starts beside others: their output is shown, and a failing one fails CI."""
# the expected value stands on the left

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / ".ci" / "beside.sh"
BASH = shutil.which("bash")
NOX = """#!/bin/sh
echo "ran $*"
test "$2" != fails
"""

pytestmark = pytest.mark.skipif(
    BASH is None or not BESIDE.exists(), reason="needs bash, and a checkout: a release holds no script of CI"
)


@pytest.fixture
def ran(tmp_path):
    """``ran(script)``: exit code and output of lines after those of `.ci/beside.sh`, with a nox that fails by name."""
    (tmp_path / "nox").write_text(NOX, "utf-8")
    (tmp_path / "nox").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    def run(script):
        text = f"set -euo pipefail\nsource {BESIDE}\n{script}"
        done = subprocess.run([BASH, "-c", text], env={"PATH": path}, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    return run


def test_what_ran_beside_is_shown_once_it_has_finished(ran):
    """In the order in which they were started, after what ran in front."""
    assert (0, "front\nran -s typing\nran -s docs\nend\n") == ran(
        "beside -s typing\nbeside -s docs\necho front\nfinished\necho end"
    )


def test_a_session_that_fails_beside_others_fails_the_script(ran):
    """Nothing that follows runs; the sessions after it are shown, too."""
    assert (1, "ran -s fails\nran -s docs\n") == ran("beside -s fails\nbeside -s docs\nfinished\necho end")


def test_what_is_beside_a_failing_session_is_shown(ran):
    """The script ends with that session's exit code."""
    started = 'until test -s "$logs/0"; do sleep 0.01; done'
    assert (3, "ran -s typing\n") == ran(f"beside -s typing\n{started}\n(exit 3)\nfinished")
