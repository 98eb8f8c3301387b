"""A bench run at a terminal: a live table while it measures, nothing left of it at the end; plain lines elsewhere."""
# the expected value stands on the left

import os
import re
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.system, pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")]

SHOWN = "\x1b[?25h"  # the cursor comes back
CURSOR = "\x1b[?25l"
STYLES = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture
def at_terminal(measured, environment, interpreter, tmp_path):
    """Run `suite bench` on the user's workload with a terminal of 100 columns; returns exit code and what it shows."""
    import pty

    def run(**variables):
        ours, theirs = pty.openpty()
        kept = {name: value for name, value in environment.items() if name not in ("CI", "NO_COLOR", "FORCE_COLOR")}
        command = [
            *(interpreter, "-P", "-m", "suite", "bench", "--quick", "--expect=off", "--load", measured[0] / "lab.py"),
            *("--workload=tiny", "--technique=doubled", "--technique=baseline", "--device=cpu"),
        ]
        env = {**kept, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30", **variables}
        ends = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        child = subprocess.Popen(list(map(str, command)), cwd=tmp_path, env=env, **ends)
        os.close(theirs)
        said = _read(ours)
        return child.wait(60), said

    return run


def _read(terminal):
    parts = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux's way to say that the other side was closed
            part = b""
        if not part:
            os.close(terminal)
            return b"".join(parts).decode()
        parts.append(part)


def test_a_run_at_a_terminal_shows_its_cells_and_erases_the_table(at_terminal):
    """No letters of pytest between the drawings, and the summary as ever."""
    code, said = at_terminal()
    assert 0 == code, said
    live, _, summary = said.rpartition(SHOWN)
    assert "cells 0 of 2" in live
    assert "timed; nothing is drawn meanwhile" in live
    assert re.search(r"training \S+, seed 0", live)
    assert live.count(CURSOR) == 1
    assert re.search(r"[\d.]+ % +[\d.]+x", STYLES.sub("", live)), "score and speed-up, though nothing is judged"
    assert "trade-offs" in summary
    assert "Iterations" not in summary, "the table of pytest-benchmark"
    assert "cells 1 of 2" not in summary
    assert re.search(r"\d+ passed", summary)


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}])
def test_in_ci_and_on_a_dumb_terminal_a_run_has_one_line_a_seed(at_terminal, variables):
    code, said = at_terminal(**variables)
    assert 0 == code, said
    assert "now:" not in said
    assert CURSOR not in said
    assert re.search(r"training tiny baseline: seed 0, epoch (\d+)/\1", said)
