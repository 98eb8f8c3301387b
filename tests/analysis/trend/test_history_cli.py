"""`suite history import` adds the folders of earlier runs, `suite trend` reports, and says why it cannot."""
# the expected value stands on the left

from dataclasses import replace
from pathlib import Path

import pytest
import samples

from suite.analysis.trend.chosen import since_of
from suite.cli.bench import _pytest_arguments
from suite.cli.main import build_parser, main
from suite.report.history.entries import of_run
from suite.report.history.file import append, path_of
from suite.report.results.folder import RunFolder


def test_folders_are_added_once(tmp_path, capsys):
    """The second time nothing is new, and the command says so."""
    folder = RunFolder.create(tmp_path, samples.header())
    folder.append(*samples.RUN)
    command = ["history", "import", str(folder.path), "--reports-dir", str(tmp_path)]
    path = tmp_path / "history" / "cpu-x86_64-test-2c.jsonl"
    assert 0 == main(command)
    assert f"{folder.path}: {len(samples.RUN)} figures added to {path}\n" == capsys.readouterr().out
    assert 0 == main(command)
    assert f"{folder.path}: 0 figures added to {path}\n" == capsys.readouterr().out


def test_a_torn_line_is_told(tmp_path, capsys):
    """It is passed over, not lost."""
    path = tmp_path / "history" / "cpu-x86_64-test-2c.jsonl"
    path.parent.mkdir()
    path.write_text('{"run": "x', "utf-8")
    folder = RunFolder.create(tmp_path, samples.header())
    assert 0 == main(["history", "import", str(folder.path), "--reports-dir", str(tmp_path)])
    assert f"{path}:1: passed over" in capsys.readouterr().out


@pytest.mark.parametrize(("expected", "given"), [(True, ["--history"]), (False, [])])
def test_bench_hands_the_option_to_pytest(expected, given):
    """`suite bench` starts pytest in a process of its own."""
    assert expected is ("--suite-history" in _pytest_arguments(build_parser().parse_args(["bench", *given])))


MACHINE = "cpu-x86_64-test-2c"


@pytest.fixture
def path(tmp_path):
    """The history of a machine with one run."""
    folder = RunFolder.create(tmp_path, samples.header())
    folder.append(*samples.RUN)
    append(path_of(tmp_path, MACHINE), of_run(folder))
    return path_of(tmp_path, MACHINE)


def trend(path, *arguments, machine=MACHINE):
    return main(["trend", "--machine", machine, "--reports-dir", str(path.parent.parent), *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workload", "digit_cnn"], "--workload digit_cnn leaves none of {n}: unknown workload 'digit_cnn'; did you"),
        (
            ["--metric", "speedpu"],
            "--metric speedpu leaves none of {n}: unknown metric 'speedpu'; did you mean speedup?",
        ),
        (["--technique", "static_int9"], "unknown technique 'static_int9'; did you mean static_int8?"),
        (["--since", "2027-01-01"], "leaves none of {n}: the last run began at 2026-11-23T15:04:05+00:00"),
    ],
)
def test_an_option_that_leaves_no_figure_is_named(path, capsys, arguments, said):
    """With the file, how many figures it holds, and near names."""
    assert 0 == trend(path, *arguments)
    out = capsys.readouterr().out
    assert f"{path} holds {len(samples.RUN)} figures\n" in out
    assert said.format(n=len(samples.RUN)) in out


def test_a_machine_without_a_history_is_told_with_those_that_have_one(path, capsys):
    """A misspelt key names a file that is not there."""
    assert 0 == trend(path, machine="cpu-x86_64-tset-2c")
    absent = path.with_name("cpu-x86_64-tset-2c.jsonl")
    assert f"{absent} is not there: unknown machine 'cpu-x86_64-tset-2c'; did you mean {MACHINE}?" in (
        capsys.readouterr().out
    )


def test_figures_that_cannot_be_trusted_are_told(path, capsys):
    """Every one that was asked for is suspect."""
    folder = RunFolder.create(path.parent.parent, samples.header(run="noisy"))
    folder.append(samples.measured("baseline", "speedup", 1.0, suspect="preempted"))
    append(path, [replace(entry, metric="speedup_noisy") for entry in of_run(folder)])
    assert 0 == trend(path, "--metric", "noisy")
    assert "all 1 that were asked for are suspect" in capsys.readouterr().out


def test_a_time_that_is_none_is_refused(path, capsys):
    """It would compare as letters, and leave no figure or all."""
    assert 0 != trend(path, "--since", "last week")
    assert "--since last week: no ISO time" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["2026-11-01", "20261101", "2026-11-01T01:00+01:00", "2026-11-01T00:00:00Z"])
def test_every_way_to_write_a_time_is_the_same_time(given):
    """Histories are written in UTC, and compared as text."""
    assert "2026-11-01T00:00:00+00:00" == since_of(given)


@pytest.mark.parametrize(
    ("name", "said"),
    [("none/trend.csv", "there is no folder"), ("history", "this is a folder"), ("x" * 300, "File name too long")],
)
def test_a_csv_that_cannot_be_written_is_refused_at_once(path, capsys, name, said):
    """In one message with the path, before anything is computed."""
    target = path.parent.parent / name
    assert 0 != trend(path, "--csv", str(target))
    assert f"--csv {target}: {said}" in capsys.readouterr().err


def test_a_csv_that_fails_all_the_same_does_not_take_the_report_with_it(path, capsys):
    """A full disk: the report stands, and one message says why the file does not."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    assert 0 != trend(path, "--csv", "/dev/full")
    captured = capsys.readouterr()
    assert "holds" in captured.out
    assert "cannot be written: No space left on device" in captured.err


def test_the_csv_is_written(path):
    """With its head alone where no figure has enough runs."""
    target = path.parent / "trend.csv"
    assert 0 == trend(path, "--csv", str(target))
    assert target.read_text("utf-8").startswith("workload,technique,")
