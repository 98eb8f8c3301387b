"""What a user gets wrong ends with exit code 11 and one sentence that says how to mend it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.system

UNUSABLE = 11


def _one_sentence(done, code=UNUSABLE) -> str:
    """The line that tells what was wrong; there is exactly one, and no traceback."""
    text = done.stdout + done.stderr
    assert code == done.returncode, text
    assert "Traceback" not in text
    told = [line for line in text.splitlines() if "suite: " in line]
    assert 1 == len(told), text
    return told[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--technique=structured_prunning"], "unknown technique 'structured_prunning'; did you mean structured_prun"),
        (["--workload=digit_cnn"], "unknown workload 'digit_cnn'; did you mean digits_cnn"),
        (["--precision=bf17"], "unknown precision 'bf17'; did you mean bf16"),
        (["--technique=structured_pruning(ration=0.5)"], "unknown parameter of structured_pruning 'ration'; did you"),
        (["--technique=structured_pruning(ratio=1.5)"], "ratio must be in [0, 1), got 1.5"),
        (["--technique=static_int8+structured_pruning"], "write structured_pruning(ratio=0.5,epochs=5)+static_int8"),
        (["--load=no_such_file.py"], "cannot load 'no_such_file.py': there is no such file"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_name_or_value_that_cannot_be_used_ends_in_one_sentence(suite, tmp_path, arguments, said):
    """The sentence names what was wrong, and the nearest name or the right order; nothing is written."""
    assert said in _one_sentence(suite("bench", "--device=cpu", "--quick", *arguments, cwd=tmp_path))
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("device", "said"),
    [("gpux", "unknown device 'gpux'; did you mean gpu"), ("cuda:99", "cuda")],
    ids=["name", "index"],
)
def test_a_device_that_is_not_there_ends_in_one_sentence(suite, tmp_path, device, said):
    """A misspelt device gets the nearest name; one that this machine lacks gets what is there instead."""
    assert said in _one_sentence(suite("bench", f"--device={device}", "--quick", cwd=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-n", "2"], "a gate needs one process: timings disturb each other under xdist"),
        (["--benchmark-disable"], "a gate needs its timings: run it without --benchmark-disable"),
        (["--benchmark-skip"], "a gate needs its timings: run it without --benchmark-skip"),
    ],
    ids=["xdist", "disable", "skip"],
)
def test_a_gate_that_would_not_see_its_figures_refuses_to_look_green(bench, lab, arguments, said):
    """A run that could measure nothing, or nothing reliable, must not end with exit code 0."""
    assert said in _one_sentence(bench("--workload=tiny", "--technique=doubled", *arguments, cwd=lab))


def test_a_gate_that_was_left_nothing_to_measure_has_a_code_of_its_own(bench, lab):
    """pytest's 5 would do, but tools take it for success now and then."""
    done = bench("--workload=tiny", "--technique=doubled", "-k", "nothing", cwd=lab)
    assert "nothing was collected, so nothing is gated" in _one_sentence(done, 12)


def test_a_file_in_place_of_the_reports_folder_ends_in_one_sentence(bench, lab):
    """What cannot be written is found before anything is measured."""
    (lab / "reports").write_text("in the way", "utf-8")
    done = bench("--workload=tiny", "--technique=doubled", cwd=lab)
    told = _one_sentence(done)
    assert "cannot write reports" in told
    assert "--reports-dir" in told
    assert "training tiny" not in done.stdout
    assert "in the way" == (lab / "reports").read_text("utf-8")


def test_a_malformed_expectation_file_is_named_with_its_line_before_anything_is_measured(recorded, bench):
    """Recording into it would have to guess: nothing is written, neither there nor under reports."""
    file = recorded / "expectations" / "any" / "tiny.toml"
    text = file.read_text("utf-8")
    number = text[: text.index("better = ")].count("\n") + 1
    broken = text.replace('better = "higher"', 'better = "faster"', 1)
    file.write_text(broken, "utf-8")
    told = _one_sentence(bench("--workload=tiny", "--technique=doubled", "--expect=record", cwd=recorded))
    assert f"expectations/any/tiny.toml:{number}: " in told
    assert broken == file.read_text("utf-8")
    assert not (recorded / "reports").exists()


def test_a_workload_that_is_declared_twice_names_both_places(lab, bench):
    """The second registration of a name is an error with both lines."""
    (lab / "again.py").write_text((lab / "lab.py").read_text("utf-8"), "utf-8")
    told = _one_sentence(bench("--load=again.py", "--workload=tiny", cwd=lab))
    assert "workload 'tiny' is registered twice: first at " in told
    assert "lab.py:" in told
    assert "again.py:" in told


def test_a_user_file_that_cannot_be_imported_ends_in_one_sentence_with_its_line(lab, suite):
    """A mistake in the user's file is told with file and line, not with the suite's own traceback."""
    (lab / "broken.py").write_text("import os\nraise RuntimeError('half written')\n", "utf-8")
    told = _one_sentence(suite("bench", "--device=cpu", "--load=broken.py", cwd=lab))
    assert "half written" in told
    assert "broken.py" in told
