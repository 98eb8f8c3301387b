"""Networks that ended with a wrong figure, a traceback or somebody else's words: each with what is right."""
# the expected value stands on the left

import json
import re

import pytest

pytestmark = pytest.mark.system

MEASURED, REFUSED = 0, 11
PLAIN = ("baseline",)


@pytest.fixture
def bench(run, folder):
    """``bench(name, techniques)``: quality and sizes of the folder's own workloads."""

    def measured(name, techniques=PLAIN):
        text = (folder(name) / "bench.py").read_text("utf-8")
        workloads = re.findall(r"^@workload.*\n(?:@.*\n)*def (\w+)", text, re.MULTILINE)
        chosen = [f"--workload={one}" for one in workloads] + [f"--technique={one}" for one in techniques]
        return run(
            name, "bench", "--quick", "--seeds=1", "--device=cpu", "--expect=off", "-k", "quality or size", *chosen
        )

    return measured


@pytest.mark.parametrize(
    ("name", "techniques", "said"),
    [
        ("04", ("magnitude_pruning",), r"a copy of it computes with the original's weights.*bench\.py:\d+"),
        ("18", PLAIN, r"labels must be whole numbers from 0 to 1; subtract 1 from the labels.*bench\.py:\d+"),
        ("21", PLAIN, r"the names have the prefix of DataParallel"),
        ("23", PLAIN, r"bench\.py'?: it parses the command line when it is imported.*bench\.py:\d+"),
    ],
)
def test_a_fault_of_the_workload_is_one_message_with_its_line_and_a_remedy(bench, name, techniques, said):
    """Each fault is printed once before anything trains."""
    done = bench(name, techniques)
    text = done.stdout + done.stderr
    assert REFUSED == done.returncode, text
    assert re.search(said, text, re.DOTALL), text
    assert "Traceback" not in text


def test_a_checkpoint_that_was_not_loaded_is_remarked(bench):
    """Two builds have other weights, so they are not from the file."""
    done = bench("20")
    assert MEASURED == done.returncode, done.stdout
    assert "differ between two builds, so they are not from the checkpoint" in done.stdout


@pytest.mark.parametrize(
    ("name", "techniques"),
    [
        ("02", PLAIN),
        ("05", ("magnitude_pruning",)),
    ],
)
def test_a_network_as_users_have_them_is_measured(bench, folder, name, techniques):
    """Or its technique is unavailable with a reason; nothing is an error."""
    done = bench(name, techniques)
    assert MEASURED == done.returncode, done.stdout[-3000:] + done.stderr
    lines = (folder(name) / "reports" / "latest" / "results.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [] == [one["reason"] for one in records if one["type"] == "failure" and one["kind"] == "error"]
    assert any(one["type"] == "measurement" for one in records)
