"""Verdicts: every kind, and the rules that lead to it."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from expect_samples import CELL, GROUPS, MACHINE, TODAY, UNTIMED, expectation, failure, here, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import UsageError
from suite.expect import check, fails
from suite.records import Origin, Verdict, VerdictKind, XFail


def verdicts(measurements=(), expectations=(), failures=(), **changes):
    run = {"where": here(), "planned": {CELL: GROUPS}, "fresh_processes": True, "quiet": True, "today": TODAY}
    return check(measurements=measurements, expectations=expectations, failures=failures, **(run | changes))


def only(*args, **changes):
    (verdict,) = verdicts(*args, **changes)
    return verdict


def judged(name, value, entry, **changes):
    return only([measurement(name, value, **changes)], [entry]).kind


ACCURACY = expectation("accuracy", 0.97, low=0.96, high=0.98, seeds=4)
SPEEDUP = expectation("speedup", 2.24, low=2.17, high=2.4)
COUNT = expectation("parameters", 100, low=100, high=100)
LATENCY = expectation("latency_p50", 0.01, high=0.0125, level=MACHINE)


@pytest.mark.parametrize(
    ("name", "value", "entry", "kind"),
    [
        ("accuracy", 0.96, ACCURACY, "pass"),
        ("accuracy", 0.98, ACCURACY, "pass"),
        ("accuracy", 0.9599, ACCURACY, "regressed"),
        ("accuracy", 0.9801, ACCURACY, "improved"),
        ("latency_p50", 0.013, LATENCY, "regressed"),
        ("latency_p50", 0.001, LATENCY, "pass"),
        ("parameters", 100, COUNT, "pass"),
        ("parameters", 101, COUNT, "regressed"),
        ("parameters", 99, COUNT, "improved"),
        ("accuracy", float("nan"), ACCURACY, "error"),
        ("latency_p50", float("inf"), LATENCY, "regressed"),
    ],
)
def test_a_point_is_judged_by_inclusive_bounds(name, value, entry, kind):
    """Beyond a bound it is regressed on the bad side and improved on the good one."""
    assert kind == judged(name, value, entry)


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (2.17, 2.4, "pass"),
        (2.1, 2.2, "inconclusive"),
        (2.3, 2.5, "inconclusive"),
        (2.0, 2.16, "regressed"),
        (2.41, 2.5, "improved"),
        (2.0, 2.17, "inconclusive"),
        (None, 2.3, "inconclusive"),
        (2.2, None, "inconclusive"),
    ],
)
def test_a_timing_is_judged_by_its_whole_interval(low, high, kind):
    """An interval that holds a bound, or no interval, says nothing."""
    assert kind == judged("speedup", 2.2, SPEEDUP, low=low, high=high)


@UNTIMED
@given(st.floats(0, 5), st.floats(0, 1), st.booleans())
def test_an_interval_never_regresses_unless_its_point_does(value, width, mirrored):
    """Judging by the interval is stricter about what it claims, on both sides."""
    low, high = value - width, value + width
    kind = judged("speedup", high if mirrored else value, SPEEDUP, low=low, high=high)
    assert kind != "regressed" or high < SPEEDUP.low
    assert kind != "improved" or low > SPEEDUP.high
    assert kind != "pass" or SPEEDUP.low <= low <= high <= SPEEDUP.high


def test_a_suspect_or_unquiet_timing_is_inconclusive_whatever_its_value():
    """A gate must not believe a figure that its own measurement doubts."""
    bad = measurement("speedup", 1.0, low=0.9, high=1.1)
    slow = measurement("latency_p50", 9.0)
    suspect = only([replace(slow, suspect="minor faults")], [LATENCY])
    assert ("inconclusive", "minor faults") == (suspect.kind, suspect.reason)
    assert "inconclusive" == only([replace(bad, suspect="minor faults")], [SPEEDUP]).kind
    assert "inconclusive" == only([bad], [SPEEDUP], quiet=False).kind
    assert "inconclusive" == only([slow], [LATENCY], quiet=False).kind
    assert "not measured in a quiet process" == only([slow], [LATENCY], quiet=False).reason


def test_counts_bytes_and_quality_are_judged_in_an_unquiet_process():
    """Only time suffers from noise of the process."""
    memory = expectation("peak_memory_inference", 100, high=105)
    measured = [measurement("parameters", 101), measurement("peak_memory_inference", 106), measurement("accuracy", 0.9)]
    kinds = {verdict.kind for verdict in verdicts(measured, [COUNT, memory, ACCURACY], quiet=False)}
    assert {"regressed"} == kinds


def test_fewer_seeds_widen_the_bounds_of_quality_and_say_so():
    """A mean over one seed spreads twice as far as one over four."""
    one = only([measurement("accuracy", 0.951, seeds=(0,))], [ACCURACY])
    assert ("pass", "bounds widened by 2: 1 seeds, recorded with 4") == (one.kind, one.reason)
    assert "regressed" == judged("accuracy", 0.949, ACCURACY, seeds=(0,))
    assert "regressed" == judged("accuracy", 0.951, ACCURACY, seeds=(0, 1, 2, 3))
    assert "regressed" == judged("accuracy", 0.951, ACCURACY, seeds=())


def test_the_worst_seed_and_exact_entries_are_never_widened():
    """The worst of fewer seeds is no worse, and a count is a count."""
    worst = expectation("accuracy_worst_seed", 0.97, low=0.96, seeds=4)
    exact = replace(ACCURACY, tier="exact")
    assert "regressed" == judged("accuracy_worst_seed", 0.955, worst, seeds=(0,))
    assert "regressed" == judged("accuracy", 0.951, exact, seeds=(0,))


def test_what_has_no_expectation_is_unverified_with_what_is_near():
    """The reason comes from the store."""
    measured = [measurement("accuracy", 0.9)]
    assert ("unverified", "no expectation is stored") == (only(measured).kind, only(measured).reason)
    assert "recorded on cuda-sm90" == only(measured, near=lambda m: f"recorded on cuda-sm90{m.suspect or ''}").reason


def test_a_metric_outside_the_catalogue_is_unverified_and_comes_last():
    """A user's own metric is shown, never judged."""
    own = replace(measurement("accuracy", 1.0), metric="my_metric")
    found = verdicts([own, measurement("macs", 1.0)])
    assert ["macs", "my_metric"] == [verdict.metric for verdict in found]


