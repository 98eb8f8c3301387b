"""A run of curves on the tiny workload: planned, trained once, kept at once, resumed, pooled by items."""
# the expected value stands on the left

import csv
import shutil
from dataclasses import replace

import pytest
import tiny

from suite.analysis.scaling import plan, report, session
from suite.analysis.scaling.compare import compared
from suite.analysis.scaling.folder import CurveFolder
from suite.analysis.scaling.plan import PROFILES, Profile, ScalingSweep, geometric, runs
from suite.analysis.scaling.pool import noise, pooled
from suite.analysis.scaling.session import ScalingOptions, train
from suite.core.errors import ResultsError, UsageError

SWEEPS = (
    ScalingSweep(workload="halves", resource="steps", shares=geometric(1 / 12, 1.0, 5)),
    ScalingSweep(workload="halves", resource="flops", shares=(0.25,)),
)


@pytest.fixture(scope="module", autouse=True)
def plan_of_few():
    """Two seeds of six points; the digest of the code is no matter here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "PROFILES", {"default": Profile(sweeps=SWEEPS, seeds=2)})
        patch.setattr("suite.bench.sources.digest", lambda _: "code")
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The one run that tests have copies of."""
    return train(tiny.registry(), ScalingOptions(reports_dir=tmp_path_factory.mktemp("trained")), lambda _: None).path


@pytest.fixture
def options(tmp_path):
    return ScalingOptions(reports_dir=tmp_path)


@pytest.fixture
def folder(tmp_path, trained):
    return CurveFolder.open(shutil.copytree(trained, tmp_path / trained.name))


def test_amounts_are_geometric():
    """Each the same factor above the one before, ends included."""
    assert (0.0625, 0.125, 0.25, 0.5, 1.0) == geometric(1 / 16, 1.0, 5)
    with pytest.raises(UsageError, match="at least 5 amounts"):
        geometric(0.5, 1.0, 4)


def test_every_training_of_a_profile_has_its_own_key():
    """So that a resumed run can tell what is there."""
    for profile in PROFILES.values():
        keys = [run.key for run in runs(profile)]
        assert len(set(keys)) == len(keys)


def test_a_strange_resource_is_guessed_and_a_strange_workload_gets_the_usual_sweeps():
    """A user's own workload has curves without a profile of its own."""
    with pytest.raises(UsageError, match="unknown resource 'step'; did you mean steps"):
        PROFILES["quick"].only((), ("step",))
    found = PROFILES["quick"].only(("mine",), ("steps",))
    assert [("mine", "steps")] == [(sweep.workload, sweep.resource) for sweep in found.sweeps]


def test_operations_grow_in_width_and_steps_together():
    """A quarter of the operations: about half the parameters, and the steps that use the quarter up."""
    whole, part = (
        plan.point(tiny.recipe(), plan.ScalingRun(workload="halves", resource="flops", share=share, seed=0, budget=1.0))
        for share in (1.0, 0.25)
    )
    assert whole.steps == tiny.STEPS
    assert part.parameters < whole.parameters
    assert pytest.approx(0.25, abs=0.6 / part.steps * 0.25 + 0.02) == part.flops / whole.flops


def test_a_budget_shortens_what_is_not_about_steps():
    """Half the steps at every width."""
    run = plan.ScalingRun(workload="halves", resource="parameters", share=0.5, seed=0, budget=0.5)
    assert tiny.STEPS // 2 == plan.point(tiny.recipe(), run).steps


def test_every_point_is_kept_with_its_items(folder):
    """A line and a file of items each; amounts are those that were trained."""
    rows = folder.rows()
    assert 12 == len(rows)
    assert all(folder.items(row).is_file() for row in rows)
    assert [1, 1, 2, 2, 3, 3, 6, 6, 12, 12] == [row.steps for row in rows if row.resource == "steps"]
    assert rows == CurveFolder.open(folder.path).rows()


def test_an_interrupted_run_goes_on_where_it_ended(options, folder, monkeypatch):
    """The last training raised Ctrl-C: all others are kept, and only it is trained again."""
    rows, said = folder.rows(), []
    path = folder.path / "points.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))

    def interrupted(*_):
        raise KeyboardInterrupt

    again = replace(options, resume=folder.path)
    with monkeypatch.context() as patch:
        patch.setattr("suite.analysis.scaling.train.trained", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(tiny.registry(), again, said.append)
    assert f"interrupted; the trained points are kept: continue with --resume {folder.path}" == said[-1]
    assert rows[:-1] == CurveFolder.open(folder.path).rows()
    said.clear()
    found = train(tiny.registry(), again, said.append).rows()
    assert 2 == len(said)
    assert "1 of 12 points" in said[0]
    assert [replace(row, seconds=0) for row in rows] == [replace(row, seconds=0) for row in found]


def test_figures_of_another_plan_are_not_mixed(options, folder):
    """Nor of other code, data or torch: the header names what differs."""
    with pytest.raises(ResultsError, match="cannot be resumed: its seeds is 2, now it is 3; start again"):
        train(tiny.registry(), replace(options, resume=folder.path, seeds=3), lambda _: None)
    with pytest.raises(ResultsError, match=r"is no run of curves: run\.json"):
        CurveFolder.open(folder.path / "items")


def test_a_line_that_cannot_be_read_is_named(folder):
    """With its number."""
    path = folder.path / "points.csv"
    path.write_text(path.read_text() + "halves,steps,much\n")
    with pytest.raises(ResultsError, match=r"points\.csv:14: no point of a curve"):
        folder.rows()


def test_seeds_are_pooled_over_their_items_and_the_noise_is_that_of_one_training(folder):
    """A share of right items: the interval holds the mean, and the noise is at least that of drawing 16 items."""
    rows = [row for row in folder.rows() if row.resource == "steps"]
    means = pooled(folder, rows, "higher")
    assert [1, 2, 3, 6, 12] == [row["amount"] for row in means]
    assert all(row["low"] <= row["quality"] <= row["high"] and 2 == row["seeds"] for row in means)
    sigma = noise(means, rows)
    assert all(sigma[row["share"]] >= row["item_noise"] > 0 for row in means)


def test_noise_is_unknown_where_items_are_not_right_or_wrong(folder):
    """A loss has no binomial noise: the fit estimates it."""
    rows = [row for row in folder.rows() if row.resource == "steps"]
    means = [{**row, "item_noise": float("nan")} for row in pooled(folder, rows, "higher")]
    assert noise(means, rows) is None


def test_the_report_has_a_section_for_each_curve_and_says_what_cannot_be_fitted(folder, monkeypatch):
    """One point is no curve; the rest of the report is written all the same."""
    monkeypatch.setattr(report, "compared", lambda series: compared(series, ("hill", "pow3"), profiles=False))
    text = report.write(folder, lambda _: None).read_text()
    assert 2 == text.count("\n## ")
    assert "Not fitted: I cannot tell which family is the best" in text
    with (folder.path / "means.csv").open() as file:
        assert 6 == len(list(csv.DictReader(file)))


def test_a_workload_that_is_not_trained_has_no_curve():
    """Said before anything is trained."""
    with pytest.raises(UsageError, match="unlabelled is not trained here, or has no score"):
        session.check(tiny.registry(), Profile(sweeps=(replace(SWEEPS[0], workload="unlabelled"),), seeds=1))
