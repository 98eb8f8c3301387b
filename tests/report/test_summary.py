"""The end of a run in the terminal: what is shown, in which order, and which command helps."""
# the expected value stands on the left

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.metrics import METRICS
from suite.records import Cell, Expectation, Measurement, RunHeader, Verdict, VerdictKind, Where
from suite.report.frame import tidy
from suite.report.summary import attention, counts, number, table, unavailable, unverified_hint
from suite.report.tradeoffs import tradeoffs

HEADER = RunHeader(
    run="run",
    started="2026-11-23T15:04:05+00:00",
    command="suite bench",
    commit=None,
    where=Where(machine="cpu-x86_64-test-2c", family="cpu-x86_64-avx2", device="cpu", threads=1),
    seeds=(0,),
    profile="default",
    quiet=True,
)
PRUNED = Cell(workload="digits_cnn", technique="structured_pruning(ratio=0.5,epochs=5)", device="cpu")
BASELINE = Cell(workload="digits_cnn", technique="baseline", device="cpu")
OTHER = Cell(workload="resnet50_synthetic", technique="baseline", device="cpu")
PATH = "expectations/cpu-x86_64-avx2/digits_cnn.toml"


def measured(metric, value, *, cell=PRUNED, **more):
    known = METRICS[metric]
    return Measurement(
        cell=cell,
        metric=metric,
        value=value,
        unit=known.unit,
        better=known.better,
        tier=known.tier,
        group=known.group,
        **more,
    )


def verdict(kind, metric="speedup", value=None, *, cell=PRUNED, low=None, high=None, reason="", interval=(None, None)):
    known = METRICS[metric] if metric else METRICS["speedup"]
    bounded = low is not None or high is not None
    entry = Expectation(
        workload=cell.workload, technique=cell.technique, metric=metric, level="any", value=1.0, unit=known.unit,
        better=known.better, tier=known.tier, low=low, high=high, path=PATH, line=12,
    )  # fmt: skip
    found = None if value is None else measured(metric, value, cell=cell, low=interval[0], high=interval[1])
    return Verdict(
        kind=VerdictKind(kind),
        cell=cell,
        metric=metric,
        group=known.group,
        reason=reason,
        measurement=found,
        expectation=entry if bounded else None,
    )


def rerun(verdict):
    return f"suite bench --cell {shlex.quote(str(verdict.cell))}"


def lines(*verdicts):
    return attention(verdicts, rerun=rerun)


def frame_of(measurements, verdicts=()):
    return tradeoffs(tidy(HEADER, measurements, verdicts))


FIGURES = [
    measured("accuracy", 0.98, cell=BASELINE),
    measured("artefact_bytes", 200_000, cell=BASELINE),
    measured("accuracy", 0.9735),
    measured("accuracy_vs_control", -0.0028, low=-0.0061, high=0.0006),
    measured("artefact_bytes", 80_000),
    measured("speedup", 2.24, low=2.2, high=2.28),
    measured("peak_memory_inference", 1_250_000),
    measured("accuracy", 0.5, cell=OTHER),
]


