"""Instructions under two versions: what is a regression, what decides nothing, and what a failing side says."""

import time
from dataclasses import replace
from pathlib import Path
from threading import Event
from unittest.mock import MagicMock

import pytest

from suite.compare import instructions
from suite.compare.children import ImageError
from suite.compare.instructions import Counter, data_of, exact, sentence
from suite.compare.measure import PairedSides
from suite.compare.process import SideError
from suite.compare.protocol import CountInstructions, InstructionsCounted, SideRequest
from suite.compare.sides import Side
from suite.measure.counting.instructions import InstructionCount


def count(value, *, doubt=None, spread=0.0, **functions):
    return InstructionCount(value=value, functions=functions or {"f": value}, spread=spread, doubt=doubt)


@pytest.mark.parametrize(
    ("now", "expected"), [(1_000_000, "same"), (1_000_500, "same"), (1_000_501, "regressed"), (998_000, "differs")]
)
def test_more_than_a_two_thousandth_more_instructions_are_a_regression(now, expected):
    """Identical code differs by less than a tenth of that; fewer instructions are told and pass."""
    assert expected == exact("instructions", count(now), count(1_000_000)).verdict


def test_where_sizes_are_only_reported_more_instructions_differ():
    """As `--sizes report` asks for."""
    assert "differs" == exact("instructions", count(2000), count(1000), gates=False).verdict


def test_a_regression_names_its_share_and_the_functions():
    """So that a reader knows where to look."""
    found = exact("instructions_b1", count(1100, add=600, mul=500), count(1000, add=500, mul=500))
    assert ("+10.00%", "+100 add") == found.changes
    assert (1100, 1000) == (found.current, found.reference)


@pytest.mark.parametrize(
    ("now", "expected"), [(1000, "same"), (1009, "inconclusive"), (991, "inconclusive"), (1011, "regressed")]
)
def test_counts_that_do_not_repeat_decide_what_is_far_beyond_their_spread(now, expected):
    """Less may be the luck of one process; here they vary by a thousandth."""
    found = exact("instructions", count(now), count(1000, doubt="it varies", spread=0.001))
    assert expected == found.verdict
    assert {"same": (), "inconclusive": ("it varies",), "regressed": ("+1.10%", "+11 f")}[expected] == found.changes


def test_an_instruction_that_valgrind_does_not_know_is_told_as_such():
    """Its process ends by a signal, without a traceback."""
    said = sentence(SideError("current", "crash", "ended with -4: vex amd64->IR: unhandled instruction bytes"))
    assert said.startswith("instructions are not counted: current: ended with -4")
    assert "AVX-512" in said
    assert "AVX-512" not in sentence(SideError("current", "crash", "ended with 1: ImportError"))


class Player:
    """A side that is counted at once; what it was started with and asked is kept."""

    def __init__(self, side, request, *, started, dumps, **details):
        started.append((side.name, request, details))
        self.asked, self.dumps = [], dumps

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def ready(self):
        return None

    def ask(self, question, _):
        self.asked.append(question)
        return InstructionsCounted(dumps=dict.fromkeys(("speed",), self.dumps), failed={})


@pytest.fixture
def bench(tmp_path):
    """Two sides of one Python."""
    started: list = []
    sides = [Side(name=name, root=tmp_path, here=tmp_path, python=Path("python")) for name in ("current", "old")]
    made = PairedSides(
        current=sides[0], reference=sides[1], folder=tmp_path, log=lambda _: None,
        start=lambda side, request, **details: Player(side, request, started=started, dumps=["1"], **details),
    )  # fmt: skip
    return made, started


def test_all_sides_of_all_cells_are_forks_of_one_process_under_valgrind(bench, monkeypatch):
    """Imports take thirty times as long there."""
    made, started = bench
    images, image = [], MagicMock()
    monkeypatch.setattr(instructions, "image_of", lambda *_, **details: images.append(details) or image)
    monkeypatch.setattr(instructions.instructions, "library", lambda folder: folder / "l.so")
    monkeypatch.setattr(instructions.instructions, "read", lambda _: count(1000))
    request = SideRequest(workload="w", technique="baseline", device="cpu", batch=8, weights="weights.pt")
    with Counter(made) as counter:
        found = [counter.count(request, ["speed"]) for _ in range(2)]
    assert [["instructions", "same"]] * 2 == [[one.metric, one.verdict] for (one,) in found]
    assert 1 == len(images)
    assert "valgrind" == images[0]["under"][0]
    assert "" == images[0]["variables"][instructions.CORE]
    assert ["current", "old"] * 2 == [name for name, _, _ in started]
    assert {image} == {details["image"] for _, _, details in started}
    assert [data_of(made.folder, 0), data_of(made.folder, 1)] == [asked.data for _, asked, _ in started[:2]]
    image.__exit__.assert_called_once()


