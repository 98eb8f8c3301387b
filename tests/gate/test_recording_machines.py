"""Entries that hold on several machines: what each recorded, and bounds that cover all of them."""
# the expected value stands on the left

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from expect_samples import CELL, FAMILY, MACHINE, TODAY, UNTIMED, here, measurement, run_header
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import SuiteError
from suite.gate import Store, check, load_all, record
from suite.gate.files.match import devices_agree
from suite.gate.files.write import one_writer
from suite.gate.judge import judge
from suite.gate.recording.machines import expectation

SECOND = "cpu-x86_64-intel-xeon-4c"
THIRD = "cpu-aarch64-graviton-4c"
ACCURACY = measurement("accuracy", 0.97, seeds=(0, 1), by_seed=(0.98, 0.96), noise=0.001)
SPEED = measurement("speedup", 2.0, low=1.9, high=2.1, noise=0.01, processes=5, conditions={"batch": 64, "threads": 1})


def on(machine, folder, *measured, family=FAMILY, **where):
    header = run_header(where=here(machine=machine, family=family, **where))
    return record(measured, header=header, directory=folder)


def entries(folder):
    return {(entry.level, entry.metric): entry for entry in load_all(folder)}


def test_an_entry_that_holds_anywhere_covers_every_machine_that_recorded_it(tmp_path):
    """The value is the least favourable figure, and the bound stands below that."""
    on(MACHINE, tmp_path, ACCURACY)
    on(SECOND, tmp_path, replace(ACCURACY, value=0.98, by_seed=(0.97, 0.99)))
    entry = entries(tmp_path)["any", "accuracy"]
    assert {MACHINE: 0.97, SECOND: 0.98} == entry.seen
    assert (0.97, 0.965, None) == (entry.value, entry.low, entry.high)
    assert {0: 0.97, 1: 0.96} == entry.by_seed
    on(SECOND, tmp_path, replace(ACCURACY, value=0.96))
    on(MACHINE, tmp_path, replace(ACCURACY, value=0.99))
    entry = entries(tmp_path)["any", "accuracy"]
    assert {MACHINE: 0.99, SECOND: 0.96} == entry.seen
    assert (0.96, 0.955) == (entry.value, entry.low)


def test_recording_on_two_machines_twice_changes_nothing_the_second_time(tmp_path):
    """The order of machines does not matter either."""
    other = replace(ACCURACY, value=0.95)
    on(MACHINE, tmp_path, ACCURACY)
    on(SECOND, tmp_path, other)
    before = entries(tmp_path)
    assert () == on(MACHINE, tmp_path, ACCURACY).changed
    assert () == on(SECOND, tmp_path, other).changed
    assert before == entries(tmp_path)


def test_bytes_with_two_bounds_cover_the_machines_on_both_sides(tmp_path):
    """From below the smallest to above the largest."""
    size = measurement("artefact_bytes", 100000.0, tier="portable")
    on(MACHINE, tmp_path, size)
    on(SECOND, tmp_path, replace(size, value=110000.0))
    entry = entries(tmp_path)["any", "artefact_bytes"]
    assert (97800, 110000, 112200) == (entry.low, entry.value, entry.high)


def test_a_favourable_bound_covers_the_best_of_the_machines(tmp_path):
    """Who wants to hear of improvements must not hear of a machine that always was better."""
    on(MACHINE, tmp_path, ACCURACY)
    path = tmp_path / "any" / "digits_cnn.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("low = 0.965\n", "low = 0.965\nhigh = 0.975\n"))
    on(SECOND, tmp_path, replace(ACCURACY, value=0.9, by_seed=(0.9, 0.9)))
    entry = entries(tmp_path)["any", "accuracy"]
    assert (0.895, 0.9, 0.975) == (entry.low, entry.value, entry.high)
    assert "pass" == judge(ACCURACY, entry, quiet=True, today=TODAY).kind
    first = replace(ACCURACY, value=0.99, seeds=(0,))
    assert "pass" == judge(first, entry, quiet=True, today=TODAY).kind


