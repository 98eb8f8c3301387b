"""Learning curves from tables: what is taken for what, and what is left out."""
# the expected value stands on the left

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.analysis.advise.curve import Measured, averaged, from_csv
from suite.core.errors import UsageError
from suite.curves import ExtrapolationError
from suite.curves.csv_points import TableError


def curve(folder, text, x="amount", y="score", *, train=None, rate=None, where=(), **options):
    path = folder / "points.csv"
    path.write_text(text, "utf-8")
    return from_csv(path, x, y, train=train, rate=rate, where=where).curve(**options)


def test_points_are_read_by_the_names_of_their_columns(tmp_path):
    """Other columns do not matter."""
    found = curve(tmp_path, "seed,score,amount\n0,0.5,10\n0,0.6,20\n")
    assert ([10, 20], [0.5, 0.6]) == (found.resource.tolist(), found.quality.tolist())


def test_a_training_column_is_read_beside(tmp_path):
    """For signs of overfitting."""
    assert [0.9] == curve(tmp_path, "amount,score,fit\n1,0.5,0.9\n", train="fit").train.tolist()


def test_a_training_column_that_is_logged_on_rows_of_its_own_is_interpolated(tmp_path):
    """As exports have it: the two charts share no row. Beyond its last row the last value counts."""
    text = "epoch,val_loss,train_loss\n1,,2\n2,3,\n3,,1\n4,2.5,\n"
    found = curve(tmp_path, text, "epoch", "val_loss", train="train_loss")
    assert ([2, 4], [3, 2.5], [1.5, 1]) == (found.resource.tolist(), found.quality.tolist(), found.train.tolist())
    assert "skipped 2 of 4 rows without a value in column 'epoch' or 'val_loss' (lines 2 to 4)" in found.notes


def test_the_direction_is_that_of_the_columns_name(tmp_path):
    """Whatever the values do; what was assumed is said."""
    found = curve(tmp_path, "epoch,val_loss\n1,2\n2,3\n", y="val_loss", x="epoch")
    assert ("loss", "lower") == (found.kind, found.better)
    assert "val_loss is taken as a loss, better when lower (by its name)" == found.notes[0]


def test_a_column_that_tells_no_direction_is_refused(tmp_path):
    """With the options that tell."""
    with pytest.raises(ExtrapolationError, match="'value' does not tell whether higher or lower is better; say --kind"):
        curve(tmp_path, "amount,value\n1,2\n2,3\n", y="value")
    assert "lower" == curve(tmp_path, "amount,value\n1,2\n2,3\n", y="value", kind="loss").better


LOG = "step,loss,lr\n" + "".join(f"{step},{3 - step / 10},{min(1.0, 2 - step / 5)}\n" for step in range(1, 10))


def test_points_of_the_cooldown_are_left_out(tmp_path):
    """They are better than the rate before would have made them; the column of the rate is found by its name."""
    found = curve(tmp_path, LOG, "step", "loss")
    assert [1, 2, 3, 4, 5] == found.resource.tolist()
    assert not found.annealed
    assert any("before the cooldown: the learning rate falls after step 5, so the 4 points" in n for n in found.notes)


def test_points_that_are_ends_of_trainings_are_kept(tmp_path):
    """Each was annealed."""
    found = curve(tmp_path, LOG, "step", "loss", annealed=True)
    assert 9 == len(found.resource)
    assert found.annealed
    assert not any("learning" in note for note in found.notes)


def test_a_log_without_a_learning_rate_is_warned_of(tmp_path):
    """A column of steps or epochs is the time of one training; amounts of data are not."""
    found = curve(tmp_path, "step,loss\n1,2\n2,1.5\n", "step", "loss")
    assert not found.annealed
    assert any("give --lr COLUMN, or --annealed" in note for note in found.notes)
    assert curve(tmp_path, "amount,loss\n1,2\n2,1.5\n", y="loss").annealed


def test_a_rate_that_never_fell_keeps_every_point(tmp_path):
    """The forecast is of training on."""
    found = curve(tmp_path, "step,loss,lr\n1,3,0.1\n2,2,1\n3,1.5,1\n", "step", "loss")
    assert 3 == len(found.resource)
    assert any("the learning rate never fell" in note for note in found.notes)


def test_one_of_several_curves_is_chosen(tmp_path):
    """Rows of two workloads are no curve."""
    text = "workload,amount,score\na,1,0.5\nb,1,0.7\n"
    assert [0.7] == curve(tmp_path, text, where=["workload=b"]).quality.tolist()
    with pytest.raises(TableError, match="rows of several curves, workload a, b; add --where workload=a"):
        curve(tmp_path, text)


def test_events_have_the_same_rules():
    """A scalar by its steps."""
    steps = np.arange(1.0, 6.0)
    rate = (steps, np.array([1, 1, 1, 0.5, 0.1]))
    found = Measured(source="runs", x="step", y="val/loss", resource=steps, quality=4 - steps / 2, rate=rate).curve()
    assert [1, 2, 3] == found.resource.tolist()
    assert "lower" == found.better


def test_seeds_are_averaged_and_amounts_sorted():
    """Repeated amounts are one point."""
    found = averaged("a", [(20, 0.7), (10, 0.5), (20, 0.9)])
    assert [10, 20] == found.resource.tolist()
    assert pytest.approx([0.5, 0.8]) == found.quality.tolist()
    assert found.train is None


def test_no_points_are_refused():
    """An event file may be empty."""
    with pytest.raises(UsageError, match="a holds no points"):
        averaged("a", [])


numbers = st.integers(-1000, 1000)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    """A curve is a set of points."""
    before = averaged("a", rows)
    random.shuffle(rows)
    after = averaged("a", rows)
    assert before.resource.tolist() == after.resource.tolist()
    assert pytest.approx(before.quality.tolist()) == after.quality.tolist()