def test_a_regression_names_value_bound_and_line_and_the_command_below():
    """What broke, by how much, where the bound stands, and how to run it again."""
    expected = [
        f"REGRESSED digits_cnn {PRUNED.technique} cpu: speedup = 1.98, bound >= 2.17 ({PATH}:12)",
        "    suite bench --cell 'digits_cnn-structured_pruning(ratio=0.5,epochs=5)-cpu'",
    ]
    assert expected == lines(verdict("regressed", value=1.98, low=2.17))


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("IMPROVED @: artefact_bytes = 79,999 B, bound >= 80,000 B (#): smaller",
         verdict("improved", "artefact_bytes", 79_999, low=80_000, high=80_000, reason="smaller")),
        ("REGRESSED @: artefact_bytes = 80,001 B, bound <= 80,000 B (#)",
         verdict("regressed", "artefact_bytes", 80_001, low=80_000, high=80_000)),
        ("INCONCLUSIVE @: speedup = 2.2 [2.1, 2.3], bound >= 2.17 (#): the interval holds the bound",
         verdict("inconclusive", value=2.2, low=2.17, interval=(2.1, 2.3), reason="the interval holds the bound")),
        ("XPASS @: accuracy = 0.98, bounds [0.97, 0.99] (#)", verdict("xpass", "accuracy", 0.98, low=0.97, high=0.99)),
        ("MISSING @: speedup was not measured, bound >= 2.17 (#)", verdict("missing", low=2.17)),
        ("ERROR @: speed: RuntimeError: no kernel", verdict("error", "", reason="RuntimeError:\n  no kernel")),
        ("REGRESSED @: latency_p50 = 0.01235 s, bound <= 0.0123 s (#)",
         verdict("regressed", "latency_p50", 0.0123456, high=0.0123)),
    ],
)  # fmt: skip
def test_each_kind_that_needs_attention_says_what_was_found(expected, given):
    """One line, with the bound that was broken, or all bounds."""
    where = f"digits_cnn {PRUNED.technique} cpu"
    assert expected.replace("@", where).replace("#", f"{PATH}:12") == lines(given)[0]


@pytest.mark.parametrize("kind", ["pass", "unverified", "unavailable", "xfail"])
def test_other_kinds_need_no_attention(kind):
    """What is as it should be is counted, not listed."""
    assert [] == lines(verdict(kind, value=2.0, low=1.0))


def test_a_cell_is_named_once_with_its_worst_metric_and_the_count_of_the_others():
    """Ten broken metrics of one cell are one thing to look at; passes are not counted."""
    found = lines(
        verdict("inconclusive", "speedup_b1", 1.0, low=1.0),
        verdict("pass", "accuracy", 0.9, low=0.8),
        verdict("regressed", value=1.98, low=2.17),
        verdict("missing", "macs", low=1.0),
    )
    assert 2 == len(found)
    assert found[0].startswith("REGRESSED ")
    assert found[0].endswith(":12) +2 more")


def test_worse_cells_come_first_and_equals_in_order_of_the_run():
    """The first line is the one to read."""
    found = lines(
        verdict("inconclusive", value=1.0, low=1.0, cell=OTHER),
        verdict("regressed", value=1.0, low=2.0, cell=PRUNED),
        verdict("regressed", value=1.0, low=2.0, cell=BASELINE),
    )
    expected = [
        "REGRESSED digits_cnn structured",
        "REGRESSED digits_cnn baseline cpu",
        "INCONCLUSIVE resnet50_synthetic",
    ]
    assert all(line.startswith(start) for start, line in zip(expected, found[::2], strict=True))


def test_a_long_reason_is_one_line_and_keeps_its_end():
    """The last line of a traceback says what happened."""
    (line, _) = lines(verdict("error", "", reason="Traceback\n" * 100 + "ValueError: the cause"))
    assert line.endswith("ValueError: the cause")
    assert len(line) < 500
    assert "\n" not in line


def test_counts_are_ordered_worst_first():
    """A regression is not behind forty passes."""
    verdicts = [verdict("pass")] * 41 + [verdict("unverified")] * 3 + [verdict("regressed")]
    assert "1 regressed, 3 unverified, 41 pass" == counts(verdicts)
    assert "no verdicts" == counts([])


def test_the_hint_names_how_much_is_unverified_and_the_command():
    """Nothing without an expectation stays unseen."""
    one, two = verdict("unverified"), verdict("unverified", "macs")
    hint = "2 metrics of 1 cell are unverified: no expectation applies here; record them with\n    suite record"
    assert hint == unverified_hint([one, two, verdict("pass")], "suite record")
    assert "1 metric of 1 cell is unverified" in (unverified_hint([one], "suite record") or "")
    assert unverified_hint([verdict("pass")], "suite record") is None


