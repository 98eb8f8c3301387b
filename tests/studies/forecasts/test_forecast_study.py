"""The study of forecasts, on a small folder in LCDB's format."""

import json

import numpy as np
import pytest

from studies.forecasts import planted, rivals, samples
from studies.forecasts import table as study
from suite.curves.forecasting import ExtrapolationError

ANCHORS = np.round(16 * 2 ** (np.arange(48) / 8)).astype(int)
LEARNERS = ["Tree", "Dips", "Flat", "DummyClassifier"]


def errors(learner, seed):
    """Error rates [anchor] of a learner: a power law, the same with a valley, a constant."""
    law = 0.1 + (0.3 + 0.02 * seed) * (ANCHORS / 16) ** -0.4
    noise = 0.002 * np.random.default_rng(seed).standard_normal(len(ANCHORS))
    valley = 0.2 * np.exp(-(((np.arange(48) - 20) / 4) ** 2))
    return {"Tree": law + noise, "Dips": law + noise + valley, "Flat": 0.2 + 0.1 * noise}.get(learner, law)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three data sets; the last anchor of the last one is missing."""
    tmp_path = tmp_path_factory.mktemp("lcdb")
    (tmp_path / "meta.json").write_text(json.dumps({"learners": LEARNERS, "anchors": ANCHORS.tolist()}))
    (tmp_path / "er").mkdir()
    for dataset in range(3):
        cells = np.zeros((len(LEARNERS), 2, len(ANCHORS), 3))
        cells[:, 0] = np.array([errors(learner, dataset) for learner in LEARNERS])[..., None]
        cells[:, 1] = 0.002
        nested = cells.tolist()
        if dataset == 2:
            for learner in nested:
                learner[0][-1] = [None] * 3
        (tmp_path / "er" / f"{dataset}.json").write_text(json.dumps(nested))
    return tmp_path


def test_flat_curves_and_the_baseline_are_dropped(folder):
    """Nothing is to be predicted of them."""
    found = [(sample.dataset, sample.learner) for sample in samples.read(folder)]
    assert [(str(dataset), learner) for dataset in range(3) for learner in ("Tree", "Dips")] == found


def test_the_top_two_doublings_are_held_back(folder):
    """Sixteen anchors, as accuracies, also where the last is missing."""
    first, last = samples.read(folder)[0], samples.read(folder)[-1]
    assert (32, 16) == (len(first.x), len(first.to))
    assert (31, 16) == (len(last.x), len(last.to))
    assert pytest.approx(1 - errors("Tree", 0)) == np.concatenate([first.y, first.future])


def test_curves_that_truly_fall_are_not_ordinary(folder):
    """By their standard errors, not by the detector that is studied."""
    assert [True, False] * 3 == [sample.ordinary for sample in samples.read(folder)]


@pytest.fixture(scope="module")
def table(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "RESAMPLES", 20)
        return study.study(folder)


def test_the_table_gives_each_figure_with_its_interval_and_target(table):
    """Half of the curves dip, and are abstained on; the others never."""
    assert 0.5 == table.loc["abstention, all curves", "value"]
    assert 0.0 == table.loc["false abstention, ordinary curves", "value"]
    assert 1.0 == table.loc["recall, dips of 0.5 ranges", "value"]
    assert ">= 0.90" == table.loc["recall, dips of 0.3 ranges", "target"]
    shares = table.drop(index=["curves/s"])
    assert (shares["low"] <= shares["high"]).all()
    assert set(study.TARGETS) <= set(table.index)


def test_a_wider_level_covers_at_least_as_much(table):
    """Of the same curves."""
    assert table.loc["coverage at 80 %", "value"] <= table.loc["coverage at 90 %", "value"]


def test_main_prints_the_table(folder, capsys, monkeypatch):
    """Markdown, exit code 0."""
    monkeypatch.setattr(study, "RESAMPLES", 2)
    monkeypatch.setattr(study, "DEPTHS", (0.3,))
    assert 0 == study.main(folder)
    assert "| RMSE / best family" in capsys.readouterr().out


def test_main_says_what_a_folder_lacks(tmp_path, capsys):
    """Exit code 2 and a message."""
    assert 2 == study.main(tmp_path)
    assert "holds no meta.json; give a folder in the format of LCDB" in capsys.readouterr().err


def test_a_folder_without_curves_is_an_error(tmp_path):
    """Not an empty table."""
    (tmp_path / "meta.json").write_text(json.dumps({"learners": LEARNERS, "anchors": ANCHORS.tolist()}))
    with pytest.raises(ExtrapolationError, match="holds no curve of 40 anchors"):
        samples.read(tmp_path)


X = ANCHORS[None, :40].astype(float)
TRUTHS = {
    "pow3": lambda x: 0.9 - 0.5 * (x / 16) ** -0.37,
    "pow4": lambda x: 0.9 - 0.5 * ((x + 120) / 136) ** -0.8,
    "exp3": lambda x: 0.9 - 0.5 * np.exp(-x / 170),
    "wbl4": lambda x: 0.9 - 0.5 * np.exp(-((x / 170) ** 0.7)),
    "mmf4": lambda x: 0.9 - 0.5 / (1 + (x / 90) ** 1.2),
    "log": lambda x: 0.3 + 0.05 * np.log(x),
    "ilog": lambda x: 0.9 - 0.8 / np.log(x),
}


@pytest.mark.parametrize("family", rivals.FAMILIES)
def test_a_rival_recovers_its_own_curve(family):
    """It is fitted as well as it can be: the comparison is fair."""
    to = X[:, -1:] * np.array([[2.0, 4.0]])
    assert pytest.approx(TRUTHS[family](to), abs=2e-5) == rivals.predict(family, X, TRUTHS[family](X), to)


@pytest.mark.parametrize("family", rivals.FAMILIES)
def test_a_rival_is_finite_for_any_curve(family):
    """Noise, late rises and steps over 17 doublings: its search does not run away."""
    x = np.tile(16 * 2.0 ** (np.arange(103) / 6), (60, 1))
    y = np.clip(
        np.random.default_rng(0).random((60, 103)) * 0.1 + (np.arange(103) > np.arange(0, 120, 2)[:, None]), 0, 1
    )
    assert np.isfinite(rivals.predict(family, x, y, 4 * x[:, -1:])).all()


def test_gaps_do_not_count_for_a_rival():
    """As for the forecast."""
    y = TRUTHS["pow3"](X)
    y[0, [3, 9]] = np.nan
    to = X[:, -1:] * 4
    assert pytest.approx(TRUTHS["pow3"](to), abs=2e-5) == rivals.predict("pow3", X, y, to)


def test_a_planted_dip_falls_by_its_depth():
    """Net, though the curve would have risen meanwhile."""
    t = np.log2(X[0] / X[0, -1])
    y = TRUTHS["pow3"](X[0])
    dips = planted.planted(t, y, 0.1, np.random.default_rng(0))
    depths = {name: np.max(np.maximum.accumulate(dip) - dip) for name, dip in dips.items()}
    assert pytest.approx(dict.fromkeys(depths, 0.1), abs=0.02) == depths


def test_the_noise_of_a_curve_is_told_from_its_differences():
    """Within a tenth, at 2000 points around a trend."""
    y = np.linspace(0, 1, 2000) + 0.01 * np.random.default_rng(0).standard_normal(2000)
    assert pytest.approx(0.01, rel=0.1) == planted.noise(y)
