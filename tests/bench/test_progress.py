"""Where the news of a run go: a live table only where a terminal can be drawn again, plain lines elsewhere."""
# the expected value stands on the left

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from suite.bench.pytest_plugin.progress import PlainProgress, can_redraw, progress_of

TERMINAL = {"TERM": "xterm-256color"}


def config_of(*, isatty=True, verbose=-1, capture="fd", usepdb=False, written=None):
    """What pytest knows, with a terminal reporter that writes into ``written``."""
    reporter = SimpleNamespace(isatty=isatty, write_line=(written or []).append, ensure_newline=lambda: None)
    if written is not None:
        reporter.write_line = written.append
    plugins = {"terminalreporter": reporter, "capturemanager": SimpleNamespace(global_and_fixture_disabled=nullcontext)}
    option = SimpleNamespace(verbose=verbose, capture=capture, usepdb=usepdb)
    return SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=plugins.get), option=option)


def test_a_terminal_can_be_redrawn():
    assert can_redraw(config_of(), TERMINAL)


@pytest.mark.parametrize("environment", [{"CI": "true"}, {"CI": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
def test_in_ci_and_on_a_dumb_terminal_there_are_plain_lines(environment, monkeypatch):
    monkeypatch.setattr("suite.bench.pytest_plugin.progress.os.name", "posix")
    assert not can_redraw(config_of(), TERMINAL | environment)


@pytest.mark.parametrize("value", ["", "0", "false", "False"])
def test_a_variable_ci_that_says_no_is_no_ci(value):
    assert can_redraw(config_of(), TERMINAL | {"CI": value})


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", True), ("UTF8", True), ("latin-1", False), (None, False)])
def test_a_terminal_without_letters_for_lines_gets_plain_lines(encoding, expected, monkeypatch):
    monkeypatch.setattr("suite.bench.pytest_plugin.progress.sys.__stdout__", SimpleNamespace(encoding=encoding))
    assert expected == can_redraw(config_of(), TERMINAL)


@pytest.mark.parametrize("settings", [{"isatty": False}, {"verbose": 0}, {"capture": "no"}, {"usepdb": True}])
def test_where_others_write_meanwhile_there_are_plain_lines(settings):
    """A pipe, and pytest's -v, -s and --pdb."""
    assert not can_redraw(config_of(**settings), TERMINAL)


def test_a_run_in_ci_gets_plain_lines_and_pytest_its_letters():
    progress = progress_of(config_of(), lambda: None, TERMINAL | {"CI": "true"})
    assert isinstance(progress, PlainProgress)
    assert not progress.live


def test_a_log_has_a_line_for_each_seed_that_was_trained():
    """At its last epoch."""
    written = []
    tell = PlainProgress(config_of(written=written)).reporter("digits_cnn", "baseline")
    for epoch, score in ((1, 0.5), (2, 0.9735)):
        tell(SimpleNamespace(seed=0, epoch=epoch, epochs=2, score=score))
    tell(SimpleNamespace(seed=1, epoch=2, epochs=2, score=None))
    assert [
        "  training digits_cnn baseline: seed 0, epoch 2/2, validation 97.35 %",
        "  training digits_cnn baseline: seed 1, epoch 2/2",
    ] == written


def test_without_a_terminal_reporter_nothing_is_told():
    """`-p no:terminal`."""
    config = SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=lambda _: None), option=SimpleNamespace())
    progress = progress_of(config, lambda: None, TERMINAL)
    progress.reporter("a", "b")(SimpleNamespace(seed=0, epoch=1, epochs=1, score=None))
    assert not progress.live
