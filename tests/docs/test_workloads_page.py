"""The workloads of the documentation's page run as they stand there, with every default technique."""
# the expected value stands on the left

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from brief_timing import brief

PAGE = Path(__file__).parents[2] / "docs" / "workloads.md"
EXAMPLES = dict(re.findall(r"```python (\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
NAMES = {
    "checkpoint": "resnet18_checkpoint",
    "artefact": "digits_matrix",
    "regression": "diabetes",
    "text": "snippets",
    "volumes": "volumes",
    "language": "bytes_of_argparse",
}


TIMED = "regression"


def test_the_page_declares_six_workloads():
    """One of each kind that users bring."""
    assert set(NAMES) == set(EXAMPLES)


def checkpoint(folder):
    from torchvision.models import resnet18

    torch.manual_seed(0)
    torch.save(resnet18(num_classes=4).state_dict(), folder / "resnet18.pt")


def artefact(folder):
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    weights = np.linalg.lstsq(images[:900] / 16, np.eye(10)[labels[:900]])[0]
    np.save(folder / "weights.npy", weights.astype("float32"))
    np.save(folder / "half.npy", weights.astype("float16"))


FILES = {"checkpoint": checkpoint, "artefact": artefact}


@pytest.mark.system
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", sorted(NAMES))
def test_every_default_technique_measures_or_says_why_not(kind, tmp_path, suite):
    """Exit code 0, and no cell is an error: what a network cannot take is unavailable with a reason.

    Of one of the six all groups are measured; the other five are not timed, which would take ten minutes.
    """
    (tmp_path / "example.py").write_text(EXAMPLES[kind] + brief(seconds=0.2), "utf-8")
    FILES.get(kind, lambda _: None)(tmp_path)
    command = ["bench", "--quick", "--seeds=1", "--device=cpu"]
    command += ["--load=example.py", f"--workload={NAMES[kind]}"]
    if kind != TIMED:
        command += ["--partial", "-k", "quality or size"]
    done = suite(*command, cwd=tmp_path, timeout=900)
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-2000:]
    results = (tmp_path / "reports" / "latest" / "results.jsonl").read_text("utf-8")
    records = [json.loads(line) for line in results.splitlines()]
    failures = [record for record in records if record["type"] == "failure"]
    assert {"unavailable"} >= {failure["kind"] for failure in failures}
    assert all(failure["reason"] for failure in failures)
    measured = {record["cell"]["technique"] for record in records if record["type"] == "measurement"}
    assert "baseline" in measured