REQUEST = SideRequest(workload="w", technique="baseline", device="cpu", batch=8)


def test_cycles_are_estimated_where_caches_are_simulated_and_fail_nothing(bench, image, monkeypatch):
    """Twice as many differ."""
    made, started = bench
    estimates = iter([200, 100])
    monkeypatch.setattr(instructions.cycles, "estimated", lambda _: next(estimates))
    image.load.side_effect = fail
    with Counter(made, caches=True) as counter:
        _, found = counter.count(REQUEST, ["speed"])
    assert ("estimated_cycles", 200, 100, "differs") == (found.metric, found.current, found.reference, found.verdict)
    assert ("+100.00% by an estimate, which decides nothing",) == found.changes
    assert {"--cache-sim=yes"} <= set(started[0][2]["under"])


@pytest.fixture
def image(monkeypatch):
    """What the sides are forked from, made up like all that valgrind does."""
    found = MagicMock()
    monkeypatch.setattr(instructions, "image_of", lambda *_, **__: found)
    monkeypatch.setattr(instructions.instructions, "library", lambda folder: folder / "l.so")
    monkeypatch.setattr(instructions.instructions, "read", lambda _: count(1000))
    return found


def fail(*_, **__):
    raise ImageError("no luck")


@pytest.mark.parametrize("step", ["start", "load"])
def test_a_side_whose_image_does_not_load_runs_under_valgrind_by_itself(step, bench, image, monkeypatch):
    """It then says why it cannot."""
    made, started = bench
    image.load.side_effect = fail
    if step == "start":
        monkeypatch.setattr(instructions, "image_of", fail)
    with Counter(made) as counter:
        counter.count(REQUEST, ["speed"])
    assert {(None, "valgrind")} == {(details["image"], details["under"][0]) for _, _, details in started}


def test_sides_of_later_cells_run_by_themselves_where_the_image_is_gone(bench, image):
    """One cell that ends it costs the others no count."""
    made, started = bench
    asked = []

    def start(side, request, *, image, **details):
        asked.append(image)
        if image is not None:
            raise SideError("what both sides are forked from", "crash", "it is gone") from ImageError("gone")
        return Player(side, request, started=started, dumps=["1"], **details)

    with Counter(replace(made, start=start)) as counter:
        found = [counter.count(REQUEST, ["speed"]) for _ in range(2)]
    assert ["same", "same"] == [one.verdict for (one,) in found]
    assert [image, None, None, None, None] == asked
    assert {"valgrind"} == {details["under"][0] for _, _, details in started}
    image.__exit__.assert_called_once()


@pytest.mark.usefixtures("image")
def test_a_side_that_cannot_start_for_another_reason_is_told(bench):
    """The image can still be used."""
    made, _ = bench

    def start(*_, **__):
        raise SideError("current", "crash", "no luck")

    with Counter(replace(made, start=start)) as counter, pytest.raises(SideError, match="current: no luck"):
        counter.count(REQUEST, ["speed"])


@pytest.mark.usefixtures("image")
def test_no_side_is_ended_while_the_other_one_counts(bench):
    """The thread that counts it would ask for the end of a process that is waited for already."""
    made, started = bench
    events = []

    class Slow(Player):
        def __exit__(self, *_):
            events.append("ended")

        def ask(self, question, kind):
            if self.name == "current":
                raise SideError("current", "crash", "no luck")
            if isinstance(question, CountInstructions):
                time.sleep(0.2)  # the failure of the other side comes first
                events.append("counted")
            return super().ask(question, kind)

    def start(side, request, **details):
        player = Slow(side, request, started=started, dumps=["1"], **details)
        player.name = side.name
        return player

    with Counter(replace(made, start=start)) as counter, pytest.raises(SideError, match="current: no luck"):
        counter.count(REQUEST, ["speed"])
    assert ["counted", "ended", "ended"] == events


def test_an_image_that_loads_yet_is_ended_when_nobody_needs_it(bench, image):
    """Nobody waits for half a minute of imports after Ctrl-C."""
    made, _ = bench
    killed, ended = Event(), []

    def load():
        ended.append(killed.wait(30))
        raise ImageError("it ended with -9")

    image.load.side_effect, image.kill.side_effect = load, killed.set
    with Counter(made) as counter:
        counter.begin(REQUEST)
    assert [True] == ended
