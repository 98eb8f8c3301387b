"""What a bench run says at its end: lines that fit, and nothing of others' unless asked for."""
# the expected value stands on the left

import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import header

from suite.bench.options import Options
from suite.bench.pytest_plugin import output
from suite.bench.pytest_plugin.output import (
    hush_benchmark_table,
    idle_timings,
    nothing_gated,
    recordable,
    time_lines,
    width_of,
)
from suite.core import phases
from suite.core.metrics import measured
from suite.core.records import Cell, Expectation, ShapeExpectation, Verdict, VerdictKind
from suite.registry.settings import PACKAGE

SPENT = {"imports": 12.34, "training": 100.0, "fresh_process": 7.0, "speed": 3.21, phases.OTHER: 1.5}


FAKE = SimpleNamespace(OTHER=phases.OTHER, totals=lambda: SPENT, overhead=lambda: 0.0123)


def test_the_time_line_is_one_line_where_there_is_room(monkeypatch):
    """Every phase with its seconds, then the harness and its share."""
    monkeypatch.setattr(output, "phases", FAKE)
    expected = (
        "time: imports and data 12.3 s, training 100.0 s, fresh processes 7.0 s, speed 3.2 s, "
        "harness 1.5 s (1.2 % of the time without imports and fresh processes)"
    )
    assert [expected] == time_lines(200)


@given(width=st.integers(80, 200))
def test_the_time_line_is_broken_between_its_parts(width):
    """No line is wider than the terminal, and no part is torn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "phases", FAKE)
        lines = time_lines(width)
        assert max(map(len, lines)) <= width
        assert time_lines(999)[0] == " ".join(line.strip() for line in lines)


@pytest.mark.parametrize(("expected", "columns"), [(80, 40), (80, 80), (133, 133)])
def test_a_line_is_as_wide_as_the_terminal_and_80_at_least(expected, columns):
    """A pipe or a tiny window still gets tables that can be read."""
    assert expected == width_of(SimpleNamespace(_tw=SimpleNamespace(fullwidth=columns)))


@pytest.mark.parametrize(
    ("expected", "verbose", "arguments"),
    [
        (True, False, ["-q"]),
        (True, False, ["-k", "vv"]),
        (False, False, ["-q", "-v"]),
        (False, False, ["-vv"]),
        (False, False, ["--verbose"]),
        (False, True, []),
    ],
)
def test_the_table_of_pytest_benchmark_is_shown_on_request_only(expected, verbose, arguments):
    """-v or --benchmark-verbose asks for it."""
    theirs = SimpleNamespace(verbose=verbose, quiet=False)
    config = SimpleNamespace(_benchmarksession=theirs, invocation_params=SimpleNamespace(args=tuple(arguments)))
    hush_benchmark_table(config)
    assert expected is theirs.quiet


def test_a_run_without_pytest_benchmark_has_no_table_to_hide():
    """The gate refuses that elsewhere, with a sentence."""
    hush_benchmark_table(SimpleNamespace(invocation_params=SimpleNamespace(args=())))


CHATTY = """
import json, logging
import pytest
from suite.bench.pytest_plugin.output import hush_benchmark_table

@pytest.fixture
def hushed(request):
    hush_benchmark_table(request.config)

def test_timed(benchmark, hushed):
    benchmark.pedantic(lambda: None, rounds=3)

def test_failing():
    log = logging.getLogger("torch.__trace")
    log.setLevel(logging.DEBUG)
    log.debug("a line of a " + "trace")
    log.warning("a word of " + "warning")
    raise AssertionError
"""


@pytest.fixture
def chatty(tmp_path):
    """Run a chatty test file under the suite's own configuration; returns what pytest prints."""
    (tmp_path / "test_chatty.py").write_text(CHATTY, "utf-8")
    config = PACKAGE / "bench" / "benchmarks" / "pytest.ini"

    def run(*arguments):
        command = [sys.executable, "-m", "pytest", "-c", str(config), f"--rootdir={tmp_path}", "test_chatty.py"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}  # xdist's too
        environment = {**kept, "PYTHONPATH": str(PACKAGE.parent)}
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    return run


@pytest.mark.system  # seconds for a pytest of its own
def test_a_run_prints_neither_the_table_of_pytest_benchmark_nor_traces_and_stores_its_json(chatty, tmp_path):
    """The storage of pytest-benchmark works as ever, warnings stay in a failure's section."""
    said = chatty("-q", "--benchmark-json=stored.json")
    assert "Name (time in" not in said
    assert 1 == len(json.loads((tmp_path / "stored.json").read_text("utf-8"))["benchmarks"])
    assert "a word of warning" in said
    assert "a line of a trace" not in said


