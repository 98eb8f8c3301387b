"""Verdicts: every kind, and the rules that lead to it."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from expect_samples import CELL, FAMILY, GROUPS, MACHINE, TODAY, UNTIMED, expectation, failure, here, measurement
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import UsageError
from suite.core.records import Origin, Verdict, VerdictKind, XFail
from suite.gate import check, fails
from suite.gate.error_rate import bar


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
        ("latency_p50", 0.013, LATENCY, "inconclusive"),
        ("latency_p50", 0.001, LATENCY, "pass"),
        ("parameters", 100, COUNT, "pass"),
        ("parameters", 101, COUNT, "regressed"),
        ("parameters", 99, COUNT, "improved"),
        ("accuracy", float("nan"), ACCURACY, "error"),
        ("latency_p50", float("inf"), LATENCY, "inconclusive"),
    ],
)
def test_a_point_is_judged_by_inclusive_bounds(name, value, entry, kind):
    """Beyond a bound it is regressed on the bad side and improved on the good one; an absolute time proves neither."""
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


def test_quality_on_other_data_is_missing_with_both_digests():
    """Accuracy on other images is another quantity, so the entry has no answer; sizes do not depend on them."""
    other = replace(ACCURACY, origin=Origin(data_digest="d2"))
    verdict = only([measurement("accuracy", 0.5)], [other])
    assert "missing" == verdict.kind
    wanted = "other data: recorded on d2, this run has d1; record it again (suite bench --expect=record)"
    assert f"{wanted} or restore the data" == verdict.reason
    assert "missing" == only([], [other]).kind
    assert "regressed" == judged("parameters", 101, replace(COUNT, origin=Origin(data_digest="d2")))
    assert "regressed" == judged("accuracy", 0.5, replace(ACCURACY, origin=Origin(data_digest="d1")))


def test_quality_on_data_of_another_environment_is_unverified():
    """Python 3.12 ships other sources than 3.11, and nobody can restore them; data of one's own are missing as ever."""
    entry = replace(ACCURACY, origin=Origin(data_digest="cpython-3.11.7:d2"))
    there = here(data_digests={"digits_cnn": "cpython-3.12.1:d1"})
    verdict = only([measurement("accuracy", 0.5)], [entry], where=there)
    wanted = "recorded on the data of cpython-3.11.7:d2, this environment has those of cpython-3.12.1:d1"
    assert ("unverified", wanted) == (verdict.kind, verdict.reason)
    same = here(data_digests={"digits_cnn": "cpython-3.11.7:d2"})
    assert "regressed" == only([measurement("accuracy", 0.5)], [entry], where=same).kind
    assert "missing" == only([measurement("accuracy", 0.5)], [entry]).kind


@pytest.mark.parametrize("level", ["any", MACHINE])
def test_an_entry_of_another_batch_has_no_answer(level):
    """The figure is another quantity; an entry that silently stopped to apply would turn the gate green."""
    entry = replace(SPEEDUP, level=level, conditions={"batch": 64, "tf32": "on", "threads": 1})
    verdict = only([measurement("speedup", 2.2, low=2.2, high=2.3, conditions={"batch": 4096, "tf32": "on"})], [entry])
    assert ("missing", entry) == (verdict.kind, verdict.expectation)
    wanted = "recorded at batch 64, this run measured batch 4096; record it again (suite bench --expect=record)"
    assert wanted == verdict.reason


def test_equal_conditions_or_ones_that_only_one_names_are_a_match():
    """Files from before conditions were stored go on applying."""
    entry = replace(SPEEDUP, level=MACHINE, conditions={"batch": 64})
    for conditions in ({}, {"batch": 64}, {"threads": 2}):
        assert "pass" == judged("speedup", 2.2, entry, low=2.2, high=2.3, conditions=conditions)


