"""A new metric is one row of the catalogue."""
# the expected value stands on the left

from datetime import date

import pandas as pd
import pytest
import samples

from suite.cli.listing import lines
from suite.core.metrics import METRICS, measured
from suite.core.records import Cell, Metric, VerdictKind
from suite.gate import check, load_all, record
from suite.registry import REGISTRY
from suite.report.results.folder import RunFolder
from suite.report.tradeoffs import write

ROW = Metric(name="spilled", unit="B", better="lower", tier="portable", group="memory", about="bytes a batch spills")
CELL = Cell(workload="digits_cnn", technique="narrow(width=0.25)", device="cpu")


@pytest.fixture
def spilled(monkeypatch):
    """The row, and nothing else."""
    monkeypatch.setitem(METRICS, ROW.name, ROW)
    return measured(CELL, "spilled", 2.0)


def verdict(measurement, folder):
    header = samples.header()
    (found,) = check(
        measurements=[measurement], failures=[], expectations=load_all(folder), where=header.where,
        planned={CELL: ("memory",)}, fresh_processes=True, quiet=True, today=date(2026, 11, 29),
    )  # fmt: skip
    return found


def test_it_is_recorded_and_gated(spilled, tmp_path):
    """In the direction that its row says."""
    record([spilled], header=samples.header(), directory=tmp_path)
    assert VerdictKind.PASS == verdict(spilled, tmp_path).kind
    assert VerdictKind.REGRESSED == verdict(measured(CELL, "spilled", 4.0), tmp_path).kind


def test_it_is_listed_and_reported(spilled, tmp_path):
    """In the list of metrics and in the table of all results."""
    assert any("spilled" in line and "bytes a batch spills" in line for line in lines(REGISTRY, "metrics", []))
    folder = RunFolder.create(tmp_path, samples.header())
    folder.append(spilled)
    write(folder)
    table = pd.read_csv(folder.path / "results.csv")
    assert [2.0] == list(table[table["metric"] == "spilled"]["value"])
