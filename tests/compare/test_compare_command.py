"""The command `suite compare` around its measurements, which are made up."""
# the expected value stands on the left

import argparse
import json
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import tiny

from suite.bench import selection
from suite.cli import compare
from suite.cli.main import build_parser, main
from suite.compare import measure, outputs, sides
from suite.compare.judge import Timing
from suite.compare.measure import Compared, ComparisonPlan, PairedSides
from suite.compare.protocol import Ready, SideRequest
from suite.compare.sides import Side
from suite.compare.turns import Rounds, Turns
from suite.core.errors import UsageError
from suite.core.machine import core
from suite.measure.counting import instructions

CELL = "halves-baseline-cpu"
SLOW = -0.1053  # logarithm of 0.9
REQUEST = SideRequest(workload="halves", technique="baseline", device="cpu", batch=16)


def side(name, root, python):
    return Side(name=name, root=Path(root), here=Path(root), python=Path(python))


class FakeWorker:
    """Takes no time itself; `play` reads which code and environment it stands for."""

    def __init__(self, side, *_, **__):
        self.side = side

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ready(self):
        return Ready(own_weights=True, torch="2", file="halves.py", forks=True)

    def ask(self, *_, **__):
        return {}


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Report a regression whose causes are made up; returns the exit code."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def run(*, code=1.0, environment=1.0, env="torch==2.14.*", markdown=None):
        seconds = {"new": code, "old": 1.0}, {"new-python": environment, "old-python": 1.0}

        def play(current, reference, *_, **__):
            first, second = (seconds[0][one.side.root.name] * seconds[1][one.side.python.name] for one in
                             (current, reference))  # fmt: skip
            return Rounds(current=[first] * 6, reference=[second] * 6)

        monkeypatch.setattr(measure, "play", play)
        monkeypatch.setattr(measure, "calibrate", lambda *_: Turns(calls=(1, 1), round_seconds=0.02))
        new, old = side("current", "/new", "new-python"), side("HEAD~1", "/old", "old-python")
        bench = PairedSides(
            current=new, reference=old, folder=tmp_path, log=measure.append_to(tmp_path / "compare.jsonl"),
            start=FakeWorker, preload=lambda *_, **__: nullcontext(),
        )  # fmt: skip
        timing = Timing(metric="speed", looked=[SLOW, SLOW] * 2, confirmed=[SLOW, SLOW] * 2, looks=1)
        found = [Compared(cell=CELL, timings=[timing], request=REQUEST)]
        parsed = argparse.Namespace(env=env, markdown=markdown, inconclusive="report")
        return compare._report(
            parsed, found, bench, ComparisonPlan(), tmp_path, code=side("HEAD~1", "/old", "new-python")
        )

    return run


@pytest.mark.parametrize(
    ("code", "environment", "expected"),
    [
        (1.1, 1.0, "slowed by the code (new against old code in the new environment: 0.9091"),
        (1.0, 1.1, "slowed by the environment (new against old code in the new environment: 1.0000"),
        (1.1, 1.2, "slowed by the code and the environment (new against old code in the new environment: 0.9091"),
        (1.0, 1.0, "slowed by neither of the two alone (new against old code in the new environment: 1.0000"),
    ],
)
def test_the_two_by_two_tells_code_and_environment_apart(report, capsys, code, environment, expected):
    """Old code in the new environment, and new code in the old one, each against what is here now."""
    assert 1 == report(code=code, environment=environment)
    said = capsys.readouterr().out
    assert f"{CELL} speed: {expected}" in said
    assert f"new against old environment with the new code: {1 / environment:.4f}" in said


def test_without_another_environment_nobody_is_blamed(report, capsys):
    """There is only the code."""
    report(code=1.1, env=None)
    assert "slowed by" not in capsys.readouterr().out


def test_a_comment_for_the_pull_request_is_written(report, tmp_path):
    """Beside the table, with the same verdict."""
    report(env=None)
    text = (tmp_path / "comment.md").read_text("utf-8")
    assert text.startswith("<!-- suite compare -->\n### suite compare: failed: 1 regressed\n")


