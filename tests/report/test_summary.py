"""The end of a run in the terminal: what is shown, in which order, and which command helps."""
# the expected value stands on the left

import shlex
from dataclasses import replace

import pytest

from suite.core.metrics import METRICS
from suite.core.records import Cell, Expectation, Measurement, Verdict, VerdictKind
from suite.report.summary import attention, counts, drift_hint, unavailable, unverified_hint

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
    cell = verdict.cell
    named = shlex.join(["--workload", cell.workload, "--technique", cell.technique, "--device", cell.device])
    return f"suite bench {named}"


def lines(*verdicts):
    return attention(verdicts, rerun=rerun)


def test_a_regression_names_value_bound_and_line_and_the_command_below():
    """What broke, by how much, where the bound stands, and how to run it again."""
    expected = [
        f"REGRESSED digits_cnn {PRUNED.technique} cpu: speedup = 1.98, bound >= 2.17 ({PATH}:12)",
        "    suite bench --workload digits_cnn --technique 'structured_pruning(ratio=0.5,epochs=5)' --device cpu",
    ]
    assert expected == lines(verdict("regressed", value=1.98, low=2.17))


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("IMPROVED @: artefact_bytes = 79,999 B, bound >= 80,000 B (#): smaller",
         verdict("improved", "artefact_bytes", 79_999, low=80_000, high=80_000, reason="smaller")),
        ("REGRESSED @: artefact_bytes = 80,001 B, bound <= 80,000 B (#)",
         verdict("regressed", "artefact_bytes", 80_001, low=80_000, high=80_000)),
        ("INCONCLUSIVE @: speedup = 2.2 [2.1, 2.3], bound >= 2.17 (#): the interval contains the bound",
         verdict("inconclusive", value=2.2, low=2.17, interval=(2.1, 2.3), reason="the interval contains the bound")),
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
    assert found[0].endswith(":12) (and 1 missing, 1 inconclusive more)")


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
    named = f"{one.cell} {one.metric}, {two.cell} macs"
    hint = (
        f"2 metrics of 1 cell are unverified ({named}): no expectation applies here; record them with\n    suite record"
    )
    assert hint == unverified_hint([one, two, verdict("pass")], "suite record")
    many = unverified_hint([one, two, verdict("unverified", "parameters")], "suite record") or ""
    assert many.startswith("3 metrics of 1 cell are unverified: no expectation")
    assert "1 metric of 1 cell is unverified (" in (unverified_hint([one], "suite record") or "")
    assert unverified_hint([verdict("pass")], "suite record") is None


def test_unavailable_cells_are_listed_once_with_their_reason():
    """Four groups that lack one compiler are one line."""
    verdicts = [verdict("unavailable", metric, reason="no C++ compiler") for metric in ("macs", "speedup_b1")]
    assert [f"digits_cnn {PRUNED.technique} cpu: no C++ compiler"] == unavailable([*verdicts, verdict("pass")])


def test_what_was_measured_under_other_conditions_is_not_said_to_be_unmeasured():
    """The reason says why it answers nothing."""
    (said, _) = lines(verdict("missing", "speedup", 2.1, low=1.9, reason="recorded at batch 64"))
    assert "was not measured" not in said
    assert "speedup = 2.1" in said


def test_bounds_of_a_single_run_are_told_with_the_command_that_adds_this_one():
    """A timing that has seen runs at two times knows how hours differ; accuracy does not move with them."""
    once, twice = (verdict("pass", "speedup", 1.2, low=1.0) for _ in range(2))
    seen = replace(twice, expectation=replace(twice.expectation, seen={"2026-11-01": 1.2, "2026-11-02": 1.3}))
    quality = verdict("pass", "accuracy", 0.9, low=0.8)
    said = drift_hint([once, once, seen, quality, verdict("missing", "speedup", low=1.0)], "suite record x --drift")
    assert said == (
        "the bounds of 2 timings come from one run, so the drift between runs is not known; add this run "
        "with\n    suite record x --drift"
    )
    assert drift_hint([seen, quality], "") is None
    assert drift_hint([once], "").startswith("the bound of 1 timing comes from one run, so the drift")
