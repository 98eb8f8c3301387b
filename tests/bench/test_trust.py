"""Whether a run can be believed as a whole: too many open figures, and the last net of absolute throughputs."""
# the expected value stands on the left

from dataclasses import replace

import pytest

from suite.bench.trust import FEWEST, UNSURE, saw_too_little, slowed
from suite.core.metrics import measured
from suite.core.records import Cell, Expectation, Origin, Verdict, VerdictKind


def verdict(value, *, metric="throughput", cell=0, kind=VerdictKind.PASS, stored=100.0):
    found = measured(Cell(workload="w", technique=f"t{cell}", device="cpu"), metric, value)
    entry = Expectation(
        metric=metric, value=stored or 1.0, unit=found.unit, better=found.better, tier=found.tier, workload="w",
        technique=found.cell.technique, level="cpu-test-2c", path="cpu-test-2c/w.toml", line=3, origin=Origin(),
    )  # fmt: skip
    return Verdict(
        kind=kind, cell=found.cell, metric=metric, group="speed", reason="", measurement=found,
        expectation=entry if stored else None,
    )  # fmt: skip


def served(*values, **changes):
    return [verdict(value, cell=k, **changes) for k, value in enumerate(values)]


def test_a_run_whose_cells_serve_less_than_half_of_what_was_stored_is_doubted():
    """Technique, baseline and kernel alike: no ratio has moved, but something has happened to the machine."""
    said = slowed(served(*[40.0] * 5, *[44.0] * 7, kind=VerdictKind.INCONCLUSIVE))
    assert "throughput is 0.44 [0.40, 0.44] times the stored one" in said
    assert "(median of 12 cells)" in said


@pytest.mark.parametrize(
    "verdicts",
    [
        served(*[70.0] * 12),
        served(*[40.0] * 8, *[60.0] * 8),
        served(*[40.0] * (FEWEST - 1)),
        served(*[40.0] * 12, stored=None),
        served(*[40.0] * 12, metric="speedup"),
        [verdict(40.0)] * 12,
    ],
    ids=["a slow hour", "half of the cells", "too few cells", "nothing stored", "ratios", "one cell many times"],
)
def test_what_an_hour_or_one_cell_does_is_no_doubt(verdicts):
    """They move by a third, and single cells by more."""
    assert "" == slowed(verdicts)


@pytest.mark.parametrize(("open_", "expected"), [(2, ""), (3, UNSURE)])
def test_more_than_a_fifth_of_open_ratios_are_too_many(open_, expected):
    """Absolute times do not count, and what was not measured at all has a verdict of its own."""
    kinds = [VerdictKind.INCONCLUSIVE] * open_ + [VerdictKind.PASS] * (10 - open_)
    verdicts = [verdict(1.0, metric="speedup", cell=k, kind=kind, stored=1.0) for k, kind in enumerate(kinds)]
    others = [verdict(1.0, kind=VerdictKind.INCONCLUSIVE), replace(verdicts[0], kind=VerdictKind.MISSING)]
    assert expected == saw_too_little([*verdicts, *others])