VALUES = st.floats(0, 1)
NAMES = st.sampled_from(
    ["accuracy", "accuracy_worst_seed", "accuracy_vs_control", "mean_squared_error", "output_error"]
)


@UNTIMED
@given(
    NAMES,
    st.lists(st.tuples(st.sampled_from([MACHINE, SECOND, THIRD]), VALUES, VALUES, st.none() | VALUES), min_size=1),
)
def test_no_recording_makes_another_machines_own_figure_fail(name, recordings):
    """Whatever machines record whatever, in any order, and judged over all seeds or the first one."""
    latest, entry = {}, None
    for machine, first, second, noise in recordings:
        seeds = {"seeds": (0, 1), "by_seed": (first, second)}
        value = (first + second) / 2
        if name.endswith("worst_seed"):
            value = min(first, second)
        latest[machine] = measurement(name, value, noise=noise, **seeds)
        entry = expectation(latest[machine], entry, here(machine=machine), at="now")
    for measured in latest.values():
        quick = replace(measured, value=measured.by_seed[0] + 0.0, seeds=(0,), by_seed=measured.by_seed[:1])
        for one in (rounded(measured), rounded(quick)):
            assert "pass" == judge(one, entry, quiet=True, today=TODAY).kind


def rounded(measured):
    """As a file holds it: the bounds of noiseless figures may lie nearer than the seventh digit."""
    return replace(measured, value=float(f"{measured.value:.6g}"))


def test_figures_of_other_machines_on_other_data_or_conditions_are_dropped(tmp_path):
    """They are figures of another quantity."""
    on(MACHINE, tmp_path, ACCURACY)
    on(SECOND, tmp_path, replace(ACCURACY, value=0.5, by_seed=(0.51, 0.49)), data_digests={"digits_cnn": "d2"})
    entry = entries(tmp_path)["any", "accuracy"]
    assert ({SECOND: 0.5}, 0.495) == (entry.seen, entry.low)
    size = measurement("entropy_bytes", 100.0, conditions={"level": 6})
    on(MACHINE, tmp_path, size)
    on(SECOND, tmp_path, replace(size, value=50.0, conditions={"level": 9}))
    assert {SECOND: 50} == entries(tmp_path)["any", "entropy_bytes"].seen


def test_an_exact_figure_that_differs_on_another_machine_is_skipped_with_both(tmp_path):
    """Exact means equal everywhere; the user decides which of the two is wrong."""
    count = measurement("parameters", 100.0)
    on(MACHINE, tmp_path, count)
    on(SECOND, tmp_path, count)
    assert {MACHINE: 100, SECOND: 100} == entries(tmp_path)["any", "parameters"].seen
    done = on(SECOND, tmp_path, replace(count, value=101.0))
    assert f"exact figures are equal on every machine, but it is 100 on {MACHINE} and 101 here" in str(done.skipped[0])
    assert f"delete the entry at {tmp_path / 'any' / 'digits_cnn.toml'}:" in str(done.skipped[0])
    assert 100 == entries(tmp_path)["any", "parameters"].value


def test_an_exact_figure_that_one_machine_alone_recorded_is_renewed_there(tmp_path):
    """A network that was changed on purpose needs no more than to be recorded."""
    on(MACHINE, tmp_path, measurement("parameters", 100.0))
    assert 1 == on(MACHINE, tmp_path, measurement("parameters", 101.0)).updated
    assert 101 == entries(tmp_path)["any", "parameters"].value


