"""A cell under two versions, with workers that are made up."""
# the expected value stands on the left

import math
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch

from suite.compare import measure, table
from suite.compare.attribution import Blame, blamed
from suite.compare.judge import Rules, SpeedEstimate, Timing, verdicts
from suite.compare.measure import ComparisonPlan, PairedSides, compare_cell
from suite.compare.process import SideError
from suite.compare.protocol import Begin, Done, End, Ready, SideRequest
from suite.compare.sides import Side
from suite.compare.turns import Rounds, Turns

CELL = "halves-baseline-cpu"
REQUEST = SideRequest(workload="halves", technique="baseline", device="cpu", batch=16)
SIDES = {name: Side(name=name, root=Path("/"), here=Path("/"), python=Path("python")) for name in ("current", "old")}


class FakeWorker:
    """Describes itself, or fails as told; keeps what it is asked."""

    def __init__(self, side, request, fails, sizes, started, *, forks=True):
        self.side, self.request, self.fails, self.sizes, self.forks = side, request, fails, sizes, forks
        self.asked = []
        started.append((side.name, request.describe))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ready(self):
        if self.side.name in self.fails:
            raise SideError(self.side.name, self.fails[self.side.name], "it said why")
        return Ready(
            own_weights=False, torch="2", file="halves.py", forks=self.forks,
            parameters=self.sizes.get(self.side.name, 10), artefact_bytes=40,
        )  # fmt: skip

    def ask(self, question, _):
        self.asked.append(question)
        return Done()


def made_bench(folder, start):
    """Nothing is loaded and nothing told."""
    return PairedSides(
        current=SIDES["current"], reference=SIDES["old"], folder=folder, log=lambda _: None, start=start,
        preload=lambda *_, **__: nullcontext(),
    )  # fmt: skip


@pytest.fixture
def compared(tmp_path, monkeypatch):
    """Compare with made-up log ratios; returns what was found and which workers were started."""
    for name in ("current", "reference"):
        torch.save(torch.ones(2, 2), tmp_path / f"{name}.pt")

    def run(ratio=1.0, fails=(), sizes=(), plan=None):
        started, random = [], Random(3)  # noqa: S311

        def start(side, request, **_):
            return FakeWorker(side, request, dict(fails), dict(sizes), started)

        def play(*_, **__):
            own = 1 / ratio * random.gauss(1, 0.001)
            return Rounds(current=[own] * 6, reference=[1.0] * 6)

        monkeypatch.setattr(measure, "play", play)
        monkeypatch.setattr(measure, "calibrate", lambda *_: Turns(calls=(1, 1), round_seconds=0.02))
        bench = made_bench(tmp_path, start)
        return compare_cell(CELL, REQUEST, ["speed"], bench=bench, plan=plan or ComparisonPlan()), started

    return run


def said(found):
    """The rows' metrics and verdicts."""
    timings = found.timings if found.problem is None else []
    rows = table.rows([found], verdicts(timings, Rules()))
    return {metric: verdict for _, metric, _, _, verdict in rows}, rows


def test_unchanged_code_passes_in_one_set_of_pairs(compared):
    """Sizes and outputs are the same; which side starts first alternates."""
    found, started = compared()
    names, rows = said(found)
    assert {"parameters": "same", "artefact_bytes": "same", "output_difference": "same", "speed": "pass"} == names
    timed = [name for name, describes in started if not describes]
    assert ["current", "old", "old", "current"] * 4 == timed
    assert 0 == table.exit_code(rows, [found])


def test_slower_code_is_looked_at_again_in_fresh_processes(compared):
    """Two sets of eight pairs, then the verdict."""
    found, started = compared(ratio=0.9)
    assert (8, 8) == (len(found.timings[0].looked), len(found.timings[0].confirmed))
    assert 32 == sum(not describes for _, describes in started)
    assert "regressed" == said(found)[0]["speed"]
    assert 1 == table.exit_code(said(found)[1], [found])


