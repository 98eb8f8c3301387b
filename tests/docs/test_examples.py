"""The techniques and workloads of CONTRIBUTING and of the documentation run as they stand there."""
# the expected value stands on the left

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "CONTRIBUTING.md", ROOT / "docs" / "techniques.md")
EXAMPLES = {
    name: code
    for page in PAGES
    for name, code in re.findall(r"```python (\w+)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
}


def test_every_python_example_is_one_that_is_run():
    """A block without a name would be run by nobody."""
    blocks = sum(page.read_text("utf-8").count("```python") for page in PAGES)
    assert {"technique", "workload", "finish", "loss", "flags", "runtime"} == set(EXAMPLES)
    assert blocks == len(EXAMPLES)


@pytest.mark.system
@pytest.mark.timeout(600)
def test_the_examples_run_on_the_example(tmp_path, suite):
    """Each technique of the pages on the workload of CONTRIBUTING: exit code 0, nothing is an error."""
    loads = []
    for name, code in EXAMPLES.items():
        (tmp_path / f"example_{name}.py").write_text(code, "utf-8")
        loads.append(f"--load=example_{name}.py")
    techniques = ("baseline", "served_twice", "clipped_weights", "self_distillation", "tf32", "numpy_matmul")
    command = ["bench", "--quick", "--seeds=1", "--device=cpu", *loads, "--workload=irises"]
    done = suite(*command, *(f"--technique={name}" for name in techniques), cwd=tmp_path, timeout=600)
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-2000:]
    table = (tmp_path / "reports" / "latest" / "tradeoffs.md").read_text("utf-8")
    assert all(name in table for name in techniques)
