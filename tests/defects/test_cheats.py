"""Techniques that cheat, a few lines each: each is an error of its cell, or has no effect; no run with one passes."""
# the expected value stands on the left

import json
import shutil

import pytest

pytestmark = pytest.mark.system

BENCH = ("bench", "--quick", "--device", "cpu", "--workload", "wine", "--expect=report", "--technique")
CAUGHT = {
    "applied_test": "technique 'applied_test' reads the test part of the data",
    "by_identity": "do not follow its inputs",
    "by_shape": "do not follow its inputs",
    "by_content": "times as fast on inputs that it has been given before",
    "last_answer": "times as fast on inputs that it has been given before",
    "lazy_tensor": "its work may not be done when it returns",
    "mutates": "changes the inputs that it is given",
    "half_batch": "half_batch cpu: ",
    "one_item": "at batch 1 answer otherwise than",
    "while_collector_off": "answer otherwise than",
    "slow_linear": "it replaced torch.nn.modules.linear.Linear.forward",
    "patches_check": "suite.measure.speed.check has been replaced",
    "cheap_forward": "the timed step is not the training step",
    "thread_pool": "implausible",
}
BEFORE_TIMING = {
    "test_training": "reads the test part of the data",
    "memorised": "reads the test part of the data",
    "part_of_sealed": "finishing reads the test part of the data",
    "sealed_part": "finishing reads the test part of the data",
    "quantize_getattribute": "quantizing reads the test part of the data",
    "model_test": "building the network reads the test part of the data",
    "prepare_test": "preparing reads the test part of the data",
    "prepare_train": "the slot prepare changes 0.weight of the network",
    "deploy_test": "deploying reads the test part of the data",
    "answers_test": "serving reads the test part of the data",
    "trains_five_times": "the technique's launch Launched calls train() more than once",
    "launch_test": "training reads the test part of the data",
    "launch_train": "the technique's launch Launched leaves other weights",
    "easy_data": "easy_data changes the test inputs when their targets are put into another order",
    "extra_steps": "training reads the test part of the data",
}


@pytest.mark.parametrize("technique", CAUGHT)
def test_a_technique_that_cheats_is_an_error_of_its_cell(run, technique):
    done = run("attacks", *BENCH, technique)
    assert done.returncode in (1, 11), done.stdout[-3000:]  # 11: what the whole process says does not count
    assert CAUGHT[technique] in done.stdout.replace("\n", " ")


def test_a_technique_that_reads_test_data_or_trains_unseen_is_an_error_before_anything_is_timed(run, folder):
    """Fifteen of them in one process: each is its own cell's error."""
    chosen = [f"--technique={name}" for name in BEFORE_TIMING]
    done = run("attacks", *BENCH[:-1], *chosen, "-k", "quality or size")
    assert done.returncode in (1, 11), done.stdout[-3000:]
    lines = (folder("attacks") / "reports" / "latest" / "results.jsonl").read_text("utf-8").splitlines()
    failures = [record for record in map(json.loads, lines) if "failure" == record["type"]]
    reasons = {record["cell"]["technique"].partition("(")[0]: record["reason"] for record in failures}
    assert {} == {name: reasons.get(name) for name, said in BEFORE_TIMING.items() if said not in reasons.get(name, "")}


HIDDEN = {
    "ghost_runtime": "the artefact of ghost_runtime has 1 bytes",
    "numpy_weights": "the artefact of numpy_weights has 16 bytes",
    "as_buffers": "as_buffers has turned 271363 parameters into buffers",
}


def test_what_is_hidden_from_a_size_is_an_error(run):
    chosen = [f"--technique={name}" for name in HIDDEN]
    done = run("attacks", *BENCH[:-2], "--expect=report", "--load=hidden.py", "-k", "quality or size", *chosen)
    text = done.stdout.replace("\n", " ")
    assert done.returncode in (1, 11), text[-3000:]
    assert [] == [name for name, said in HIDDEN.items() if said not in text], text[-3000:]


def test_a_cache_that_admits_late_is_an_error_of_its_cell(run):
    done = run("attacks", *BENCH, "hot_cache", "--load=hidden.py", "-k", "speed")
    assert done.returncode in (1, 11), done.stdout[-3000:]
    assert "times as fast on inputs that it has been given before" in done.stdout.replace("\n", " ")


def test_a_step_without_validation_data_is_timed_with_them(run):
    """What was cheap only while it was timed is timed as it trains: no faster than the baseline's."""
    done = run("attacks", *BENCH, "cheap_step")
    assert 0 == done.returncode, done.stdout[-3000:]


def test_what_is_done_to_a_network_that_is_referred_to_does_not_slow_the_baseline(run):
    """The hook is on a copy: the cell is measured, and is no faster than the baseline."""
    done = run("attacks", *BENCH, "sabotage")
    assert 0 == done.returncode, done.stdout[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.strip().startswith("sabotage ")]
    speed_up = float(line.split("x [")[0].split()[-1])
    assert speed_up < 1.5


@pytest.mark.parametrize("conftest", ["conftest_fails.py", "conftest_sessionfinish.py"])
def test_a_conftest_cannot_decide_the_exit_code(run, folder, conftest):
    where = folder("attacks")
    shutil.move(where / conftest, where / "conftest.py")
    assert 0 != run("attacks", *BENCH, "one_item").returncode
