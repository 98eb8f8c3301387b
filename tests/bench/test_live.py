"""The live table of a run: what it shows, when it is drawn, and that no thread draws it."""
# the expected value stands on the left

import io
import os
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from rich.console import Console
from samples import header, measured

from suite.bench.pytest_plugin import live
from suite.bench.pytest_plugin.live import Display, LiveProgress
from suite.bench.pytest_plugin.live_table import CellRow, LiveState, render
from suite.bench.time_left import Place
from suite.core.records import Cell, Verdict, VerdictKind

QUALITY = measured("static_int8", "accuracy", 0.9735)
SPEED = measured("static_int8", "speedup", 2.31)


def verdict(kind, measurement):
    return Verdict(
        kind=kind, cell=measurement.cell, metric=measurement.metric, group=measurement.group, measurement=measurement
    )


def case(technique="static_int8", workload="digits_cnn"):
    cell = Cell(workload=workload, technique=technique, device="cpu")

    class Case(SimpleNamespace):
        def __str__(self):
            return str(cell)

    return Case(workload=SimpleNamespace(name=workload), composition=SimpleNamespace(name=technique))


def shown(state, *, width=120, height=40):
    """The lines that a terminal shows, without trailing blanks."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=True)
    console.print(render(state, height))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


class FakeDisplay:
    """Keeps what is drawn, as lines."""

    def __init__(self):
        self.frames, self.skipped, self.erased = [], [], 0

    def draw(self, content, *, skips=False):
        console = Console(file=io.StringIO(), width=120, color_system=None)
        console.print(content)
        self.frames.append([line.rstrip() for line in console.file.getvalue().splitlines()])
        self.skipped.append(skips)

    def erase(self):
        self.erased += 1


@pytest.fixture
def told(monkeypatch):
    """A run of twelve cells, its progress, and the display that it draws on."""
    monkeypatch.setattr(live, "place_of", lambda _: Place(done=2, cells=12, seconds=240.0))
    bench = SimpleNamespace(seeds_of=lambda _, *, baseline: range(3 if baseline else 1))
    run = SimpleNamespace(header=header(), bench=bench, latest=())
    display = FakeDisplay()
    return SimpleNamespace(progress=LiveProgress(None, lambda: run, display), display=display, run=run)


def test_a_cell_is_shown_with_its_score_its_speedup_and_its_verdicts(told):
    """The worst kind first."""
    told.progress.begin(case(), "quality")
    told.run.latest = [QUALITY]
    told.progress.end(case(), [verdict(VerdictKind.PASS, QUALITY)])
    told.run.latest = [SPEED]
    told.progress.end(case(), [verdict(VerdictKind.REGRESSED, SPEED), verdict(VerdictKind.PASS, SPEED)])
    assert ["digits_cnn", "static_int8", "97.35", "%", "2.31x", "1", "regressed,", "2", "pass"] == told.display.frames[
        -1
    ][1].split()


def test_without_expectations_a_cell_is_shown_with_what_was_measured(told):
    """`--expect=off`: there are no verdicts."""
    told.progress.begin(case(), "speed")
    told.run.latest = [QUALITY, SPEED]
    told.progress.end(case(), [])
    assert ["digits_cnn", "static_int8", "97.35", "%", "2.31x"] == told.display.frames[-1][1].split()


def test_the_last_line_says_how_many_cells_are_done_and_how_long_the_others_take(told):
    told.progress.begin(case(), "size")
    line = told.display.frames[-1][-1]
    assert line.startswith("cells 2 of 12")
    assert line.endswith("about 4.0 min left")


def test_a_training_is_shown_with_its_seed_epoch_and_score(told):
    """The baseline has three seeds where a technique has one."""
    told.progress.begin(case(), "quality")
    tell = told.progress.reporter("digits_cnn", "baseline")
    tell(SimpleNamespace(seed=1, epoch=4, epochs=10, score=0.919))
    expected = "now: quality, training baseline, seed 1 (2 of 3), epoch 4 of 10, validation 91.90 %"
    assert expected == told.display.frames[-1][2]


def test_only_the_last_epoch_of_a_seed_is_drawn_in_any_case(told):
    """A small network trains many epochs a second."""
    tell = told.progress.reporter("digits_cnn", "baseline")
    for epoch in (1, 2):
        tell(SimpleNamespace(seed=0, epoch=epoch, epochs=2, score=None))
    assert [True, False] == told.display.skipped


def test_a_fresh_process_is_shown_before_it_starts(told):
    told.progress.begin(case(), "speed")
    told.progress.starting("speed, fresh process 2 of 4")
    assert "now: speed, fresh process 2 of 4" == told.display.frames[-1][2]


def test_while_a_group_of_speed_is_timed_nothing_is_drawn(told):
    """One drawing before it, which says so, and one after it: the sampler runs between."""
    told.progress.begin(case(), "speed")
    assert 1 == len(told.display.frames)
    assert "now: speed (timed; nothing is drawn meanwhile)" == told.display.frames[-1][2]
    told.progress.end(case(), [verdict(VerdictKind.PASS, SPEED)])
    assert 2 == len(told.display.frames)


def test_after_its_end_a_run_draws_nothing_and_leaves_nothing(told):
    told.progress.begin(case(), "size")
    told.progress.close()
    told.progress.reporter("digits_cnn", "baseline")(SimpleNamespace(seed=0, epoch=1, epochs=1, score=None))
    assert (1, 1, False) == (len(told.display.frames), told.display.erased, told.progress.live)


def test_a_rank_that_is_a_fork_of_the_run_draws_nothing(told, monkeypatch):
    """Each would draw a table of its own over the others'."""
    told.progress.begin(case(), "quality")
    monkeypatch.setattr(live.os, "getpid", lambda: -1)
    told.progress.reporter("digits_cnn", "ddp")(SimpleNamespace(seed=0, epoch=1, epochs=1, score=None))
    assert 1 == len(told.display.frames)