def test_unavailable_cells_are_listed_once_with_their_reason():
    """Four groups that lack one compiler are one line."""
    verdicts = [verdict("unavailable", metric, reason="no C++ compiler") for metric in ("macs", "speedup_b1")]
    assert [f"digits_cnn {PRUNED.technique} cpu: no C++ compiler"] == unavailable([*verdicts, verdict("pass")])


def test_a_wide_table_shows_all_figures_aligned_below_their_workload():
    """Columns line up across workloads; figures to the right."""
    verdicts = [verdict("pass", value=2.24, low=2.17)]
    expected = """
  technique                               accuracy            vs control      size            speed-up  memory  verdict
digits_cnn on cpu
  baseline                                 98.00 %                     -  200.0 kB                   -       -  -
  structured_pruning(ratio=0.5,epochs=5)   97.35 %  -0.28 [-0.61, +0.06]   80.0 kB  2.24x [2.20, 2.28]  1.2 MB  pass
resnet50_synthetic on cpu
  baseline                                 50.00 %                     -         -                   -       -  -
"""
    assert expected.strip("\n") == table(frame_of(FIGURES, verdicts), 130)


def test_a_narrow_table_keeps_names_speed_up_and_verdict():
    """At 80 columns some figures are left out, never cut."""
    text = table(frame_of(FIGURES, [verdict("regressed", value=1.98, low=2.17)]), 80)
    assert max(map(len, text.splitlines())) <= 80
    for part in ("struct", "epochs=5)", "2.24x [2.20, 2.28]", "97.35 %", "regressed"):
        assert part in text
    assert "memory" not in text


def test_shortened_names_of_a_sweep_stay_apart():
    """Figures are left out before two cells would read the same."""
    cells = [
        Cell(workload="w", technique=f"pruning(ratio={ratio},epochs=5,rounds=12)", device="cpu") for ratio in (0.3, 0.5)
    ]
    text = table(frame_of([measured("accuracy", 0.9, cell=cell) for cell in cells]), 80)
    names = [line.split()[0] for line in text.splitlines() if "pruning" in line]
    assert 2 == len(set(names))


ANY_FRAME = frame_of(FIGURES, [verdict("regressed", value=1.98, low=2.17)])


@settings(deadline=None, max_examples=25)
@given(width=st.integers(min_value=30, max_value=200))
def test_no_line_is_wider_than_the_terminal(width):
    """Whatever the width, every cell has its line and its verdict."""
    found = table(ANY_FRAME, width).splitlines()
    assert max(map(len, found)) <= width
    assert 6 == len(found)
    assert "regressed" in found[3]


def test_an_empty_table_is_its_heading():
    """A run without cells does not fail at its end."""
    assert table(frame_of([]), 80).split()[0] == "technique"


@pytest.mark.parametrize(
    ("expected", "value", "bounds"),
    [
        ("1.98", 1.98, []),
        ("2.167", 2.1669, []),
        ("2.16997", 2.16997, [2.17]),
        ("151,234", 151234.0, []),
        ("123,457", 123456.7, []),
        ("0.001235", 0.00123456, []),
        ("0", 0.0, [0.1]),
    ],
)
def test_numbers_have_few_digits_but_stay_on_their_side_of_a_bound(expected, value, bounds):
    """A value just below its bound is not shown as equal to it."""
    assert expected == number(value, bounds=bounds)


@given(st.floats(min_value=-1e12, max_value=1e12), st.floats(min_value=-1e12, max_value=1e12))
@settings(deadline=None)
def test_a_shown_number_is_on_the_same_side_of_its_bound(value, bound):
    """Rounding never turns a regression into a pass for the reader."""
    shown = float(number(value, bounds=[bound]).replace(",", ""))
    assert (value < bound, value > bound) == (shown < bound, shown > bound)
