"""The files for clusters: their syntax, and that each task asks for a shard of its own."""
# the expected value stands on the left

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from suite.bench.shard import Shard

FOLDER = Path(__file__).parents[2] / "docs" / "cluster"
SLURM, KUBERNETES = FOLDER / "slurm.sh", FOLDER / "kubernetes.yaml"
FAKE = '#!/bin/sh\nprintf "%s\\n" "$@"\n'

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


@pytest.fixture
def asked(tmp_path):
    """``asked(*bash, **variables)`` runs bash with a ``suite`` that tells what it was asked for."""
    command = tmp_path / "suite"
    command.write_text(FAKE, "utf-8")
    command.chmod(0o755)

    def run(*arguments, **variables):
        environ = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **variables}
        done = subprocess.run(
            [shutil.which("bash") or "bash", *arguments], env=environ, capture_output=True, text=True, check=False
        )
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout.splitlines()

    return run


def shards(told):
    return {str(Shard.parse(words[words.index("--shard") + 1])) for words in told}


def folders(told):
    return {words[words.index("--reports-dir") + 1] for words in told}


def test_each_task_of_slurm_measures_a_shard_into_a_folder_of_its_own(asked):
    """On a node for itself; an earlier run balances them where one is named."""
    common = {"SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_JOB_ID": "77", "SLURM_SUBMIT_DIR": "/home/me/repository"}
    told = [asked(str(SLURM), SLURM_ARRAY_TASK_ID=str(task), **common) for task in range(1, 5)]
    assert {"1/4", "2/4", "3/4", "4/4"} == shards(told)
    assert {f"/home/me/repository/reports/77/{task}" for task in range(1, 5)} == folders(told)
    assert not any("--durations" in words for words in told)
    balanced = asked(str(SLURM), SLURM_ARRAY_TASK_ID="1", DURATIONS="reports/last night", **common)
    assert "reports/last night" == balanced[balanced.index("--durations") + 1]
    assert {"#SBATCH --array=1-4", "#SBATCH --exclusive"} <= set(SLURM.read_text("utf-8").splitlines())


def test_each_pod_of_kubernetes_measures_a_shard_into_a_folder_of_its_own(asked):
    """No two on one node; a pod that found a regression is not started again."""
    job = yaml.safe_load(KUBERNETES.read_text("utf-8"))["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert ["bash", "-c"] == container["command"]
    told = [asked("-c", *container["args"], JOB_COMPLETION_INDEX=str(number)) for number in range(job["completions"])]
    assert {f"{number}/4" for number in range(1, 5)} == shards(told)
    assert 4 == len(folders(told))
    assert ("Indexed", 0, "Never") == (job["completionMode"], job["backoffLimit"], pod["restartPolicy"])
    (rule,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert rule["labelSelector"]["matchLabels"] == job["template"]["metadata"]["labels"]
    assert container["resources"]["requests"] == container["resources"]["limits"]
