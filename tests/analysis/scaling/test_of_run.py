"""The points of a bench run's sweep: found by technique, parameter and metric; what is not there is said."""
# the expected value stands on the left

import pytest
from samples import header, measured

from suite.analysis.scaling.fit_bench_run import series
from suite.cli import main
from suite.core.errors import ResultsError, UsageError
from suite.report.results.folder import RunFolder

RATIOS = (0.1, 0.2, 0.4, 0.6, 0.8)


def run(tmp_path, ratios=RATIOS, epochs=(5,), workloads=("digits_cnn",)):
    folder = RunFolder.create(tmp_path, header())
    for workload in workloads:
        for stay in epochs:
            for ratio in reversed(ratios):
                name = f"structured_pruning(ratio={ratio},epochs={stay})"
                folder.append(measured(name, "accuracy", 1 - ratio**3 / 4, workload=workload))
    return folder.path


def points(path, **changes):
    return series(path, **({"technique": "structured_pruning", "along": "ratio", "quality": "accuracy"} | changes))


def test_the_points_of_a_sweep_ascend_in_the_parameter(tmp_path):
    """Each with its metric's value."""
    found = points(run(tmp_path))
    assert (list(RATIOS), [1 - ratio**3 / 4 for ratio in RATIOS]) == (list(found.resource), list(found.quality))


def test_too_few_points_are_counted_and_the_command_for_more_is_said(tmp_path):
    """No family of curves could be preferred."""
    with pytest.raises(ResultsError, match=r"holds 3 of the 5 points .*`suite bench --sweep --technique structured_pr"):
        points(run(tmp_path, (0.1, 0.2, 0.4)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quality": "acuracy"}, "unknown metric of this run 'acuracy'; did you mean accuracy"),
        ({"technique": "structured"}, "unknown technique of this run 'structured'; did you mean structured_pruning"),
        ({"along": "ratios"}, "unknown parameter of structured_pruning 'ratios'; did you mean ratio"),
        ({"workload": "digit_cnn"}, "unknown workload of this run 'digit_cnn'; did you mean digits_cnn"),
    ],
)
def test_what_the_run_does_not_hold_is_guessed(tmp_path, changes, said):
    """With the nearest name that it does."""
    with pytest.raises(UsageError, match=said):
        points(run(tmp_path), **changes)


def test_one_of_several_sweeps_is_chosen_by_what_stays(tmp_path):
    """Nothing is picked silently."""
    path = run(tmp_path, epochs=(5, 9))
    with pytest.raises(UsageError, match=r"sweeps ratio in structured_pruning\(epochs=5\), structured_pruning\(ep"):
        points(path)
    assert 5 == len(points(path, technique="structured_pruning(epochs=9)").resource)


def test_one_of_several_workloads_is_chosen_by_name(tmp_path):
    """Likewise."""
    path = run(tmp_path, workloads=("digits_cnn", "mnist_cnn"))
    with pytest.raises(UsageError, match="accuracy of digits_cnn, mnist_cnn; choose with --workload"):
        points(path)
    assert 5 == len(points(path, workload="mnist_cnn").resource)


def test_a_value_of_zero_has_no_place_on_a_curve(tmp_path):
    """Curves are about positive amounts."""
    with pytest.raises(ResultsError, match=r"structured_pruning.ratio has the value 0.0"):
        points(run(tmp_path, (0.0, *RATIOS)))


def test_the_command_fits_a_runs_sweep(tmp_path, capsys):
    """And refuses a file beside a run."""
    path = str(run(tmp_path))
    chosen = ["--technique", "structured_pruning", "--along", "ratio"]
    assert 0 == main.main(["curves", "fit", "--from", path, *chosen, "--family", "logarithm"])
    assert "accuracy against ratio" in capsys.readouterr().out
    assert 0 != main.main(["curves", "fit", "data.csv", "--from", path, *chosen])
    assert "give points either as FILE" in capsys.readouterr().err