def test_an_entry_of_other_threads_or_another_host_does_not_apply():
    """That is other hardware, as it were; what holds anywhere does not ask."""
    entry = replace(SPEEDUP, level=MACHINE, conditions={"batch": 64, "host": "epyc"})
    measured = measurement("speedup", 2.2, low=2.2, high=2.3, conditions={"batch": 64, "host": "xeon"})
    verdict = only([measured], [entry])
    assert ("unverified", "recorded at host epyc, this run measured host xeon") == (verdict.kind, verdict.reason)
    assert "pass" == only([measured], [replace(entry, level="any")]).kind


@pytest.mark.parametrize("change", [{"only": ("cuda",)}, {"retired": "replaced"}])
def test_what_nobody_waits_for_is_unverified_under_other_conditions_or_data(change):
    """An entry for other devices, or a retired one, cannot miss its measurement."""
    batch = replace(SPEEDUP, conditions={"batch": 64}, **change)
    assert "unverified" == judged("speedup", 1.0, batch, conditions={"batch": 1})
    data = replace(ACCURACY, origin=Origin(data_digest="d2"), **change)
    assert "unverified" == judged("accuracy", 0.97, data)
    assert () == verdicts([], [data])


def test_a_retired_entry_of_a_metric_that_is_gone_disturbs_nothing():
    """Even where a measurement of that name comes, it has nothing to be judged by."""
    gone = replace(SPEEDUP, metric="speedup_b64", retired="renamed")
    assert () == verdicts([], [gone])
    assert "unverified" == only([replace(measurement("speedup", 2.0), metric="speedup_b64")], [gone]).kind


BY_SEED = replace(ACCURACY, by_seed={0: 0.99, 1: 0.96, 2: 0.97, 3: 0.96})


def test_fewer_seeds_are_compared_with_the_stored_values_of_the_same_seeds():
    """Seed 0 was 0.99, so that 0.975 is worse than 0.01 below it, though it lies above the mean of all seeds."""
    one = only([measurement("accuracy", 0.981, seeds=(0,))], [BY_SEED])
    assert ("pass", "compared with 0.99, stored for the same seeds (0)") == (one.kind, one.reason)
    assert "regressed" == judged("accuracy", 0.975, BY_SEED, seeds=(0,))
    assert "pass" == judged("accuracy", 0.951, BY_SEED, seeds=(1,))
    assert "pass" == judged("accuracy", 0.966, BY_SEED, seeds=(0, 1))
    assert "regressed" == judged("accuracy", 0.964, BY_SEED, seeds=(0, 1))
    assert "improved" == judged("accuracy", 0.98, BY_SEED, seeds=(1,))
    assert "regressed" == judged("accuracy", 0.959, BY_SEED, seeds=(0, 1, 2, 3))


@pytest.mark.parametrize(
    ("seen", "changes"),
    [
        ({"cpu-other": 0.97}, {}),  # this machine was never recorded
        ({"cpu-other": 0.97, MACHINE: 0.965}, {}),  # it was, but of a mean below that of the seeds: they lack its own
        ({MACHINE: 0.97}, {"origin": Origin(versions={"torch": "2.14.0"})}),  # other kernels, so other networks
    ],
)
def test_a_seed_of_other_kernels_is_one_more_draw(seen, changes):
    """Rounding parts two trainings within an epoch: the seed's value says nothing more than any other."""
    elsewhere = replace(BY_SEED, seen=seen, **changes)
    one = only([measurement("accuracy", 0.975, seeds=(0,))], [elsewhere])
    assert ("pass", "bounds widened by 2: 1 seeds, recorded with 4") == (one.kind, one.reason)
    assert "regressed" == judged("accuracy", 0.949, elsewhere, seeds=(0,))


@pytest.mark.parametrize("seen", [{MACHINE: 0.97}, {MACHINE: 0.975, "cpu-other": 0.972}])
def test_the_seeds_of_this_machine_are_its_own(seen):
    """Of several machines the least favourable of each is stored, which is no better than any machine's mean."""
    assert "regressed" == judged("accuracy", 0.975, replace(BY_SEED, seen=seen), seeds=(0,))


