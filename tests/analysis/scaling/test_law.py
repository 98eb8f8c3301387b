"""A user's training runs as a law of two resources."""

import numpy as np
import pytest

from suite.analysis.scaling.data import DataError
from suite.analysis.scaling.law import lawful
from suite.core.errors import UsageError
from suite.curves import FitError
from suite.curves.families.loss_law import BESIROGLU

COLUMNS = {"parameters": "n", "tokens": "d", "y": "loss"}


@pytest.fixture
def runs(tmp_path):
    """Sixty runs of the published law, line 5 far off."""
    random = np.random.default_rng(0)
    n, d = 10 ** random.uniform(7, 10, 60), 10 ** random.uniform(9, 11, 60)
    loss = BESIROGLU(np.stack([n, d], axis=-1)) * np.exp(random.normal(0, 0.002, 60))
    loss[3] *= 1.3
    path = tmp_path / "runs.csv"
    path.write_text("n,d,loss\n" + "".join(f"{a:.6e},{b:.6e},{c:.6f}\n" for a, b, c in zip(n, d, loss, strict=True)))
    return path


def test_constants_outliers_budgets_and_targets_are_told(runs):
    """With intervals; the run far off by its line."""
    said = lawful(runs, **COLUMNS, compute=[5.76e23], targets=[2.2, 1.0])
    assert "loss = E + A / N^alpha + B / D^beta, from 60 runs" in said
    assert "lines 5." in said
    best = BESIROGLU.optimal(5.76e23)
    size = float(said.partition("N = ")[2].split()[0])
    assert best[0] / 1.5 < size < 1.5 * best[0]
    assert "a loss of 2.2 needs " in said
    assert "a loss of 1 is unreachable at 95%" in said


def test_a_bad_cell_is_named(tmp_path):
    (tmp_path / "runs.csv").write_text("n,d,loss\n1e6,-1,3\n")
    with pytest.raises(DataError, match=r"runs\.csv:2: column 'd' must be above 0, got -1"):
        lawful(tmp_path / "runs.csv", **COLUMNS)


def test_runs_without_a_loss_are_skipped_and_counted(runs):
    """They have not ended yet."""
    runs.write_text(runs.read_text("utf-8") + "1e8,1e9,\n", "utf-8")
    assert "Note: skipped 1 of 61 rows without a value in column 'n' or 'd' or 'loss' (line 62)." in lawful(
        runs, **COLUMNS
    )


def test_too_few_runs_are_refused(tmp_path):
    (tmp_path / "runs.csv").write_text("n,d,loss\n1e6,1e9,3\n2e6,1e9,2.9\n")
    with pytest.raises(FitError, match="5 constants"):
        lawful(tmp_path / "runs.csv", **COLUMNS)


def test_a_budget_is_positive(runs):
    with pytest.raises(UsageError, match="--compute 0: must be a finite number above 0"):
        lawful(runs, **COLUMNS, compute=[0.0])