def test_a_family_has_an_entry_once_two_of_its_machines_do(tmp_path):
    """Bounded by the least of their bounds; the machines keep their own."""
    on(MACHINE, tmp_path, SPEED)
    assert [(MACHINE, "speedup")] == list(entries(tmp_path))
    on(SECOND, tmp_path, replace(SPEED, value=3.0, noise=0.02, processes=3))
    found = entries(tmp_path)
    family = found[FAMILY, "speedup"]
    assert {MACHINE: 2, SECOND: 3} == family.seen
    assert (2.0, 3, 0.02) == (family.value, family.processes, family.noise)
    assert family.low == min(found[MACHINE, "speedup"].low, 1.84)  # the least bound, or the least value with any noise
    assert (None, 1) == (family.origin.machine, family.origin.threads)
    assert {"batch": 64, "threads": 1} == family.conditions
    on(MACHINE, tmp_path, replace(SPEED, value=4.0))
    assert {MACHINE: 4, SECOND: 3} == entries(tmp_path)[FAMILY, "speedup"].seen
    assert entries(tmp_path)[FAMILY, "speedup"].low == found[SECOND, "speedup"].low


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({}, {"family": "cpu-x86_64-avx512"}),
        ({}, {"threads": 2}),
        ({"conditions": {"batch": 4096, "threads": 1}}, {}),
        ({"conditions": {"batch": 64, "threads": 2}}, {}),
        ({"metric": "speedup_b1"}, {}),
        ({"cell": replace(CELL, technique="narrow")}, {}),
    ],
)
def test_machines_of_another_family_or_with_other_conditions_make_no_family(tmp_path, change, where):
    """A ratio at another batch or with other threads is another quantity."""
    on(MACHINE, tmp_path, SPEED)
    measured = replace(SPEED, **change)
    if "threads" in where:
        measured = replace(measured, conditions={"batch": 64, "threads": 2})
    on(SECOND, tmp_path, measured, **where)
    assert {MACHINE, SECOND} == {level for level, _ in entries(tmp_path)}


@pytest.mark.parametrize("hosts", [("epyc", "xeon"), ("epyc", None), (None, "xeon"), ("epyc", "epyc")])
def test_no_family_has_a_ratio_that_its_hosts_limit(tmp_path, hosts):
    """Launch-bound ratios depend on the CPU beside the accelerator, which a family does not have in common."""
    for machine, host in zip((MACHINE, SECOND), hosts, strict=True):
        conditions = {"batch": 64, "threads": 1} | ({"host": host} if host else {})
        on(machine, tmp_path, replace(SPEED, conditions=conditions))
    assert {MACHINE, SECOND} == {level for level, _ in entries(tmp_path)}


GPU, OTHER_GPU = "cuda-sm90-nvidia-h200", "cuda-sm90-nvidia-h100"
ERROR = measurement("output_error", 1.2e-7)


def test_what_accelerators_round_neither_fails_nor_loosens_the_bound_of_cpus(tmp_path):
    """Its kernels differ: 1e-3 with TF32, where CPUs differ by 1e-7. It has entries of its own."""
    on(MACHINE, tmp_path, ERROR)
    before = entries(tmp_path)["any", "output_error"]
    cuda = {"family": "cuda-sm90", "device": "cuda"}
    assert 1 == on(GPU, tmp_path, replace(ERROR, value=1e-3), **cuda).added
    found = entries(tmp_path)
    assert before == found["any", "output_error"]
    assert (0.001, 0.003) == (found[GPU, "output_error"].value, found[GPU, "output_error"].high)
    on(OTHER_GPU, tmp_path, replace(ERROR, value=2e-3), **cuda)
    family = entries(tmp_path)["cuda-sm90", "output_error"]
    assert (0.002, 0.006) == (family.value, family.high)


@pytest.mark.parametrize(("machine", "device", "kind"), [(GPU, "cuda", "unverified"), (THIRD, "cpu", "pass")])
def test_an_error_that_cpus_recorded_speaks_for_cpus_only(tmp_path, machine, device, kind):
    """On another kind of device nothing is known yet; a bound that was written by hand names no machine and holds."""
    on(MACHINE, tmp_path, ERROR)
    place = here(machine=machine, family="cuda-sm90" if device == "cuda" else FAMILY, device=device)
    measured = replace(ERROR, value=5e-6 if device == "cpu" else 1e-3, cell=replace(CELL, device=device))

    def verdict(entry):
        store = {entry.metric: entry} if devices_agree(entry, place) else {}
        return check(
            measurements=[measured], failures=(), expectations=store.values(), where=place,
            planned={measured.cell: ("quality",)}, fresh_processes=True, quiet=True, today=TODAY,
        )[0].kind  # fmt: skip

    entry = entries(tmp_path)["any", "output_error"]
    assert kind == verdict(entry)
    assert ("regressed" if device == "cuda" else "pass") == verdict(replace(entry, seen={}))
    found = Store([tmp_path]).find("digits_cnn", place)
    assert (1 if device == "cpu" else 0) == len(found)