@pytest.mark.parametrize(
    ("side", "kind", "verdict", "code"),
    [
        ("old", "UsageError", "missing", 11),
        ("old", "UnavailableError", "unavailable", 11),
        ("old", "crash", "inconclusive", 11),
        ("current", "crash", "error", 1),
        ("current", "ValueError", "error", 1),
    ],
)
def test_a_side_that_fails_is_said_for_its_cell(compared, side, kind, verdict, code):
    """A new cell is no failure, a broken one is; a run in which nothing was compared is unusable."""
    found, _ = compared(fails={side: kind})
    assert verdict == found.problem[0]
    assert code == table.exit_code(said(found)[1], [found])
    assert [f"{CELL}: {verdict}: {side}: it said why"] == table.remarks([found], [], Rules())


def test_what_the_current_code_alone_calls_unavailable_has_been_lost(compared):
    """Beside other cells it would pass; where the reference cannot serve it either, nothing was lost."""
    found, _ = compared(fails={"current": "UnavailableError"})
    assert "error" == found.problem[0]
    assert found.problem[1].endswith("; old serves it here")
    assert 1 == table.exit_code(said(found)[1], [found])
    both, _ = compared(fails={"current": "UnavailableError", "old": "UnavailableError"})
    assert "unavailable" == both.problem[0]


def test_built_in_cells_are_no_comparison_of_the_users_code(compared):
    """The user's own cell failed on the other side; that a built-in one is the same says nothing."""
    good, bad = compared()[0], compared(fails={"old": "crash"})[0]
    bad.users = True
    rows = table.rows([good, bad], verdicts(good.timings, Rules()))
    assert 11 == table.exit_code(rows, [good, bad])
    good.users = True
    assert 0 == table.exit_code(rows, [good, bad])


def test_doubt_fails_only_where_asked_for(compared):
    """A reference that crashes in one of two cells."""
    good, bad = compared()[0], compared(fails={"old": "crash"})[0]
    rows = table.rows([good, bad], verdicts(good.timings, Rules()))
    assert 0 == table.exit_code(rows, [good, bad])
    assert 10 == table.exit_code(rows, [good, bad], inconclusive="fail")


def test_more_parameters_are_a_regression_unless_only_reported(compared):
    """Fewer are only said."""
    assert "regressed" == said(compared(sizes={"current": 11})[0])[0]["parameters"]
    assert "differs" == said(compared(sizes={"current": 9})[0])[0]["parameters"]
    assert (
        "differs" == said(compared(sizes={"current": 11}, plan=ComparisonPlan(gates_sizes=False))[0])[0]["parameters"]
    )


def test_outputs_differ_relative_to_the_largest():
    """Of any tree; another shape is as far away as can be."""
    first, second = {"a": torch.tensor([1.0, 4.0])}, {"a": torch.tensor([1.0, 5.0])}
    assert 0.2 == pytest.approx(measure.output_difference(first, second))
    assert 0 == measure.output_difference(first, first)
    assert float("inf") == measure.output_difference(first, {"a": torch.ones(3)})


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_outputs_that_are_no_numbers_on_one_side_alone_are_infinitely_far_away(odd):
    """Whichever side it is; both the same at the same place differ by what the numbers do."""
    plain, broken = torch.tensor([1.0, 4.0]), torch.tensor([1.0, odd])
    assert float("inf") == measure.output_difference(broken, plain)
    assert float("inf") == measure.output_difference(plain, broken)
    assert float("inf") == measure.output_difference(broken, torch.tensor([odd, 1.0]))
    assert 0 == measure.output_difference(broken, broken)
    assert 0.5 == pytest.approx(measure.output_difference(torch.tensor([3.0, odd]), torch.tensor([2.0, odd])))


def test_infinities_of_other_signs_are_infinitely_far_away():
    """Neither is finite, and they are not equal."""
    up = torch.tensor([float("inf")])
    assert float("inf") == measure.output_difference(up, -up)


def test_outputs_of_nothing_but_zeros_and_empty_outputs_are_the_same():
    """There is nothing to be relative to."""
    assert 0 == measure.output_difference(torch.zeros(3), torch.zeros(3))
    assert 0 == measure.output_difference(torch.ones(0, 2), torch.ones(0, 2))


def test_a_cell_that_answers_nan_now_is_no_longer_the_same(compared, tmp_path):
    """The verdict of the row."""
    same, _ = compared()
    assert "same" == said(same)[0]["output_difference"]
    torch.save(torch.full((2, 2), float("nan")), tmp_path / "current.pt")
    assert "differs" == said(compared()[0])[0]["output_difference"]
    assert "regressed" == said(compared(plan=ComparisonPlan(tolerance=1e9))[0])[0]["output_difference"]


