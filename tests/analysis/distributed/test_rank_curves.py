"""Strong and weak scaling as curves over the number of ranks."""
# the expected value stands on the left

import csv

import pytest
import tiny
import torch

from suite.analysis.distributed import rank_curves
from suite.analysis.distributed.blocks import Block
from suite.analysis.distributed.rank_curves import COLUMNS, RankPoint, of_ranks, rank_curve, rows, said
from suite.cli.main import main
from suite.core.errors import UsageError


@pytest.fixture
def timed(monkeypatch):
    """Launches that take a second for 100 items of each rank; returns the ranks and the items of each."""
    launched = []

    def block(recipe, ranks, *, steps):
        batch = next(iter(recipe.batches(tiny.splits(0).train, torch.Generator())))
        launched.append((ranks, len(batch)))
        return Block(seconds=((len(batch) / ranks / 100,) * steps,) * ranks, sent=(None,) * ranks, items=len(batch))

    monkeypatch.setattr(rank_curves, "block", block)
    return launched


def form(recipe, _ranks):
    return recipe


@pytest.mark.parametrize(("kind", "items"), [("strong", [8, 8, 8]), ("weak", [8, 16, 32])])
def test_the_batch_stays_in_strong_scaling_and_grows_in_weak(kind, items, timed):
    """Ranks are timed up and down again."""
    points = rank_curve(kind, tiny.recipe(), form, [4, 1, 2], steps=3)
    assert [1, 2, 4, 4, 2, 1] == [ranks for ranks, _ in timed]
    assert items == [one.items for one in points]
    assert pytest.approx([100.0, 200.0, 400.0]) == [one.rate for one in points]
    assert pytest.approx([1.0, 1.0, 1.0]) == [one.efficiency for one in points]


def test_batches_are_joined_as_they_follow_each_other():
    train = tiny.splits(0).train
    one, two = (
        list(recipe.batches(train, torch.Generator().manual_seed(0)))
        for recipe in (tiny.recipe(), of_ranks(tiny.recipe(), 3))
    )
    assert [24, 8] == [len(batch) for batch in two]
    assert torch.equal(torch.cat([batch.inputs for batch in one[:3]]), two[0].inputs)


@pytest.mark.usefixtures("timed")
def test_data_that_are_too_few_for_a_batch_of_all_ranks_are_refused():
    with pytest.raises(UsageError, match="8 ranks trained on a batch of 32 items, not of 64"):
        rank_curve("weak", tiny.recipe(), form, [1, 8], steps=1)


@pytest.mark.parametrize("ranks", [[], [2, 4]])
def test_a_curve_begins_with_one_process(ranks):
    with pytest.raises(UsageError, match="begins with one process"):
        rank_curve("strong", tiny.recipe(), form, ranks)


@pytest.mark.usefixtures("timed")
def test_few_numbers_of_ranks_are_no_curve():
    found = said(rank_curve("weak", tiny.recipe(), form, [1, 2], steps=1))
    assert found.startswith("no curve over 2 numbers of ranks: ")


def test_points_are_fitted_here_and_by_the_command(tmp_path, capsys):
    """From the same rows."""
    points = [
        RankPoint(kind="weak", ranks=ranks, items=8 * ranks, rate=100 * ranks / (1 + ranks / 8), one=100 / 1.125)
        for ranks in (1, 2, 3, 4, 6, 8, 12, 16)
    ]
    assert "samples_per_second against ranks" in said(points)
    with (tmp_path / "ranks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows("made_up", points)])
    given = ["--x", "ranks", "--y", "samples_per_second", "--kind", "unbounded", "--better", "higher"]
    assert 0 == main(["curves", "fit", str(tmp_path / "ranks.csv"), *given, "--where", "scaling=weak"])
    assert "samples_per_second against ranks" in capsys.readouterr().out
