"""Counts of work in the gate: what came and went is named, and they hold under one version of torch."""
# the expected value stands on the left

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from expect_samples import CELL, GROUPS, TODAY, expectation, here, measurement, run_header

from suite.core.errors import ExpectationFileError
from suite.core.metrics import COUNTS, METRICS
from suite.core.records import Reason, VerdictKind
from suite.gate import check, load, record
from suite.gate.files.parse import parse

COPY, RELU = "aten.copy_ @ model.py:forward:3f2a", "aten.relu @ model.py:forward:0b0b"
UNDER = {"torch": "2.15", "batch": 64}
STORED = expectation(
    "operators", 1, low=1, high=1, conditions=UNDER, fingerprint={RELU: 1}, seen={here().machine: 1}
)  # fmt: skip
FILE = Path("any/digits_cnn.toml")


def counted(value, **changes):
    fingerprint = {RELU: 1, COPY: value - 1} if value > 1 else {RELU: value}
    lines = {COPY: "model.py:41", RELU: "model.py:38"}
    return measurement(
        "operators", value, **({"conditions": UNDER, "fingerprint": fingerprint, "lines": lines} | changes)
    )


def verdict(measured, entry=STORED, **changes):
    (found,) = check(
        measurements=[measured], expectations=[entry], failures=(), where=here(**changes), planned={CELL: GROUPS},
        fresh_processes=True, quiet=False, today=TODAY,
    )  # fmt: skip
    return found


def test_an_operator_more_is_a_regression_that_names_its_line():
    """Whether the runner is quiet does not matter."""
    found = verdict(counted(3))
    assert VerdictKind.REGRESSED is found.kind
    assert found.reason.endswith("bound 1; +2 aten.copy_, at model.py:41")


def test_an_operator_less_is_an_improvement_that_names_it():
    """By the function that it was in."""
    found = verdict(counted(0, fingerprint={}))
    assert VerdictKind.IMPROVED is found.kind
    assert found.reason.endswith("-1 aten.relu, in model.py:forward")


def test_the_same_count_passes_without_a_word():
    """And is not stale."""
    found = verdict(counted(1))
    assert (VerdictKind.PASS, "", False) == (found.kind, found.reason, found.stale)


def test_the_first_graph_break_is_named():
    """A count of zero has an empty fingerprint, of which everything is known."""
    entry = expectation("graph_breaks", 0, low=0, high=0, conditions=UNDER, seen={here().machine: 0})
    key = "graph break @ model.py:forward:11aa"
    found = verdict(
        measurement("graph_breaks", 1, conditions=UNDER, fingerprint={key: 1}, lines={key: "model.py:41 (print)"}),
        entry,
    )
    assert found.reason.endswith("+1 graph break, at model.py:41 (print)")


def test_nothing_is_named_where_no_fingerprint_is_stored():
    """An entry that was written by hand."""
    assert "aten" not in verdict(counted(3), replace(STORED, fingerprint={})).reason


OLDER = replace(STORED, conditions={**UNDER, "torch": "2.14"})


def test_another_version_of_torch_fails_nothing():
    """It dispatches other operators, maybe; the entry is stale."""
    found = verdict(counted(3), OLDER)
    assert (VerdictKind.UNVERIFIED, Reason.OTHER_CONDITIONS, True) == (found.kind, found.code, found.stale)
    assert found.reason.startswith("counted with torch 2.14, this run has torch 2.15; record it again")


def test_a_count_that_another_version_did_not_change_passes():
    """And is stale."""
    found = verdict(counted(1), OLDER, versions={"python": "3.11", "torch": "2.16.0"})
    assert (VerdictKind.PASS, True) == (found.kind, found.stale)


def test_another_batch_is_another_quantity():
    """Whatever the version: what has to be measured was not."""
    found = verdict(counted(1), replace(OLDER, conditions={"torch": "2.14", "batch": 1}))
    assert (VerdictKind.MISSING, Reason.OTHER_CONDITIONS) == (found.kind, found.code)


def test_a_count_that_does_not_repeat_is_inconclusive():
    """With the reason."""
    found = verdict(counted(3, suspect="the count does not repeat: 3 and 4"))
    assert (VerdictKind.INCONCLUSIVE, "the count does not repeat: 3 and 4") == (found.kind, found.reason)


def test_a_fingerprint_is_recorded_beside_its_count(tmp_path):
    """And read again as it was."""
    record([counted(3)], header=run_header(), directory=tmp_path)
    (entry,) = load(tmp_path / FILE)
    assert ({RELU: 1, COPY: 2}, 3, 3, 3) == (entry.fingerprint, entry.low, entry.value, entry.high)
    text = (tmp_path / FILE).read_text("utf-8")
    assert f'fingerprint = {{"{COPY}" = 2, "{RELU}" = 1}}' in text
    record([counted(3)], header=run_header(), directory=tmp_path)
    assert text == (tmp_path / FILE).read_text("utf-8")


def test_a_new_version_of_torch_replaces_the_entry(tmp_path):
    """It is another quantity, of which nothing is stored."""
    record([counted(3)], header=run_header(), directory=tmp_path)
    record([counted(1, conditions={**UNDER, "torch": "2.16"})], header=run_header(), directory=tmp_path)
    (entry,) = load(tmp_path / FILE)
    assert ({RELU: 1}, "2.16", 1) == (entry.fingerprint, entry.conditions["torch"], entry.value)


@pytest.mark.parametrize("count", ["0", '"two"', "1.5", "true"])
def test_a_fingerprint_holds_whole_numbers(count):
    """The fault names its line."""
    text = f"""schema = 1
["baseline".operators]
value = 2
low = 2
high = 2
unit = "1"
better = "lower"
tier = "exact"
fingerprint = {{ "aten.copy_" = {count} }}
"""
    with pytest.raises(ExpectationFileError, match=r"aten.copy_ must be a whole number of at least 1"):
        parse(text, FILE)


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_counts_of_one_kind_of_device_say_nothing_of_another(device):
    """Another device is given other operators: its counts are stored with the machine."""
    from suite.gate.recording.machines import level_of

    machine = {"cpu": "cpu-x86_64-amd-epyc-2c", "cuda:0": "cuda-sm90-h200"}[device]
    assert {"any" if device == "cpu" else machine} == {
        level_of(measurement(name, 1), here(machine=machine, device=device)) for name in COUNTS
    }


def test_every_count_is_a_metric_of_size():
    """Their group gates without a quiet machine."""
    assert {("size", "point")} == {(METRICS[name].group, METRICS[name].judged) for name in COUNTS}