def test_why_an_error_of_cpus_says_nothing_here_is_said(tmp_path):
    """In the reason of the unverified figure."""
    on(MACHINE, tmp_path, ERROR)
    place = here(machine=GPU, family="cuda-sm90", device="cuda")
    said = Store([tmp_path]).near("digits_cnn", CELL.technique, "output_error", place)
    assert "recorded on cpu, and output_error depends on the kernels of cuda" in said


def test_bytes_that_a_compiler_made_belong_to_the_family(tmp_path):
    """An entry that an earlier version stored for any machine speaks for the machines that it names."""
    package = measurement("artefact_bytes", 2_610_115.0, tier="family")
    on(MACHINE, tmp_path, package)
    found = entries(tmp_path)[MACHINE, "artefact_bytes"]
    assert (2_557_000, 2_663_000, "family") == (found.low, found.high, found.tier)
    stored = replace(found, level="any", tier="portable", seen={MACHINE: found.value})
    for machine, value, kind in ((MACHINE, 2_620_000.0, "pass"), (MACHINE, 3e6, "regressed"), (GPU, 3e6, "unverified")):
        (verdict,) = check(
            measurements=[replace(package, value=value)], failures=(), expectations=[stored],
            where=here(machine=machine), planned={CELL: ("size",)}, fresh_processes=True, quiet=True, today=TODAY,
        )  # fmt: skip
        assert kind == verdict.kind


def test_the_entry_of_a_family_judges_a_third_machine_of_it(tmp_path):
    """That is what it is for."""
    on(MACHINE, tmp_path, SPEED)
    on(SECOND, tmp_path, replace(SPEED, value=3.0))
    (verdict,) = check(
        measurements=[replace(SPEED, value=1.0, low=0.9, high=1.1)],
        failures=(),
        expectations=[entries(tmp_path)[FAMILY, "speedup"]],
        where=here(machine=THIRD),
        planned={CELL: ("speed",)},
        fresh_processes=True,
        quiet=True,
        today=TODAY,
    )
    assert "regressed" == verdict.kind


def test_hardware_is_no_condition_of_what_holds_anywhere(tmp_path):
    """A count does not depend on threads, and must apply to a run with others."""
    on(MACHINE, tmp_path, measurement("parameters", 100.0, conditions={"threads": 1, "host": "epyc", "opset": 18}))
    assert {"opset": 18} == entries(tmp_path)["any", "parameters"].conditions


def test_values_by_seed_are_stored_for_qualities_only(tmp_path):
    """Times by seed say nothing elsewhere; values that do not belong to the seeds are left out."""
    on(MACHINE, tmp_path, ACCURACY, measurement("train_seconds", 5.0, seeds=(0, 1), by_seed=(5.0, 5.0)))
    on(MACHINE, tmp_path, measurement("macro_recall", 0.9, seeds=(0, 1), by_seed=(0.9,)))
    found = entries(tmp_path)
    assert {0: 0.98, 1: 0.96} == found["any", "accuracy"].by_seed
    assert {} == found[MACHINE, "train_seconds"].by_seed
    assert {} == found["any", "macro_recall"].by_seed


def test_what_is_stored_is_read_while_no_one_else_writes(tmp_path, monkeypatch):
    """Two processes that record at once must not lose each other's machine."""
    held = []

    def watched(directory):
        with pytest.raises(SuiteError, match="another process has been writing"), one_writer(directory, seconds=0.01):
            pass
        held.append(True)
        return load_all(directory)

    monkeypatch.setattr(sys.modules["suite.gate.recording.record"], "load_all", watched)
    on(MACHINE, tmp_path, ACCURACY)
    assert [True] == held