def test_the_table_is_printed_even_if_no_file_can_be_written(report, tmp_path, capsys):
    """A disk that is full; what was measured is said, and its exit code stays."""
    (tmp_path / "compare.md").mkdir()
    assert 1 == report(env=None)
    told = capsys.readouterr()
    assert "regressed" in told.out
    assert "compare.md cannot be written: Is a directory" in told.err


def test_a_step_of_github_shows_the_table(report, tmp_path, monkeypatch):
    """Appended to what other commands wrote."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    report(env=None)
    assert summary.read_text("utf-8").startswith("before\n### new against HEAD~1\n\n| cell ")


def test_a_file_for_markdown_takes_the_place_of_the_step_summary(report, tmp_path, monkeypatch):
    """The table is not shown twice; a folder that is not there is made."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    report(env=None, markdown=tmp_path / "more" / "table.md")
    assert "regressed" in (tmp_path / "more" / "table.md").read_text("utf-8")
    assert not (tmp_path / "summary.md").exists()


def test_outside_of_github_there_is_no_step_summary(report, tmp_path, monkeypatch):
    """The variable may be left over."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    report(env=None)
    assert not (tmp_path / "summary.md").exists()


def test_a_step_summary_that_cannot_be_written_is_told_and_changes_no_exit_code(report, tmp_path, monkeypatch, capsys):
    """Its path is a folder."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert 1 == report(env=None)
    assert f"the table is not there, {tmp_path} cannot be written: Is a directory" in capsys.readouterr().err


