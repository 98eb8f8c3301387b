"""``suite curves run --quick`` from end to end, killed once and resumed; ``suite curves fit`` on a user's file."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.system
POINTS = 20  # of the quick profile: four curves of five


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def killed_after(points, folder, environment):
    """Kill a quick run once so many points are kept; its folder."""
    command = [sys.executable, "-P", "-m", "suite", "curves", "run", "--quick"]
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True) as running:
        end = time.monotonic() + 300
        while time.monotonic() < end and running.poll() is None:
            found = next(folder.glob("reports/*-curves/points.csv"), None)
            if found is not None and len(rows(found)) >= points:
                break
            time.sleep(0.1)
        os.killpg(running.pid, signal.SIGKILL)
    return next(folder.glob("reports/*-curves"))


@pytest.mark.timeout(900)
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="process groups and signals of POSIX")
def test_a_killed_quick_run_is_resumed_and_reported(tmp_path, environment, suite):
    """What was kept is not trained again; every curve has its section and its rows."""
    folder = killed_after(3, tmp_path, environment)
    before = rows(folder / "points.csv")
    done = suite("curves", "run", "--quick", f"--resume={folder}", cwd=tmp_path, timeout=600)
    assert 0 == done.returncode, done.stdout + done.stderr
    after = rows(folder / "points.csv")
    assert POINTS == len(after)
    assert before == after[: len(before)]
    assert 4 == (folder / "curves.md").read_text("utf-8").count("\n## ")
    assert POINTS == len(rows(folder / "means.csv"))
    assert "extrapolate" in {row["family"] for row in rows(folder / "families.csv")}


def test_a_users_points_are_fitted_and_mistakes_are_one_line(tmp_path, suite):
    """A table on the screen and in the folder; a column that is not there is guessed."""
    lines = [f"{10 * 2**k},{2 + 9 * (10 * 2**k) ** -0.5 + 0.01 * (-1) ** k:.4f}" for k in range(9)]
    (tmp_path / "losses.csv").write_text("\n".join(["tokens,loss", *lines]))
    command = ("curves", "fit", "losses.csv", "--x", "tokens", "--y", "loss", "--family", "pow3", "logarithm")
    done = suite(*command, "--to", "1e4", "--target", "1.5", "--out", "fitted", cwd=tmp_path)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "AICc prefers pow3" in done.stdout
    assert "1.5 is unreachable at 95%" in done.stdout
    assert {"fit.md", "families.csv"} <= {path.name for path in (tmp_path / "fitted").iterdir()}
    wrong = suite("curves", "fit", "losses.csv", "--x", "token", "--y", "loss", cwd=tmp_path)
    assert 11 == wrong.returncode
    assert "did you mean tokens?" in wrong.stderr
    assert "Traceback" not in wrong.stderr
