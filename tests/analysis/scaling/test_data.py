"""A user's points: what is taken for what, and what is left out with a note. Faults of the file: test_csv_points."""
# the expected value stands on the left

import numpy as np
import pytest

from suite.analysis.scaling.data import Columns, DataError, read
from suite.cli.main import main

GOOD = "tokens,loss,noise\n100,4.0,0.1\n\n200,3.5,0.1\n"
COLUMNS = Columns(x="tokens", y="loss")


def written(folder, text):
    path = folder / "data.csv"
    path.write_text(text, "utf-8")
    return path


def test_columns_are_found_by_name(tmp_path):
    found = read(written(tmp_path, GOOD), Columns(x="tokens", y="loss", sigma="noise"))
    assert ([100, 200], [4.0, 3.5], [0.1, 0.1]) == tuple(map(list, (found.resource, found.quality, found.sigma)))
    assert ("loss", "lower") == (found.kind, found.better)


def test_noise_of_nothing_is_refused(tmp_path):
    """It would weigh endlessly."""
    with pytest.raises(DataError, match=r"data\.csv:2: column 'noise' must be above 0, got 0"):
        read(written(tmp_path, "tokens,loss,noise\n100,4.0,0\n"), Columns(x="tokens", y="loss", sigma="noise"))


def test_what_is_skipped_is_said(tmp_path):
    """Rows without a value, the point before training."""
    found = read(written(tmp_path, "tokens,loss\n0,9\n100,4\n150,\n200,3\n"), COLUMNS)
    assert [100, 200] == found.resource.tolist()
    assert 2 == sum(note.startswith("skipped 1") for note in found.notes)


def test_a_column_that_tells_no_direction_is_fitted_without_a_forecast(tmp_path):
    """Families need none."""
    found = read(written(tmp_path, "tokens,value\n100,4\n200,3\n"), Columns(x="tokens", y="value"))
    assert found.better is None
    assert found.notes[0].startswith("no forecast by `extrapolate`: 'value' does not tell whether higher or lower")
    path = tmp_path / "data.csv"
    assert "lower" == read(path, Columns(x="tokens", y="value"), better="lower").better


STEPS = np.arange(100.0, 2500.0, 100.0)


def log(loss, lr=None):
    rate = np.ones(len(STEPS)) if lr is None else lr
    rows = zip(STEPS, loss, rate, strict=True)
    return "step,loss,lr\n" + "".join(f"{step:g},{value:.6g},{r:g}\n" for step, value, r in rows)


def test_a_spike_is_left_out_and_named(tmp_path):
    """The points around it lie on a power law."""
    loss = 1.5 + 47.5 * STEPS**-0.6
    loss[14] = 8.3633
    found = read(written(tmp_path, log(loss)), Columns(x="step", y="loss"), annealed=True)
    assert 1500 not in found.resource
    assert any("left out as an outlier: 8.3633 at step 1500 is far from its neighbours" in n for n in found.notes)


def test_points_of_a_cooldown_are_left_out(tmp_path):
    """Unless each is the end of a training of its own."""
    text = log(3 - STEPS / 2000, np.minimum(1, (2500 - STEPS) / 1000))
    before = read(written(tmp_path, text), Columns(x="step", y="loss"))
    assert (1600, False) == (before.last, before.annealed)
    every = read(tmp_path / "data.csv", Columns(x="step", y="loss"), annealed=True)
    assert (2400, True) == (every.last, every.annealed)


def test_a_fit_says_what_it_assumed_and_left_out(tmp_path, capsys):
    """On the command line, above the tables."""
    text = "step;val_loss\n0;9\n" + "".join(f"{step:g};{1.5 + 47.5 * step**-0.6:.6g}\n" for step in STEPS)
    line = ["curves", "fit", str(written(tmp_path, text)), "--x=step", "--y=val_loss", "--family=pow3"]
    assert 0 == main(line)
    said = capsys.readouterr().out
    assert "- val_loss is taken as a loss, better when lower (by its name)" in said
    assert "- skipped 1 row with 0 in column 'step' (line 2)" in said
    assert "- step looks like the time of one training" in said
    assert 0 == main([*line, "--annealed", "--kind=unbounded", "--better=lower"])
    said = capsys.readouterr().out
    assert "val_loss is taken as unbounded, better when lower (as given)" in said
    assert "looks like" not in said


@pytest.mark.parametrize("command", [["curves", "fit"], ["advise", "--csv"]])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("amount,score\n500,0.5\n1,000,0.6\n", ":3: 3 cells under 2 columns; write numbers with a decimal point"),
        ("amount,score\n250,0,350\n", ":2: 3 cells under 2 columns; write numbers with a decimal point"),
    ],
)
def test_both_commands_refuse_the_same_file_alike(command, text, fault, tmp_path, capsys):
    """A cell that is dropped gives the opposite advice."""
    path = written(tmp_path, text)
    assert 11 == main([*command, str(path), "--x=amount", "--y=score"])
    assert f"suite: {path}{fault}" in capsys.readouterr().err


def test_one_of_several_curves_is_chosen(tmp_path):
    """As for advice."""
    path = written(tmp_path, "workload,tokens,loss\na,1,2\nb,1,3\n")
    assert [3] == read(path, COLUMNS, where=["workload=b"]).quality.tolist()
    with pytest.raises(DataError, match="rows of several curves"):
        read(path, COLUMNS)
