"""Rows of one table are of the same seeds: an easy fold is no merit of a technique."""
# the expected value stands on the left

from dataclasses import replace

import pytest
from samples import header, measured

from suite.analysis.plan.returns import returns
from suite.report.results.folder import RunFolder
from suite.report.same_seeds import lines, same_seeds
from suite.report.tradeoffs import write

BASE = measured(
    "baseline", "accuracy", 0.9, low=0.88, high=0.92, seeds=(0, 1, 2), by_seed=(0.92, 0.89, 0.89), noise=0.01
)
TECHNIQUE = measured("static_int8", "accuracy", 0.92, low=0.9, high=0.94, seeds=(0,), by_seed=(0.92,))


def test_the_baseline_is_reduced_to_the_seeds_of_the_techniques():
    """Its mean over three seeds is 0.9, and a technique of seed 0 alone would seem to gain two points."""
    base, own = same_seeds([BASE, TECHNIQUE])
    assert TECHNIQUE == own
    assert (0.92, (0,), (0.92,), None) == (base.value, base.seeds, base.by_seed, base.noise)
    assert pytest.approx((0.92 - 0.02 * 3**0.5, 0.92 + 0.02 * 3**0.5)) == (base.low, base.high)


def test_no_interval_of_a_share_reaches_beyond_all_items():
    """A table would say 100.41 %. A ratio keeps its interval, whatever it is."""
    base = replace(BASE, value=0.99, low=0.975, high=1.0, by_seed=(0.995, 0.99, 0.985))
    widened = same_seeds([base, TECHNIQUE])[0]
    assert 1.0 == widened.high
    assert widened.low < base.low + 0.005
    ratio = measured("baseline", "accuracy_vs_control", 0.0, low=-0.9, high=0.9, seeds=(0, 1), by_seed=(0.0, 0.0))
    own = measured("static_int8", "accuracy_vs_control", 0.0, seeds=(0,), by_seed=(0.0,))
    assert (-1.0, 1.0) == (same_seeds([ratio, own])[0].low, same_seeds([ratio, own])[0].high)


def test_nothing_changes_where_all_cells_have_the_same_seeds_or_name_no_values():
    """Older runs, counts, other workloads."""
    elsewhere = measured("static_int8", "accuracy", 0.7, seeds=(5,), by_seed=(0.7,), workload="other")
    unnamed = measured("static_int8", "accuracy", 0.92, seeds=(0,))
    for found in ([BASE], [BASE, elsewhere], [BASE, unnamed], [measured("baseline", "macs", 5)]):
        assert found == same_seeds(found)
        assert [] == lines(found)


def test_seeds_that_have_nothing_in_common_stay():
    """There is nothing that could be compared instead."""
    other = measured("static_int8", "accuracy", 0.92, seeds=(7,), by_seed=(0.92,))
    assert [BASE, other] == same_seeds([BASE, other])


def test_the_worst_seed_is_the_worst_of_those_that_are_left():
    """It is no mean."""
    base = measured("baseline", "accuracy_worst_seed", 0.89, seeds=(0, 1, 2), by_seed=(0.92, 0.89, 0.91))
    own = measured("static_int8", "accuracy_worst_seed", 0.92, seeds=(0,), by_seed=(0.92,))
    assert 0.92 == same_seeds([base, own])[0].value


def test_the_tables_say_which_seeds_they_compare(tmp_path):
    """Means over all seeds stay in results.csv, with the seeds."""
    folder = RunFolder.create(tmp_path, header(scores={BASE.cell.workload: ("accuracy",)}))
    folder.append(BASE, TECHNIQUE)
    results, _, markdown = (path.read_text("utf-8") for path in write(folder))
    assert "digits_cnn on cpu is compared over seed 0, which all cells have" in markdown
    assert 2 == markdown.count("92.00 %")
    assert "0 1 2" in results


def test_workloads_that_compare_the_same_seeds_share_a_line():
    """A run of three workloads says it once."""
    found = [(BASE, TECHNIQUE), *([on(one, "stdlib_lm") for one in (BASE, TECHNIQUE)],)]
    (line,) = lines([one for pair in found for one in pair])
    assert line.startswith("digits_cnn, stdlib_lm on cpu are compared over seed 0, which all cells have")


def on(found, workload):
    return replace(found, cell=replace(found.cell, workload=workload))


def test_a_training_that_is_shared_saves_exactly_nothing(tmp_path):
    """A technique of serving takes the baseline's training of seed 0; three other seconds are no saving."""
    seconds = {"seeds": (0, 1, 2), "by_seed": (10.0, 11.0, 12.0), "low": 9.0, "high": 13.0}
    folder = RunFolder.create(tmp_path, header())
    folder.append(
        measured("baseline", "train_seconds", 11.0, **seconds), BASE, TECHNIQUE,
        measured("static_int8", "train_seconds", 10.0, seeds=(0,), by_seed=(10.0,)),
    )  # fmt: skip
    (found,) = returns(folder)
    assert (0.0, 0.0) == (found.training_saved.value, found.training_seconds.value)
    assert (0.0, 0.0) == (found.training_saved.low, found.training_saved.high)
