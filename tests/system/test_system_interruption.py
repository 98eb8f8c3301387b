"""A run that is stopped keeps what it measured, and can be finished without measuring it again."""

from __future__ import annotations

import signal

import pandas as pd
import pytest

pytestmark = pytest.mark.system

INTERRUPTED = 2
ARGUMENTS = (
    "--device=cpu",
    "--quick",
    "--load=lab.py",
    "--workload=tiny",
    "--technique=baseline",
    "--technique=patient",
    "--wait",  # beside other runs: what was measured on a core of its own is resumed on one
)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="process groups and signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "timeout"])
def test_a_stopped_run_keeps_the_figures_and_resuming_measures_only_what_is_missing(
    start, suite, records, calm, number
):
    """Exit code 2, tables and the pointer are written; the resumed run adds the second cell to the same folder.

    A terminal sends SIGINT to the whole group, `timeout` and CI send it SIGTERM.
    """
    running = start(*ARGUMENTS, *calm)
    lab = running.folder
    folder = running.wait_for("baseline", "size")
    code = running.stop(number)
    assert INTERRUPTED == code, running.output
    assert "groups of metrics were measured; the run was ended" in running.output
    assert f"go on with the same command and --resume reports/{folder.name}" in running.output

    before = records(folder / "results.jsonl", "measurement")
    assert {"baseline"} == {one["cell"]["technique"] for one in before}
    assert {"accuracy", "parameters"} <= {one["metric"] for one in before}
    assert {"baseline"} == set(pd.read_csv(folder / "results.csv")["technique"])
    assert ["baseline"] == list(pd.read_csv(folder / "tradeoffs.csv")["technique"])
    assert folder.resolve() == (lab / "reports" / "latest").resolve()

    (lab / "open").touch()
    resumed = suite("bench", *ARGUMENTS, *calm, f"--resume={folder.relative_to(lab)}", cwd=lab)
    assert 0 == resumed.returncode, resumed.stdout + resumed.stderr
    after = records(folder / "results.jsonl", "measurement")
    assert before == after[: len(before)]
    assert {"patient"} == {one["cell"]["technique"] for one in after[len(before) :]}
    assert ["baseline", "patient"] == list(pd.read_csv(folder / "tradeoffs.csv")["technique"])
    assert 1 == len([path for path in (lab / "reports").iterdir() if not path.is_symlink()])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="process groups and signals of POSIX")
def test_a_killed_run_can_still_be_reported(start, lab, suite, calm):
    """No handler ran, yet every figure that was judged is on disk."""
    running = start(*ARGUMENTS, *calm)
    folder = running.wait_for("baseline", "size")
    running.stop(signal.SIGKILL)
    reported = suite("report", str(folder.relative_to(lab)), cwd=lab)
    assert 0 == reported.returncode, reported.stdout + reported.stderr
    assert "baseline" in reported.stdout
    assert ["baseline"] == list(pd.read_csv(folder / "tradeoffs.csv")["technique"])


def test_a_run_with_other_settings_cannot_be_resumed(measured, bench, lab):
    """Figures of different profiles or seeds are never mixed in one folder."""
    run = (measured[0] / "reports" / "latest").resolve()
    done = bench("--workload=tiny", "--technique=doubled", "--seeds=2", f"--resume={run}", cwd=lab)
    assert 11 == done.returncode, done.stdout + done.stderr
    assert "cannot be resumed: its values come from other seeds" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