def test_every_round_is_logged_beside_the_table(report, tmp_path):
    """The last line holds the verdicts as numbers."""
    report(env=None)
    last = json.loads((tmp_path / "compare.jsonl").read_text("utf-8").splitlines()[-1])
    assert ["regressed"] == [one["verdict"] for one in last["timings"]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--markdown={}"], "--markdown {} cannot be written: Is a directory; give a file that can be"),
        (["--markdown={}/file/table.md"], "--markdown {}/file/table.md cannot be written: Not a directory"),
        (["--reports-dir={}/file"], "--reports-dir {}/file cannot be written: Not a directory; give a folder"),
        (["--reports-dir={}/file/reports"], "--reports-dir {}/file/reports cannot be written: Not a directory"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_looked_up(options, said, tmp_path, monkeypatch, capsys):
    """A comparison takes minutes, and a path is wrong from the start."""
    monkeypatch.setattr(sides, "current", lambda _: pytest.fail("the comparison went on"))
    (tmp_path / "file").touch()
    assert 11 == main(["compare", "HEAD", *(option.format(tmp_path) for option in options)])
    assert f"suite: {said.format(tmp_path)}" in capsys.readouterr().err


def test_a_check_of_paths_leaves_nothing_behind(tmp_path):
    """Neither files nor folders."""
    outputs.check_writable("--reports-dir", tmp_path / "reports")
    outputs.check_writable("--markdown", tmp_path / "more", tmp_path / "more" / "table.md")
    assert [] == list(tmp_path.iterdir())


@pytest.fixture
def plans(tmp_path, monkeypatch):
    """Run the command without measuring; returns the plan and whether a core was chosen."""
    here, seen = side("current", tmp_path, "python"), []
    monkeypatch.delenv(core.TAKEN, raising=False)
    monkeypatch.setattr(sides, "current", lambda _: here)
    monkeypatch.setattr(sides, "other", lambda *_, **__: here)
    monkeypatch.setattr(compare, "_report", lambda *_, **__: 0)

    def run(*options, device="cpu", taken=False):
        chosen = []

        @contextmanager
        def aside():
            chosen.append(True)
            if taken:
                monkeypatch.setenv(core.TAKEN, "3")
            yield

        monkeypatch.setattr(core, "aside", aside)
        monkeypatch.setattr(compare, "_one", lambda *arguments: seen.append(arguments[3]))
        monkeypatch.setattr(selection, "named", lambda *_, **__: [a_case(device)])
        parsed = build_parser().parse_args(["compare", "HEAD", f"--reports-dir={tmp_path / 'reports'}", *options])
        compare._compare(parsed, [])
        return seen[-1], bool(chosen)

    return run


def a_case(device):
    return argparse.Namespace(cell=argparse.Namespace(device=device))


def test_a_free_core_raises_no_doubt(plans):
    """The plan is as it was asked for."""
    assert (ComparisonPlan(), True) == plans()


def test_pairs_children_and_seconds_are_those_asked_for(plans):
    """The defaults stand in `ComparisonPlan`."""
    plan, _ = plans("--pairs=3", "--forks=1", "--budget=5")
    assert ComparisonPlan(pairs=3, forks=1, budget=5.0) == plan


@pytest.mark.parametrize("option", ["--pairs=1", "--forks=0", "--budget=0"])
def test_too_few_pairs_children_or_seconds_are_told_with_what_was_given(option, plans):
    """A single pair has no interval."""
    value = option.partition("=")[2]
    with pytest.raises(UsageError, match=rf"at least 2, --forks at least 1 and --budget above 0, got .*\b{value}\b"):
        plans(option)


def test_where_other_runs_hold_all_cores_no_timing_is_trusted(plans):
    """As `suite bench` words it."""
    plan, _ = plans(taken=True)
    assert (
        "another run holds core 3, and no core is free: run this command again when it has ended; "
        "`suite bench` has --wait"
    ) == plan.doubt


def test_several_threads_are_held_to_no_core(plans, monkeypatch):
    """They share all of them."""
    monkeypatch.setenv("SUITE_THREADS", "4")
    assert (ComparisonPlan(), False) == plans()


def test_an_accelerator_needs_no_core(plans, monkeypatch):
    """Nor is it in doubt where the host's cores are taken."""
    monkeypatch.setenv(core.TAKEN, "3")
    assert (ComparisonPlan(), False) == plans(device="cuda:0")


@pytest.mark.parametrize(
    ("options", "expected"), [([], "none"), (["--count"], "served"), (["--count", "--training"], "training")]
)
def test_work_is_counted_where_asked_for(options, expected, plans):
    """That of a training step too, if it is to be compared."""
    plan, _ = plans(*options)
    assert expected == plan.counts


def test_times_without_counts_need_no_option(plans):
    """They are what a comparison takes."""
    with pytest.raises(UsageError, match="--time goes with --count"):
        plans("--time")


@pytest.mark.parametrize("options", [["--cache-sim"], ["--cache-sim", "--count", "--no-instructions"]])
def test_caches_are_simulated_where_instructions_are_counted(options, plans):
    """Valgrind does both."""
    assert plans("--count", "--cache-sim")[0].caches
    with pytest.raises(UsageError, match="--cache-sim goes with --count"):
        plans(*options)


@pytest.mark.parametrize(
    ("options", "metrics", "counts"),
    [
        (["--count"], [], "served"),
        (["--count", "--time"], ["speed", "speed_b1"], "served"),
        (["--count", "--training", "--time"], ["speed", "speed_b1", "train_step"], "training"),
        (["--training"], ["speed", "speed_b1", "train_step"], "none"),
    ],
)
def test_what_is_counted_is_timed_only_if_asked_for(options, metrics, counts, monkeypatch):
    """Counts need no quiet machine."""
    asked = []

    def compared(cell, request, wanted, **details):
        asked.append((list(wanted), details["plan"].counts))
        return Compared(cell=cell, request=request)

    monkeypatch.setattr(measure, "compare_cell", compared)
    parsed = build_parser().parse_args(["compare", "HEAD", *options])
    compare._one(tiny.case_of(tiny.registry(), "baseline"), parsed, None, compare._plan(parsed), None)
    assert [(metrics, counts)] == asked


def test_without_valgrind_the_rest_is_counted_and_the_command_that_installs_it_is_told(monkeypatch, capsys):
    """A comparison is not ended for that."""
    monkeypatch.setattr(instructions.shutil, "which", lambda _: None)
    plan = compare._with_instructions(ComparisonPlan(counts="served", instructions=True), "cpu")
    assert (False, "served") == (plan.instructions, plan.counts)
    assert "valgrind is not installed: apt-get install valgrind gcc" in capsys.readouterr().out