def test_a_loss_by_seed_that_is_above_the_machines_own_holds_it():
    """Lower is better: the greatest of each seed."""
    loss = expectation("mean_squared_error", 0.3, high=0.32, seeds=2, by_seed={0: 0.2, 1: 0.4})
    assert "regressed" == judged("mean_squared_error", 0.23, replace(loss, seen={MACHINE: 0.29}), seeds=(0,))
    assert "pass" == judged("mean_squared_error", 0.23, replace(loss, seen={MACHINE: 0.31}), seeds=(0,))


def test_a_seed_that_is_not_stored_leads_back_to_wider_bounds():
    """Nothing is known of it but the spread."""
    assert "pass" == judged("accuracy", 0.951, BY_SEED, seeds=(7,))
    assert "bounds widened by 2" in only([measurement("accuracy", 0.951, seeds=(7,))], [BY_SEED]).reason


def test_more_seeds_than_were_recorded_are_compared_over_the_recorded_ones():
    """A mean over three seeds, and the worst of them, are other figures than those of the one that was stored."""
    stored = expectation("accuracy", 0.98, low=0.97, seeds=1, by_seed={0: 0.98})
    worst = expectation("accuracy_worst_seed", 0.98, low=0.97, seeds=1, by_seed={0: 0.98})
    three = {"seeds": (0, 1, 2), "by_seed": (0.98, 0.95, 0.96), "low": 0.953, "high": 0.973}
    one = only([measurement("accuracy", 0.963, **three)], [stored])
    assert ("pass", 0.98) == (one.kind, one.measurement.value)
    assert one.reason.endswith("compared over the recorded seeds (0) of 3 measured")
    assert pytest.approx((0.98 - 3**0.5 * 0.01, 0.98 + 3**0.5 * 0.01)) == (one.measurement.low, one.measurement.high)
    assert "pass" == judged("accuracy_worst_seed", 0.95, worst, **three | {"low": None, "high": None})
    worse = three | {"by_seed": (0.96, 0.97, 0.98)}
    assert "regressed" == judged("accuracy", 0.97, stored, **worse)
    assert "regressed" == judged("accuracy_worst_seed", 0.96, worst, **worse)


def test_where_the_recorded_seeds_are_not_named_as_many_are_compared():
    """The worst of three is worse than the worst of one, whatever the code."""
    worst = expectation("accuracy_worst_seed", 0.98, low=0.97, seeds=1)
    found = only([measurement("accuracy_worst_seed", 0.95, seeds=(0, 1, 2), by_seed=(0.975, 0.95, 0.96))], [worst])
    assert ("pass", 0.975) == (found.kind, found.measurement.value)


def test_the_worst_of_fewer_seeds_is_compared_with_the_worst_of_the_same():
    """The least where higher is better, the greatest where lower is."""
    worst = expectation("accuracy_worst_seed", 0.96, low=0.95, seeds=4, by_seed=BY_SEED.by_seed)
    assert "regressed" == judged("accuracy_worst_seed", 0.955, worst, seeds=(0, 2))
    assert "pass" == judged("accuracy_worst_seed", 0.961, worst, seeds=(0, 2))
    loss = {"seeds": 3, "by_seed": {0: 0.1, 1: 0.3, 2: 0.5}}
    errors = expectation("mean_squared_error_worst_seed", 0.5, high=0.52, **loss)
    assert "pass" == judged("mean_squared_error_worst_seed", 0.32, errors, seeds=(0, 1))
    assert "regressed" == judged("mean_squared_error_worst_seed", 0.33, errors, seeds=(0, 1))


