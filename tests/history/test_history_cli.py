"""`suite history import` adds the folders of earlier runs."""
# the expected value stands on the left

import pytest
import samples

from suite.cli import _pytest_arguments, build_parser, main
from suite.report.run import RunFolder


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