def test_timings_are_logged_as_numbers(compared):
    """The ratio with its interval, pairs and verdict; nothing where nothing was timed."""
    slower, _ = compared(ratio=0.95)
    (told,) = table.figures([slower], verdicts(slower.timings, Rules()))
    assert ("regressed", 8) == (told["verdict"], told["pairs"])
    assert told["low"] < told["ratio"] < told["high"] < 1
    broken, _ = compared(fails={"old": "RegistrationError"})
    assert [] == table.figures([broken], [])


@pytest.mark.parametrize("kind", ["missing", "inconclusive", "unavailable", "error"])
def test_a_timing_of_a_cell_with_a_problem_is_logged_under_its_own_kind(compared, kind):
    """The side that fails may have been timed before; other cells keep their verdicts."""
    good, bad = compared()[0], compared()[0]
    bad.problem = (kind, "it said why")
    told = table.figures([bad, good], table.judged([bad, good], Rules()))
    assert [kind, "pass"] == [one["verdict"] for one in told]


def test_where_nothing_can_be_timed_sizes_are_compared_and_every_timing_says_why(compared):
    """No process is started to be timed."""
    found, started = compared(ratio=0.9, plan=ComparisonPlan(doubt="another run holds core 3"))
    assert ("same", "inconclusive") == (said(found)[0]["parameters"], said(found)[0]["speed"])
    assert all(describes for _, describes in started)
    expected = [f"{CELL} speed: inconclusive: another run holds core 3"]
    assert expected == table.remarks([found], ["inconclusive"], Rules())
    assert 10 == table.exit_code(said(found)[1], [found], inconclusive="fail")


def test_batches_that_are_inconclusive_for_one_reason_share_a_line(compared):
    """It would be printed once for each batch."""
    found, _ = compared(ratio=0.9, plan=ComparisonPlan(doubt="another run holds core 3"))
    found.timings.append(replace(found.timings[0], metric="speed_batch_1"))
    (line,) = table.remarks([found], ["inconclusive"] * 2, Rules())
    assert f"{CELL} speed and speed_batch_1: inconclusive: another run holds core 3" == line


def test_the_markdown_table_holds_every_row(compared):
    """What a pull request's summary shows."""
    found, _ = compared()
    text = table.markdown(said(found)[1], ["a remark"], title="here against old")
    assert f"| {CELL} | parameters | 10 / 10 | exact | same |" in " ".join(text.split())
    assert text.startswith("### here against old\n\n| cell ")
    assert text.endswith("\n- a remark\n")


def test_the_blame_is_on_what_slows_down_alone():
    """By intervals that lie wholly below what is allowed."""
    slow, same = (
        SpeedEstimate(ratio=0.9, low=0.89, high=0.91, pairs=4),
        SpeedEstimate(ratio=1.0, low=0.99, high=1.01, pairs=4),
    )

    def named(code, environment):
        return blamed(Blame(cell=CELL, metric="speed", code=code, environment=environment), Rules())

    assert "slowed by the code" == named(slow, same)
    assert "slowed by the environment" == named(same, slow)
    assert "slowed by the code and the environment" == named(slow, slow)
    assert "slowed by the code" == named(slow, None)


def test_neither_is_to_blame_only_where_both_intervals_exclude_a_slowdown():
    """Not measured, or an interval that reaches below what is allowed, decides nothing."""
    near, free = (
        SpeedEstimate(ratio=1.0, low=0.97, high=1.01, pairs=4),
        SpeedEstimate(ratio=1.01, low=1.0, high=1.02, pairs=4),
    )

    def named(code, environment):
        return blamed(Blame(cell=CELL, metric="speed", code=code, environment=environment), Rules())

    assert "slowed by neither of the two alone" == named(free, free)
    for unsure in (None, near):
        assert "not decided which of the two slowed it" == named(free, unsure) == named(unsure, free)


