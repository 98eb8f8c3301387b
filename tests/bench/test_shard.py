"""A run in parts: every cell in exactly one, the same on each machine, balanced by an earlier run's durations."""
# the expected value stands on the left

import argparse
from dataclasses import replace

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from samples import header

from suite.bench.request import RunRequest
from suite.bench.shard import Shard, ShardLabel, choose, expected_seconds, split
from suite.core.errors import SetupError
from suite.core.records import Cell, Duration
from suite.report.results.folder import RunFolder

PLAIN = tiny.case_of(tiny.registry(), "nhwc")
CASES = [replace(PLAIN, cell=replace(PLAIN.cell, technique=f"t{number}")) for number in range(10)]
seconds = st.lists(st.floats(0, 1e4), max_size=40)


@given(seconds=seconds, count=st.integers(1, 16), seed=st.randoms())
def test_every_cell_is_in_exactly_one_part_in_whatever_order_cells_are_given(seconds, count, seed):
    """No part knows of another: all of them compute the same."""
    names = [f"cell {number}" for number in range(len(seconds))]
    parts = dict(zip(names, split(seconds, names, count), strict=True))
    assert set(parts.values()) <= set(range(1, count + 1))
    order = list(range(len(seconds)))
    seed.shuffle(order)
    shuffled = [names[index] for index in order]
    assert parts == dict(zip(shuffled, split([seconds[index] for index in order], shuffled, count), strict=True))


@given(seconds=seconds, count=st.integers(1, 16))
def test_no_part_takes_longer_than_the_mean_and_the_longest_cell(seconds, count):
    """Graham's bound for cells that are dealt out one after the other."""
    parts = split(seconds, [str(number) for number in range(len(seconds))], count)
    spent = [
        sum(one for one, part in zip(seconds, parts, strict=True) if part == number) for number in range(1, count + 1)
    ]
    assert max(spent) <= sum(seconds) / count + max(seconds, default=0) + 1e-6


@given(count=st.integers(1, 10))
def test_the_parts_of_a_selection_are_the_selection(count):
    """In the order of the whole run, under one digest."""
    chosen = [choose(Shard(number=number, count=count), CASES, {}) for number in range(1, count + 1)]
    assert sorted(map(str, CASES)) == sorted(str(case) for cases, _ in chosen for case in cases)
    assert 1 == len({label.plan for _, label in chosen})
    assert all([str(c) for c in CASES if c in cases] == list(map(str, cases)) for cases, _ in chosen)
    sizes = [len(cases) for cases, _ in chosen]
    assert max(sizes) - min(sizes) <= 1


def test_a_long_cell_has_a_part_of_its_own():
    """The durations of an earlier run balance the parts."""
    known = {case.cell: 1.0 for case in CASES} | {CASES[4].cell: 100.0}
    assert [CASES[4]] == choose(Shard(number=1, count=2), CASES, known)[0]


def test_other_durations_are_another_plan():
    """Parts that were dealt out differently do not belong together."""
    shard = Shard(number=1, count=2)
    assert choose(shard, CASES, {})[1].plan != choose(shard, CASES, {CASES[0].cell: 9.0})[1].plan


def test_an_unknown_cell_takes_as_long_as_its_workloads_others():
    """Else as long as all, else a second."""
    cells = [Cell(workload=w, technique=t, device="cpu") for w, t in (("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"))]
    assert [8, 8, 2, 2] == expected_seconds(cells, {cells[0]: 8, cells[2]: 2})
    assert [8, 8, 8, 8] == expected_seconds(cells, {cells[0]: 8})
    assert [1, 1, 1, 1] == expected_seconds(cells, {})


def test_a_part_without_a_cell_is_refused_with_the_number_of_cells():
    """It would measure nothing and look like a pass."""
    with pytest.raises(SetupError, match=r"--shard 12/16 has no cell: the run has 10"):
        choose(Shard(number=12, count=16), CASES, {})


@pytest.mark.parametrize("text", ["0/4", "5/4", "3", "a/b", "-1/2", "1/0", "1/2/3"])
def test_what_is_no_part_is_refused_with_an_example(text):
    """A slip is told before anything is measured."""
    with pytest.raises(argparse.ArgumentTypeError, match="write 3/16"):
        Shard.parse(text)


def test_a_label_comes_back_from_its_text():
    """A header holds it."""
    label = ShardLabel(shard=Shard.parse("3/16"), plan="5f2e9a01b3c4")
    assert label == ShardLabel.read(str(label))
    assert ShardLabel.read("") is None


def request(**given):
    return RunRequest(given={"shard": None, "durations": None, "expect": "gate", **given})


def test_a_run_without_a_shard_has_all_cells():
    """And its header names none."""
    assert (CASES, "") == request().part(CASES)


def test_durations_come_from_the_folder_that_is_named(tmp_path):
    """Each machine has to be given the same one."""
    folder = RunFolder.create(tmp_path, header())
    folder.append(
        Duration(cell=CASES[4].cell, group="size", seconds=60), Duration(cell=CASES[4].cell, group="speed", seconds=60)
    )
    folder.append(*(Duration(cell=case.cell, group="size", seconds=1) for case in CASES if case is not CASES[4]))
    assert [CASES[4]] == request(shard=Shard.parse("1/2"), durations=folder.path).part(CASES)[0]


def test_a_shard_that_would_record_and_durations_without_a_shard_are_refused(tmp_path):
    """A part must not look like all."""
    with pytest.raises(SetupError, match="a shard records nothing"):
        request(shard=Shard.parse("1/2"), expect="record").part(CASES)
    with pytest.raises(SetupError, match="--durations balances shards"):
        request(durations=tmp_path).part(CASES)


def test_more_parts_than_cells_cost_no_memory():
    """The last parts are empty, and an empty one is refused."""
    many = 999_999_999_999
    assert 1 == len(choose(Shard(number=1, count=many), CASES, {})[0])
    with pytest.raises(SetupError, match="has no cell: the run has 10"):
        choose(Shard(number=many, count=many), CASES, {})
