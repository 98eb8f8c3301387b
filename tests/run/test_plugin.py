"""Small decisions of the pytest plugin; whole runs are in tests/system."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from suite.records import Cell
from suite.run import plugin
from suite.settings import PACKAGE


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["suite.benchmarks"], True),
        (["suite.benchmarks::test_size"], True),
        ([str(PACKAGE / "benchmarks")], True),
        ([str(PACKAGE / "benchmarks" / "test_cells.py") + "::test_size"], True),
        (["testsuite/benchmarks"], False),
        (["tests"], False),
        ([], False),
    ],
)
def test_only_the_suites_own_benchmarks_make_a_bench_run(arguments, expected):
    """Another project's folder of a similar name is left alone."""
    assert expected is plugin._is_bench(SimpleNamespace(args=arguments))


def test_an_item_without_cells_belongs_to_none():
    """For an empty list of parameters pytest makes one item with a marker of its own in their place."""
    cell = Cell(workload="w", technique="t", device="cpu")
    with_cell, without = (SimpleNamespace(callspec=SimpleNamespace(params={"suite_cell": p})) for p in (cell, object()))
    assert cell == plugin._cell(with_cell)
    assert plugin._cell(without) is None
    assert plugin._cell(SimpleNamespace()) is None