def test_quality_on_other_data_is_unverified_and_not_missing():
    """Accuracy on other images is another quantity; sizes do not depend on them."""
    other = replace(ACCURACY, origin=Origin(data_digest="d2"))
    verdict = only([measurement("accuracy", 0.5)], [other])
    assert "unverified" == verdict.kind
    assert "other data: recorded on d2, this run has d1" == verdict.reason
    assert () == verdicts([], [other])
    assert "regressed" == judged("parameters", 101, replace(COUNT, origin=Origin(data_digest="d2")))
    assert "regressed" == judged("accuracy", 0.5, replace(ACCURACY, origin=Origin(data_digest="d1")))


@pytest.mark.parametrize(
    ("value", "until", "kind"),
    [
        (0.9, TODAY, "xfail"),
        (0.97, TODAY, "xpass"),
        (0.99, TODAY, "improved"),
        (0.9, date(2026, 11, 22), "regressed"),
        (0.97, date(2026, 11, 22), "pass"),
    ],
)
def test_a_known_failure_holds_until_its_day(value, until, kind):
    """The day itself counts; a pass that was to fail has to be looked at."""
    entry = replace(ACCURACY, xfail=XFail(reason="torch 123", until=until))
    verdict = only([measurement("accuracy", value)], [entry])
    assert kind == verdict.kind
    assert ("xfail expired on 2026-11-22: torch 123" in verdict.reason) == (until < TODAY)


def test_an_inconclusive_timing_stays_inconclusive_under_xfail():
    """What says nothing cannot say that a failure is gone."""
    entry = replace(SPEEDUP, xfail=XFail(reason="slow", until=TODAY))
    assert "inconclusive" == judged("speedup", 2.2, entry)


def test_other_versions_make_an_entry_stale_unless_it_is_exact():
    """Only versions that both name are compared."""
    old, more = Origin(versions={"torch": "2.14"}), Origin(versions={"torch": "2.15.0", "onnx": "1"})
    assert only([measurement("accuracy", 0.97)], [replace(ACCURACY, origin=old)]).stale
    assert not only([measurement("accuracy", 0.97)], [replace(ACCURACY, origin=more)]).stale
    assert not only([measurement("parameters", 100)], [replace(COUNT, origin=old)]).stale
    assert only([], [replace(ACCURACY, origin=old)]).stale