def test_an_absolute_time_beyond_its_bound_is_inconclusive_and_says_what_decides():
    """The same code took a third longer within hours; ratios in one process did not."""
    verdict = only([measurement("throughput", 10.0)], [expectation("throughput", 100, low=50, level=MACHINE)])
    assert "inconclusive" == verdict.kind
    wanted = (
        "100 1/s -> 10 1/s, -90.0 %, bound 50 1/s; absolute times vary with the machine's load; the paired metrics "
        "decide"
    )
    assert wanted == verdict.reason
    late = replace(LATENCY, xfail=XFail(reason="slow", until=TODAY))
    assert "inconclusive" == judged("latency_p50", 9.0, late)


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
    ratio = replace(SPEEDUP, level=MACHINE)
    found = verdicts([], [ratio, replace(COUNT, level=MACHINE)], [failure("speed", "unavailable")])
    assert [
        ("parameters", "missing"),
        ("", "unavailable"),
        ("speedup", "missing"),
    ] == [(verdict.metric, verdict.kind) for verdict in found]
    assert "was measured on this machine before; now: no compiler" == found[-1].reason
    assert ["error"] == [verdict.kind for verdict in verdicts([], [ratio], [failure("speed", "error")])]


def test_the_absence_of_an_absolute_time_fails_nothing():
    """Its value never fails a gate either; a percentile of too few calls is left out."""
    assert () == verdicts([], [LATENCY])


STEP = expectation("train_step_speedup", 0.16, low=0.13, level=MACHINE)
OF_HERE = replace(ACCURACY, seen={MACHINE: 0.97})


def trainings(seconds, baseline):
    """Whole trainings of the technique and of the baseline, as a quick recording stores them."""
    ours = expectation("train_seconds", seconds, high=2 * seconds, level=MACHINE)
    return [ours, replace(ours, technique="baseline", value=baseline, high=2 * baseline)]


@pytest.mark.parametrize(
    ("stored", "kinds"),
    [
        ([STEP], {"unavailable"}),  # as slow as it was recorded
        (trainings(48.0, 8.0), {"unavailable"}),
        ([replace(STEP, value=0.9, low=0.8)], {"unavailable", "missing"}),  # it was not slow then
        ([replace(STEP, value=0.25, low=0.22)], {"unavailable", "missing"}),  # it was half as slow
        ([replace(STEP, retired="gone")], {"unavailable", "missing"}),
        (trainings(9.0, 8.0), {"unavailable", "missing"}),
        ([replace(STEP, value=0.9, low=0.8), *trainings(48.0, 8.0)], {"unavailable", "missing"}),  # the ratio decides
        ([], {"unavailable", "missing"}),  # nothing tells
    ],
)
def test_a_technique_left_out_as_slow_is_missing_unless_it_was_recorded_as_slow(stored, kinds):
    """A technique that has become slow must not leave the gate by it."""
    slow = [
        replace(failure(group, "unavailable", "left out"), slow=7.0, control="baseline")
        for group in ("quality", "speed")
    ]
    assert kinds == {v.kind for v in verdicts([], [OF_HERE, *stored], slow)}
    usual = [replace(one, slow=None) for one in slow]
    assert {"unavailable", "missing"} == {v.kind for v in verdicts([], [OF_HERE, *stored], usual)}


@pytest.mark.parametrize(("slow", "missing"), [(7.0, set()), (50.0, set()), (472.0, {"parameters"})])
def test_a_factor_that_no_hardware_explains_is_missing_on_any_machine(slow, missing):
    """Half precision without its instructions trains up to fifty times as long; a sleep in a step, longer."""
    elsewhere = replace(COUNT, seen={"cpu-x86_64-xeon-4c": 100})
    left_out = replace(failure("size", "unavailable", "left out"), slow=slow, control="baseline")
    assert missing == {v.metric for v in verdicts([], [elsewhere], [left_out]) if v.kind == "missing"}


