"""A terminal that knows ASCII alone, and a disk without room: the run ends as it should, in plain sentences."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.system

UNUSABLE = 11
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SMALL = "mount -t tmpfs -o size=16k none full && exec"  # as root of a namespace of its own


def test_a_terminal_that_knows_ascii_alone_gets_escapes_for_the_rest(lab, bench):
    """A user's words hold what it cannot show; the run ends with its own code."""
    text = (lab / "lab.py").read_text("utf-8")
    (lab / "lab.py").write_text(text.replace("the images are not", "§ the images are not"), "utf-8")
    done = bench("--workload=unreadable", "--technique=baseline", "--expect=off", cwd=lab, env=ASCII)
    assert UNUSABLE == done.returncode, done.stdout + done.stderr
    assert "\\xa7 the images are not where they were" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="a file system in memory, mounted in a namespace")
def test_a_full_disk_is_one_sentence_that_names_the_file(lab, environment, calm):
    (lab / "full").mkdir()
    arguments = ["bench", "--device=cpu", "--quick", "--load=lab.py", "--workload=tiny", "--technique=baseline"]
    arguments += ["--expect=off", "--reports-dir=full", *calm]
    shell = ["sh", "-c", f'{SMALL} "$@"', "sh", sys.executable, "-P", "-m", "suite", *arguments]
    done = _in_a_namespace(shell, lab, environment)
    text = done.stdout + done.stderr
    assert UNUSABLE == done.returncode, text
    told = [line for line in text.splitlines() if "No space left on device" in line]
    assert 1 == len(told), text
    assert "full/" in told[0]
    assert "Traceback" not in text


def _in_a_namespace(command, folder, environment):
    unshare = shutil.which("unshare")
    inside = [unshare or "unshare", "--user", "--map-root-user", "--mount"]
    probe = [*inside, "sh", "-c", "mount -t tmpfs none full"]
    if unshare is None or subprocess.run(probe, cwd=folder, check=False, capture_output=True).returncode != 0:
        pytest.skip("nobody may mount a file system here")
    return subprocess.run(
        [*inside, *command], cwd=folder, env=environment, timeout=150, capture_output=True, text=True, check=False
    )