@pytest.mark.system  # likewise
def test_asked_for_more_a_run_prints_the_table_of_pytest_benchmark(chatty):
    """-v brings it back."""
    assert "Name (time in" in chatty("-v")


def test_timings_of_a_process_that_is_not_quiet_are_not_proposed_for_recording():
    """`suite record` would refuse them."""
    cell = Cell(workload="w", technique="t", device="cpu")
    speed, size = (
        Verdict(kind=VerdictKind.UNVERIFIED, cell=cell, metric=metric, group=group)
        for metric, group in (("speedup", "speed"), ("macs", "size"))
    )
    assert [size] == recordable([speed, size], quiet=False)
    assert [speed, size] == recordable([speed, size], quiet=True)


def test_a_gate_that_compared_nothing_says_so():
    """The first run in a new repository has no expectation; green would be misunderstood."""
    cell = Cell(workload="w", technique="t", device="cpu")
    entry = Expectation(
        workload="w", technique="t", metric="macs", level="any", value=1, unit="1", better="lower", tier="exact"
    )
    bare = [Verdict(kind=kind, cell=cell, metric="macs", group="size") for kind in VerdictKind]
    unverified, error = (next(v for v in bare if v.kind == kind) for kind in ("unverified", "error"))
    assert nothing_gated([])
    assert nothing_gated([unverified])
    assert not nothing_gated([unverified, error])
    assert not nothing_gated([unverified, replace(unverified, kind=VerdictKind.PASS, expectation=entry)])
    shape = ShapeExpectation(workload="w", technique="t", metric="macs", level="any", along="x", shape="convex")
    assert not nothing_gated([unverified, replace(unverified, kind=VerdictKind.PASS, shape=shape)])


def test_only_timings_of_a_process_that_is_not_quiet_are_said_not_to_count():
    """Sizes and qualities are the same anywhere; a run without timings has nothing to apologise for."""
    cell = Cell(workload="w", technique="t", device="cpu")
    speed, size = measured(cell, "speedup", 1.0), measured(cell, "macs", 1)
    assert idle_timings([size, speed], quiet=False)
    assert not idle_timings([size], quiet=False)
    assert not idle_timings([size, speed], quiet=True)


@pytest.fixture(autouse=True)
def command(monkeypatch):
    """The command that a report prints, whatever the run was."""
    monkeypatch.setattr(output.commands, "rerun", lambda _, verdict: f"suite bench {verdict.metric}")


def told_to_github(environment, *, problem=None, run=None):
    """The lines that a step of GitHub Actions reads."""
    lines = []
    terminal = SimpleNamespace(line=lambda text, **_: lines.append(text))
    output.tell_github(terminal, run, problem, environment)
    return lines


def broken_run():
    cell = Cell(workload="digits_cnn", technique="nhwc", device="cpu")
    verdict = Verdict(kind=VerdictKind.ERROR, cell=cell, metric="", group="speed", reason="no kernel")
    return SimpleNamespace(header=header(), verdicts=[verdict], options=Options(), arm_ratios={})


def test_outside_of_github_nothing_is_annotated(tmp_path):
    """Not even where a summary's file is named."""
    path = tmp_path / "summary.md"
    assert [] == told_to_github({"GITHUB_STEP_SUMMARY": str(path)}, run=broken_run(), problem="nothing was collected")
    assert not path.exists()


def test_in_a_step_of_github_the_summary_is_appended_and_failures_annotated(tmp_path):
    """Other commands of the step wrote there before."""
    path = tmp_path / "summary.md"
    path.write_text("before\n", "utf-8")
    lines = told_to_github({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(path)}, run=broken_run(), problem="x")
    assert ["::error title=suite::x", "::error title=error speed::digits_cnn nhwc cpu: speed: no kernel"] == lines
    assert path.read_text("utf-8").startswith("before\n## 1 failed: 1 error\n")


def test_a_summary_that_cannot_be_written_is_told(tmp_path):
    """The run's outcome does not depend on it."""
    lines = told_to_github({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path)}, run=broken_run())
    assert lines[-1].startswith(f"suite: no step summary, {tmp_path} cannot be written: ")


def test_a_run_that_cannot_be_believed_as_a_whole_is_an_error_of_its_own(monkeypatch):
    """Its exit code is not 0, though no figure failed."""
    monkeypatch.setattr(output, "doubt_of", lambda _: "not gated: why")
    first, *_ = told_to_github({"GITHUB_ACTIONS": "true"}, run=broken_run())
    assert "::error title=suite::not gated: why" == first


def test_without_a_run_its_problem_alone_is_annotated():
    """Nothing was collected: there is nothing to sum up."""
    assert ["::error title=suite::none"] == told_to_github({"GITHUB_ACTIONS": "true"}, problem="none")
