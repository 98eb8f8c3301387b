"""Planted faults that structural counts find: sources, what is kept, what is told, and one fault really counted."""
# the expected value stands on the left

import ast
import json
from io import StringIO

import pytest

from studies.gate import structural, structural_process
from studies.gate.decision_log import DecisionLog
from studies.gate.structural_networks import FAULTS, VARIANTS, planted
from suite.core.errors import SetupError

VERSIONS = {"torch": "2"}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_variant_plants_its_lines_and_nothing_else(fault):
    """Without them both sources are one."""
    shapes = set()
    for variant in range(VARIANTS):
        made = planted(fault, variant)
        now = made.now.splitlines()
        ast.parse(made.now)
        assert made.before.splitlines() == [line for number, line in enumerate(now, 1) if number not in made.lines]
        assert tuple(now[number - 1].strip() for number in made.lines) in FAULTS[fault]
        shapes.add(made.shape)
    assert VARIANTS == len(shapes)


def row(fault, variant=0, **details):
    kept = {"kind": structural.STRUCTURAL, "versions": VERSIONS, "fault": fault, "variant": variant}
    return {**kept, "verdicts": {}, "named": [], "said": {}, **details}


def test_what_is_found_and_named_is_told_by_kind():
    """Another metric that regresses finds nothing, and another line names nothing."""
    rows = [
        row("copy", verdicts={"operators": "regressed"}, named=["operators"]),
        row("copy", verdicts={"operators": "regressed"}),
        row("copy", verdicts={"allocations": "regressed"}),
        row("unfused kernel", verdicts={"fused_operators": "regressed"}, named=["graphs"]),
        row("moved"),
    ]
    assert [
        "structure, copy: found in 2 of 3, in 1 with its line",
        "structure, unfused kernel: found in 1 of 1, in 0 with its line",
        "structure, moved: 0 of 1 differ",
    ] == structural.lines(rows)


class FakeProcess:
    """A process that found nothing in the variants it was asked for."""

    returncode = 0

    def __init__(self, command, **_):
        self.stdout = StringIO("".join(f"{json.dumps({'variant': int(text)})}\n" for text in command[4:]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def test_variants_that_the_log_has_are_not_counted_again(monkeypatch, tmp_path):
    """All others are."""
    monkeypatch.setattr(structural.subprocess, "Popen", FakeProcess)
    log = DecisionLog(path=tmp_path / "log.jsonl")
    log.append(row("copy", 3))
    structural.run(log, versions=VERSIONS, minutes=1)
    rows = structural.counts(log, VERSIONS)
    assert len(FAULTS) * VARIANTS == len(rows) == len({(one["fault"], one["variant"]) for one in rows})
    assert [] == structural.counts(log, {"torch": "3"})


def test_a_process_that_fails_is_told(monkeypatch, tmp_path):
    """What it found before is kept."""
    monkeypatch.setattr(structural.subprocess, "Popen", FakeProcess)
    monkeypatch.setattr(FakeProcess, "returncode", 1)
    log = DecisionLog(path=tmp_path / "log.jsonl")
    with pytest.raises(SetupError, match="counts copy ended with 1"):
        structural.run(log, versions=VERSIONS, minutes=1)
    assert VARIANTS == len(structural.counts(log, VERSIONS))


@pytest.mark.parametrize("variant", [3, 6])
def test_an_extra_copy_is_found_with_its_line(variant):
    """In a function and in a convolutional network."""
    found = row("copy", variant, **structural_process.judged("copy", variant))
    assert structural.is_found(found)
    assert ["operators"] == found["named"]


def test_a_remark_changes_no_count():
    """The lines below it have moved."""
    assert {"verdicts": {}, "named": [], "said": {}} == structural_process.judged("moved", 0)