def test_what_this_machine_or_family_brought_before_may_not_become_unavailable_either():
    """An entry that holds anywhere names the machines that measured it; on others it may be unavailable."""
    seen = replace(COUNT, seen={MACHINE: 100})
    family = replace(SPEEDUP, level=FAMILY)
    failed = [failure("size", "unavailable"), failure("speed", "unavailable")]
    found = {v.metric: v.reason for v in verdicts([], [seen, family], failed) if v.kind == "missing"}
    wanted = {"parameters": "this machine", "speedup": "this family"}
    assert {name: f"was measured on {what} before; now: no compiler" for name, what in wanted.items()} == found
    elsewhere = replace(COUNT, seen={"cpu-x86_64-xeon-4c": 100})
    assert ["unavailable"] == [v.kind for v in verdicts([], [elsewhere], [failure("size", "unavailable")])]
    assert ["error"] == [v.kind for v in verdicts([], [seen], [failure("size", "error")])]


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


def test_the_failing_kinds_and_the_four_policies():
    """Unverified, inconclusive and unavailable fail only where asked for; improved ones unless they are allowed."""
    kinds = {kind: Verdict(kind=kind, cell=CELL, metric="macs", group="size") for kind in VerdictKind}
    always = {"regressed", "improved", "missing", "error", "xpass"}
    strict = {kind for kind, verdict in kinds.items() if fails(verdict, unverified="fail", inconclusive="fail")}
    assert always == {kind for kind, verdict in kinds.items() if fails(verdict)}
    assert always | {"unverified", "inconclusive"} == strict
    assert always | {"unavailable"} == {kind for kind, v in kinds.items() if fails(v, unavailable="fail")}
    assert always - {"improved"} == {kind for kind, v in kinds.items() if fails(v, improved="report")}


def test_an_unknown_policy_is_refused():
    """A misspelt policy must not be the lenient one."""
    verdict = Verdict(kind=VerdictKind.PASS, cell=CELL, metric="macs", group="size")
    with pytest.raises(UsageError, match="did you mean fail"):
        fails(verdict, unverified="fial")
    with pytest.raises(UsageError, match="did you mean fail"):
        fails(verdict, unavailable="fial")


def test_a_verdict_on_a_ratio_says_which_loss_the_run_would_have_found():
    """The run's threshold, half width and noise: 7.2 % + 1 % + 2.326 * 0.2 %."""
    stored = expectation("speedup", 2.24, low=2.17, noise=0.002, processes=5)
    verdict = only([measurement("speedup", 2.24, low=2.2176, high=2.2624)], [stored])
    assert pytest.approx(1 - bar(stored, 1) / 2.24 + 0.01 + 2.326 * 0.002, abs=1e-4) == verdict.detectable
    assert only([measurement("parameters", 100)], [COUNT]).detectable is None


def test_a_verdict_on_fewer_seeds_holds_the_bound_that_it_was_judged_by():
    """Seed 0 had 0.999 where both had 0.99 in the mean: 0.985 is above the entry's bound and below its own."""
    stored = expectation("accuracy", 0.99, low=0.984, seeds=2, by_seed={0: 0.999, 1: 0.981})
    verdict = only([measurement("accuracy", 0.985, seeds=(0,), n=360)], [stored])
    assert VerdictKind.REGRESSED == verdict.kind
    assert 0.985 < verdict.expectation.low < 0.999
    assert (3, "any/digits_cnn.toml") == (verdict.expectation.line, verdict.expectation.path)


@pytest.mark.parametrize(
    ("value", "kind"), [(222_360, "pass"), (222_029, "pass"), (240_000, "regressed"), (200_000, "improved")]
)
def test_an_entry_that_was_stored_as_exact_is_judged_as_what_measures_it_says(value, kind):
    """Quantization-aware training gives 222,029 to 222,360 weights that are not zero, by seed or machine."""
    stored = expectation("nonzero_parameters", 222_330, low=222_330, high=222_330, tier="exact")
    measured = measurement("nonzero_parameters", value, margin=0.05 * value)
    verdict = only([measured], [stored])
    assert kind == verdict.kind
    assert verdict.expectation.low < 222_330 < verdict.expectation.high
    assert "regressed" == judged("parameters", 101, expectation("parameters", 100, low=100, high=100))