def test_names_with_markup_and_control_characters_are_shown_as_they_are():
    """They come from users."""
    rows = {"c": CellRow(workload="[red]w", technique="a\x1b[31m")}
    assert "[red]w    a\\x1b[31m" == shown(LiveState(rows=rows))[1].rstrip()


@pytest.mark.parametrize(("expected", "height"), [(1, 5), (4, 12), (10, 80)])
def test_the_table_has_the_last_cells_as_far_as_the_terminal_has_room(expected, height):
    rows = {str(number): CellRow(workload="w", technique=f"t{number}") for number in range(20)}
    lines = shown(LiveState(rows=rows), height=height)[1 : 1 + expected]
    assert [f"t{number}" for number in range(20 - expected, 20)] == [line.split()[1] for line in lines]
    assert len(shown(LiveState(rows=rows), height=height)) <= max(4, height)


@pytest.mark.parametrize("width", [30, 60, 100])
def test_no_line_is_wider_than_the_terminal(width):
    """A broken line could not be erased."""
    state = LiveState(
        rows={"c": CellRow(workload="w" * 40, technique="t" * 90, score="97.35 %", speedup="2.31x")},
        doing="quality", training=("structured_pruning(ratio=0.5,epochs=5)", SimpleNamespace(
            seed=0, epoch=1, epochs=2, score=0.5), 3), place=Place(done=1, cells=3, seconds=60.0),
    )  # fmt: skip
    lines = shown(state, width=width)
    assert max(map(len, lines)) <= width
    assert 4 <= len(lines) <= 6


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns."""
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def display_on(terminal, clock=lambda: 0.0):
    capture = SimpleNamespace(global_and_fixture_disabled=nullcontext)
    return Display(SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=lambda _: capture)), clock, terminal)


FINISHED = LiveState(rows={"c": CellRow(workload="w", technique="t")})
FINISHED.rows["c"].add([verdict(VerdictKind.REGRESSED, SPEED)], [SPEED], score=None)


def test_the_display_starts_no_thread(terminal):
    """One that redraws would take time from what is timed."""
    before = threading.active_count()
    display = display_on(terminal)
    display.draw(render(FINISHED, 40))
    assert before == threading.active_count()
    display.erase()
    assert "1 regressed" in terminal.getvalue()


def test_epochs_within_a_tenth_of_a_second_are_not_drawn(terminal):
    moments = iter([0.0, 0.05, 0.2, 0.25])
    display = display_on(terminal, lambda: next(moments))
    lengths = []
    for skips in (True, True, True, False):
        display.draw(render(FINISHED, 40), skips=skips)
        lengths.append(len(terminal.getvalue()))
    display.erase()
    assert [True, False, True, True] == [b > a for a, b in zip([0, *lengths[:-1]], lengths, strict=True)]


def test_a_terminal_that_is_gone_is_drawn_on_no_more(terminal, monkeypatch):
    """A display decides no verdict: the cell at hand must not fail for it."""
    display, tried = display_on(terminal), []

    def gone(_text):
        tried.append(True)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(terminal, "write", gone)
    display.draw(render(FINISHED, 40))
    display.draw(render(FINISHED, 40))
    display.erase()
    assert 1 <= len(tried) <= 2


def test_the_last_drawing_is_erased_and_the_cursor_comes_back(terminal):
    display = display_on(terminal)
    display.draw(render(FINISHED, 40))
    display.erase()
    assert terminal.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K")


@pytest.mark.parametrize(("expected", "variable"), [(True, ""), (False, "1")])
def test_no_color_is_respected(expected, variable, terminal, monkeypatch):
    """Red is the colour 31."""
    monkeypatch.setenv("NO_COLOR", variable)
    display = display_on(terminal)
    display.draw(render(FINISHED, 40))
    display.erase()
    assert expected is ("\x1b[31m" in terminal.getvalue() or "\x1b[1;31m" in terminal.getvalue())


def test_the_process_that_made_the_table_draws_it():
    assert os.getpid() == LiveProgress(None, lambda: None, FakeDisplay())._process
