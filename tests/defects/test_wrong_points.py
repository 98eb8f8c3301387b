"""Tables of points that were read wrongly, and curves that were wrong without a word: each with what is right."""
# the expected value stands on the left

import pytest

pytestmark = pytest.mark.system

REFUSED = 11


@pytest.mark.parametrize("command", [("advise", "--csv"), ("curves", "fit")], ids=" ".join)
@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("30", "thousands.csv", "thousands.csv:4: 3 cells under 2 columns"),
        ("30", "thousands_3col.csv", "thousands_3col.csv:"),
        ("31", "decimal_comma.csv", "decimal_comma.csv:2: 3 cells under 2 columns"),
        ("31", "latin1.csv", "latin1.csv:1: cannot be read"),
    ],
)
def test_a_table_that_cannot_be_read_for_sure_is_refused_with_its_line(run, command, name, file, said):
    columns = ("--x", "amount", "--y", "score") if command == ("curves", "fit") else ()
    done = run(name, *command, file, *columns)
    assert REFUSED == done.returncode
    assert said in done.stderr


def test_a_table_in_order_is_advised_on(run):
    done = run("30", "advise", "--csv", "plain.csv")
    assert 0 == done.returncode
    assert "better when higher (by its name)" in done.stdout


@pytest.mark.parametrize(
    ("name", "file", "columns"),
    [
        ("36", "val_loss_rises.csv", ("--x", "epoch", "--y", "val_loss")),
        ("36", "val_loss_u_shape.csv", ("--x", "epoch", "--y", "val_loss", "--train", "train_loss")),
        ("37", "diverges.csv", ("--x", "step", "--y", "loss", "--worth", "0.01")),
        ("37", "grokking.csv", ("--x", "step", "--y", "accuracy")),
        ("curves", "diverging_loss.csv", ()),
        ("curves", "yolo_dfl_6_epochs.csv", ("--x", "epoch", "--y", "val_dfl")),
    ],
)
def test_no_resources_are_advised_for_a_curve_that_gets_worse_or_that_nobody_can_tell(run, name, file, columns):
    done = run(name, "advise", "--csv", file, *columns)
    assert "add resources: a doubling gains" not in done.stdout
    assert "I cannot tell" in done.stdout or done.returncode == REFUSED


def test_an_error_rate_that_falls_is_better_when_lower(run):
    done = run("36", "advise", "--csv", "error_rate_falls.csv", "--y", "error")
    assert 0 == done.returncode
    assert "better when lower (by its name)" in done.stdout


@pytest.mark.parametrize(("file", "said"), [("spike.csv", "outl"), ("double_descent.csv", "no family describes")])
def test_points_that_no_family_describes_are_doubted(run, file, said):
    column = "step" if file == "spike.csv" else "width"
    assert said in run("37", "curves", "fit", file, "--x", column, "--y", "loss").stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("good", "1 of 1 expectations"),
        ("bom", "1 of 1 expectations"),
        ("crlf", "1 of 1 expectations"),
        ("conflict", "holds the markers of an unfinished merge"),
        ("twice", "twice"),
        ("typo", "did you mean low?"),
        ("percent", "write 0.85"),
        ("comma", "write low = 0.85"),
        ("utf16", "save it as UTF-8"),
    ],
)
def test_an_expectation_file_is_read_or_says_what_to_mend(run, name, said):
    done = run("60", "lint", name)
    assert said in done.stdout + done.stderr
    assert (0 if said.startswith("1 of 1") else REFUSED) == done.returncode


@pytest.mark.parametrize(
    ("script", "wrong"),
    [
        ("allocate_false_proof.py", "allocate 0.4"),
        ("best_spending.py", "Error"),
        ("cancelled_slope.py", "Traceback"),
    ],
)
def test_a_script_that_showed_a_wrong_figure_shows_it_no_more(script_of, script, wrong):
    done = script_of("curves", script)
    assert 0 == done.returncode
    assert wrong not in done.stdout.splitlines()[0]


def test_an_interval_wider_than_anything_seen_is_abstained_from(script_of):
    """Losses that fall faster and faster over six epochs."""
    done = script_of("curves", "blow_up.py")
    assert 0 == done.returncode, done.stderr
    lines = done.stdout.splitlines()
    assert 2 == len(lines)
    assert all(line.endswith("the interval is wider than the range of all measured values") for line in lines)


def test_derivatives_hold_where_the_amplitude_is_far_below_the_asymptote(script_of):
    """Relative errors, which were -1: the amplitude was lost in a difference."""
    done = script_of("curves", "cancelled_slope.py")
    assert [] == [line for line in done.stdout.splitlines() if abs(float(line.split()[-1])) > 1e-9]


def test_a_property_of_a_family_does_not_fail_at_random(script_of):
    done = script_of("curves", "flake.py")
    assert done.stdout.startswith("0 of ")
