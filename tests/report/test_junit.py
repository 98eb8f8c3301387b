"""What a JUnit file says of a verdict."""
# the expected value stands on the left

import samples

from suite.core.records import Expectation, Verdict, VerdictKind
from suite.report.junit import properties


def test_a_verdict_brings_figure_interval_bound_and_place():
    """Numbers in full, the bound with its file and line."""
    found = samples.measured(samples.PRUNED, "speedup", 1.98765432, low=1.9, high=2.06)
    entry = Expectation(
        workload="digits_cnn", technique=samples.PRUNED, metric="speedup", level="any", value=2.3, unit="1",
        better="higher", tier="local", low=2.17, path="expectations/any/digits_cnn.toml", line=12,
    )  # fmt: skip
    verdict = Verdict(
        kind=VerdictKind.REGRESSED, cell=found.cell, metric="speedup", group="speed", reason="twice",
        measurement=found, expectation=entry,
    )  # fmt: skip
    expected = [
        ("speedup.verdict", "regressed"),
        ("speedup.value", "1.98765432"),
        ("speedup.low", "1.9"),
        ("speedup.high", "2.06"),
        ("speedup.unit", found.unit),
        ("speedup.bound", ">= 2.17 (expectations/any/digits_cnn.toml:12)"),
        ("speedup.reason", "twice"),
    ]
    assert expected == properties([verdict])


def test_a_group_that_broke_bears_its_own_name():
    """There is no metric to name, no figure and no bound."""
    cell = samples.UNAVAILABLE.cell
    broken = Verdict(kind=VerdictKind.ERROR, cell=cell, metric="", group="speed", reason="no kernel")
    assert [("speed.verdict", "error"), ("speed.reason", "no kernel")] == properties([broken])