@pytest.fixture
def paired(tmp_path, monkeypatch):
    """Time one metric in one pair with made-up rounds; returns its timing, the workers and what was logged."""

    def run(logs=(), *, forks=6, can_fork=True, round_seconds=0.02, preparing=0.1, loading=4.0):
        clock, workers, played, lines = [0.0], [], iter(logs), []

        class Worker(FakeWorker):
            def __init__(self, side, request, **_):
                super().__init__(side, request, {}, {}, [], forks=can_fork or side.name == "old")
                workers.append(self)

            def ready(self):
                clock[0] += loading / 2
                return super().ready()

            def ask(self, question, kind):
                clock[0] += preparing / 2 if isinstance(question, Begin) else 0
                return super().ask(question, kind)

        def play(*_, seconds, stay, **__):
            found = next(played, 0.0)
            lines.append({"seconds": seconds, "stay": stay})
            return (
                Rounds(current=[1.0] * 3, reference=[math.exp(found)] * 3)
                if found is not None
                else Rounds(current=[], reference=[], dropped=9)
            )

        monkeypatch.setattr(measure, "perf_counter", lambda: clock[0])
        monkeypatch.setattr(measure, "play", play)
        monkeypatch.setattr(measure, "calibrate", lambda *_: Turns(calls=(1, 1), round_seconds=round_seconds))
        bench = made_bench(tmp_path, Worker)
        timing, plan = Timing(metric="speed"), ComparisonPlan(pairs=2, forks=forks, budget=6.0)
        measure._pair(CELL, [timing], "looked", REQUEST, bench=bench, plan=plan, number=0)
        return timing, workers, lines

    return run


def begun(worker):
    return [asked.forked for asked in worker.asked if isinstance(asked, Begin)]


def test_a_pair_counts_once_however_many_children_it_forks(paired):
    """Its figure is the median of all their rounds: they share what their parents have of their own."""
    timing, workers, played = paired([0.01, 0.02, 0.03, 0.04, 0.05, 0.9])
    assert [0.035] == pytest.approx(timing.looked, abs=1e-4)
    assert [[True] * 6] * 2 == [begun(worker) for worker in workers]
    assert [{"seconds": 0.5, "stay": 0.0}] * 6 == played
    assert 18 == timing.rounds


def test_every_child_is_told_to_end_before_the_next_one_begins(paired):
    """Only one of a side lives at a time."""
    _, (worker, _), _ = paired()
    assert [Begin(forked=True), End()] * 6 == worker.asked


@pytest.mark.parametrize("how", [{"can_fork": False}, {"forks": 1}], ids=["a side cannot", "not wanted"])
def test_without_children_the_pair_itself_moves_from_place_to_place(how, paired):
    """Eight of them, in all of its time."""
    _, workers, played = paired(**how)
    assert [[False]] * 2 == [begun(worker) for worker in workers]
    assert [{"seconds": 3.0, "stay": 0.375}] == played


@pytest.mark.parametrize(("preparing", "children"), [(0.6, 6), (1.0, 4), (3.0, 1)])
def test_children_are_made_for_no_longer_than_the_pair_took_to_load(preparing, children, paired):
    """A network that has to be compiled for each of them; the time of a pair stays as it is."""
    _, workers, played = paired(preparing=preparing, loading=4.0)
    assert children == len(begun(workers[0]))
    stay = 0.375 if children == 1 else 0.0
    assert [{"seconds": pytest.approx(3.0 / children), "stay": stay}] * children == played


def test_slow_calls_are_timed_in_fewer_children(paired):
    """Each has six rounds: two hold 3 s of 0.25 s rounds."""
    _, workers, played = paired(round_seconds=0.25)
    assert [{"seconds": 1.5, "stay": 0.0}] * 2 == played
    assert [[True] * 2] * 2 == [begun(worker) for worker in workers]


def test_children_that_were_disturbed_have_no_part_in_it(paired):
    """The others stand for the pair."""
    timing, *_ = paired([0.01, None, 0.03, None, None, 0.05])
    assert ([0.03], None) == (pytest.approx(timing.looked), timing.trouble)
    assert 27 == timing.dropped


def test_a_pair_that_was_disturbed_in_almost_every_child_says_why(paired):
    """There is no figure of it: three rounds are not enough."""
    timing, *_ = paired([None, 0.01, None, None, None, None])
    assert [] == timing.looked
    assert "speed: 3 rounds of a pair, 45 dropped because other processes used the core" in timing.trouble


def test_calls_too_slow_for_a_pair_are_told(paired):
    """Before any round is played."""
    timing, _, played = paired(round_seconds=1.0)
    assert [] == played
    assert "give --budget at least 2 times as large" in timing.trouble