def test_an_expectation_without_measurement_is_missing_with_its_place():
    """Silence must not pass a gate."""
    verdict = only([], [COUNT])
    assert ("missing", "parameters", "size") == (verdict.kind, verdict.metric, verdict.group)
    assert "any/digits_cnn.toml:3 expects it, but it was not measured" == verdict.reason


def test_only_planned_groups_cells_and_devices_can_miss():
    """What a run did not set out to measure is not missing."""
    rss = expectation("peak_rss_rise", 100, high=105)
    assert () == verdicts([], [COUNT], planned={CELL: ("quality",)})
    assert () == verdicts([], [COUNT], planned={replace(CELL, technique="baseline"): GROUPS})
    assert () == verdicts([], [replace(COUNT, only=("cuda",))])
    assert "missing" == only([], [replace(COUNT, only=("cuda",))], where=here(device="cuda:1")).kind
    assert () == verdicts([], [rss], fresh_processes=False)
    assert "missing" == only([], [rss]).kind


@pytest.mark.parametrize("kind", ["unavailable", "error"])
def test_a_failed_group_has_one_verdict_and_misses_nothing(kind):
    """The failure accounts for what was not measured."""
    verdict = only([], [COUNT], [failure("size", kind)])
    assert (kind, "", "size", "no compiler") == (verdict.kind, verdict.metric, verdict.group, verdict.reason)


def test_what_was_once_measured_on_this_machine_may_not_become_unavailable():
    """A broken driver must not turn a gate green."""
    found = verdicts([], [LATENCY, replace(COUNT, level=MACHINE)], [failure("speed", "unavailable")])
    assert [
        ("parameters", "missing"),
        ("", "unavailable"),
        ("latency_p50", "missing"),
    ] == [(verdict.metric, verdict.kind) for verdict in found]
    assert "was measured on this machine when recorded; now: no compiler" == found[-1].reason
    assert ["error"] == [verdict.kind for verdict in verdicts([], [LATENCY], [failure("speed", "error")])]


def test_a_measurement_outside_the_plan_is_left_out_and_a_failure_is_not():
    """An error is never lost."""
    assert [] == [verdict.metric for verdict in verdicts([measurement("macs", 1.0)], planned={})]
    assert ["error"] == [verdict.kind for verdict in verdicts([], [], [failure("size", "error")], planned={})]


@UNTIMED
@given(
    st.permutations(["accuracy", "train_seconds", "parameters", "macs", "speedup_b1", "peak_rss_rise"]), st.booleans()
)
def test_verdicts_come_in_the_order_of_plan_and_catalogue(names, swapped):
    """However the measurements arrive."""
    cells = [CELL, replace(CELL, technique="baseline")]
    cells = cells[::-1] if swapped else cells
    measured = [measurement(name, 1.0, cell=cell) for name in names for cell in (cells[1], cells[0])]
    found = verdicts(measured, planned=dict.fromkeys(cells, GROUPS))
    wanted = ["accuracy", "train_seconds", "parameters", "macs", "speedup_b1", "peak_rss_rise"]
    assert [(cell, name) for cell in cells for name in wanted] == [(verdict.cell, verdict.metric) for verdict in found]


def test_the_failing_kinds_and_the_two_policies():
    """Unverified and inconclusive fail only where asked for."""
    kinds = {kind: Verdict(kind=kind, cell=CELL, metric="macs", group="size") for kind in VerdictKind}
    always = {"regressed", "improved", "missing", "error", "xpass"}
    strict = {kind for kind, verdict in kinds.items() if fails(verdict, unverified="fail", inconclusive="fail")}
    assert always == {kind for kind, verdict in kinds.items() if fails(verdict)}
    assert always | {"unverified", "inconclusive"} == strict


def test_an_unknown_policy_is_refused():
    """A misspelt policy must not be the lenient one."""
    verdict = Verdict(kind=VerdictKind.PASS, cell=CELL, metric="macs", group="size")
    with pytest.raises(UsageError, match="did you mean fail"):
        fails(verdict, unverified="fial")
