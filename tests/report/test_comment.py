"""The comment on a pull request, by situation; the files in `golden/comments` hold the whole text."""
# the expected value stands on the left

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import PRUNED, RUN, UNAVAILABLE, header
from test_github import BROKEN, GONE, LARGER, PASSED, SLOWER, UNDECIDED, WORSE, verdict

from suite.cli.main import main
from suite.core.records import GroupEnd, RunEnd, Verdict, VerdictKind
from suite.report.badge import badge
from suite.report.comment import LIMIT, CommentPart, comment
from suite.report.results.folder import RunFolder
from suite.report.run_comment import part

GOLDEN = Path(__file__).with_name("golden") / "comments"
ABOUT = "2026-11-23T15-04-05-cpu on cpu-x86_64-test-2c, cpu, commit 3f9c2ab"
BEST = "digits_cnn on cpu: static_int8 is fastest without a measurable loss, 2.00x [1.90, 2.10], 4.00 times smaller."
HOSTILE = "<img src=x onerror=alert(1)> | @everyone [x](http://y) `` ` \x1b[31m\u202e #1 **bold**"
BETTER = verdict("improved", value=2.9, low=2.17)
NEW = verdict("unverified", "operators", 12)
ABSENT = Verdict(
    kind=VerdictKind.UNAVAILABLE, cell=UNAVAILABLE.cell, metric="", group="speed", reason="no fp16 kernels"
)
KNOWN = verdict("xfail", value=1.0, low=2.17, reason="until 2027-01-31: a known bug")
MENDED = verdict("xpass", value=2.4, low=2.17, reason="it passes; remove the xfail")
STALE = replace(PASSED, stale=True)
ODD = replace(SLOWER, cell=replace(SLOWER.cell, workload=HOSTILE, technique=HOSTILE), reason=HOSTILE)


def run(*verdicts, **fields):
    return CommentPart(**{"about": ABOUT, "verdicts": verdicts, **fields})


OTHER = "2026-11-23T15-04-05-cpu on cpu-x86_64-other-8c, cpu, commit 3f9c2ab"
CRASHED = "unfinished: 3 of 20 groups of metrics were measured; the run was ended, or its file was cut"
CHANGED = Verdict(
    kind=VerdictKind.REGRESSED, cell=replace(SLOWER.cell, workload="claims", technique="S-04"), metric="claim",
    group="quality", reason="refuted, expected holds: the interval lies below 2",
)  # fmt: skip
SITUATIONS = {
    "bench_pass": ("bench", [run(PASSED, sentences=[BEST])]),
    "bench_regressed": ("bench", [run(PASSED, SLOWER, WORSE, LARGER, sentences=[BEST])]),
    "bench_improved": ("bench", [run(PASSED, BETTER)]),
    "bench_inconclusive": ("bench", [run(PASSED, UNDECIDED)]),
    "bench_missing": ("bench", [run(PASSED, GONE)]),
    "bench_unverified": ("bench", [run(NEW)]),
    "bench_error": ("bench", [run(PASSED, BROKEN)]),
    "bench_crashed": ("bench", [run(PASSED, problem=CRASHED)]),
    "bench_unavailable": ("bench", [run(ABSENT)]),
    "bench_nothing_judged": ("bench", [run(sentences=[BEST])]),
    "bench_xfail": ("bench", [run(PASSED, KNOWN)]),
    "bench_xpass": ("bench", [run(PASSED, MENDED)]),
    "bench_stale": ("bench", [run(STALE)]),
    "bench_two_machines": ("bench", [run(PASSED), run(SLOWER, about=OTHER)]),
    "bench_everything": ("bench", [run(PASSED, SLOWER, BETTER, UNDECIDED, GONE, NEW, BROKEN, ABSENT, KNOWN, MENDED)]),
    "bench_hostile_names": ("bench", [run(ODD, about=HOSTILE, sentences=[HOSTILE])]),
    "compare_pass": ("compare", [run(replace(PASSED, expectation=None), about="main against wt-new")]),
    "compare_regressed": ("compare", [run(replace(SLOWER, expectation=None), about="main against wt-new")]),
    "compare_inconclusive": ("compare", [run(replace(UNDECIDED, expectation=None), about="main against wt-new")]),
    "claims_hold": ("claims", [run(replace(CHANGED, kind=VerdictKind.PASS, reason="holds"), about="Judged on here.")]),
    "claims_changed": ("claims", [run(CHANGED, about="Judged on here.")]),
    "claims_untestable": (
        "claims", [run(replace(CHANGED, kind=VerdictKind.UNAVAILABLE, reason="not testable"), about="Judged here.")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_comment_is_the_golden_file(situation):
    """Headline, what changed, and the rest behind a click; every message can be read in review."""
    subject, parts = SITUATIONS[situation]
    assert (GOLDEN / f"{situation}.md").read_text("utf-8") == comment(parts, subject=subject)


def test_every_golden_file_has_its_situation():
    """One that nothing writes would grow old in silence."""
    assert set(SITUATIONS) == {path.stem for path in GOLDEN.glob("*.md")}


def test_a_comment_of_very_many_rows_fits_and_says_how_many_it_leaves_out():
    """What changed comes first."""
    text = comment([run(*[SLOWER] * 150, *[PASSED] * 5000)], subject="bench")
    assert LIMIT >= len(text.encode())
    assert 150 == text.count("| REGRESSED |")
    left = int(re.search(r"^(\d+) more rows", text, re.MULTILINE)[1])
    assert 5150 == left + text.count("| REGRESSED |") + text.count("| pass |")


def test_a_comment_of_too_many_changed_rows_fits_as_well():
    """And nothing is folded away then."""
    text = comment([run(*[replace(SLOWER, reason="ä" * 300)] * 2000, PASSED)], subject="bench")
    assert LIMIT >= len(text.encode())
    assert "<details>" not in text


def test_a_comment_on_very_many_runs_fits_and_says_how_many_lines_it_leaves_out():
    """Sentences go first, then runs; what changed keeps its place."""
    sentence = f"{BEST} {'ä' * 300}"
    text = comment([run(SLOWER, PASSED, sentences=[sentence] * 4) for _ in range(400)], subject="bench")
    assert LIMIT >= len(text.encode())
    assert "| REGRESSED |" in text
    shown = len(re.findall(r"^\d+\. ", text, re.MULTILINE))
    assert f"{5 * 400 - shown} more lines on runs do not fit" in text
    assert sentence[:50] not in text


@given(text=st.text(max_size=60))
def test_no_name_leaves_its_code_span_or_its_cell(text):
    """Outside of code spans there is no HTML but ours, no link and no mention, whatever a user's file is called."""
    odd = replace(SLOWER, cell=replace(SLOWER.cell, technique=text), reason=text)
    (row,) = [line for line in comment([run(odd)], subject="bench").splitlines() if line.startswith("| REGRESSED")]
    assert 7 == row.replace(r"\|", "").count("|")
    assert not set("<@[\x1b\u202e") & set(re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", row).replace("1.98 [1.9, 2.06]", ""))


def test_the_command_writes_comment_and_badge_into_the_run(tmp_path, capsys):
    """With the sentences of the trade-off table."""
    folder = RunFolder.create(tmp_path, header())
    folder.append(*RUN)
    assert 0 == main(["report", str(folder.path), "--comment", "--badge"])
    text = (folder.path / "comment.md").read_text("utf-8")
    assert f"{PRUNED} is smallest" in text or "is fastest without a measurable loss" in text
    assert "not decided: nothing was judged" in text
    assert "not decided" in (folder.path / "badge.svg").read_text("utf-8")
    assert 2 == len(capsys.readouterr().out.splitlines())


def test_the_command_takes_a_folder_of_runs(tmp_path):
    """One comment on all machines, in the folder of reports."""
    for machine in ("a", "b"):
        where = replace(header().where, machine=machine)
        RunFolder.create(tmp_path, header(run=machine, where=where)).append(*RUN)
    assert 0 == main(["report", str(tmp_path), "--comment", f"--reports-dir={tmp_path}"])
    assert 2 == (tmp_path / "comment.md").read_text("utf-8").count("commit 3f9c2ab")


def test_a_run_that_was_cut_short_is_not_called_a_pass(tmp_path):
    """Its verdicts are those of a part."""
    folder = RunFolder.create(tmp_path, header(groups=2))
    folder.append(PASSED.measurement, PASSED, GroupEnd(cell=PASSED.cell, group="speed", metrics=1))
    assert "not decided" in comment([part(folder.path)], subject="bench")
    folder.append(RunEnd(groups=1, done=1, whole=True, code=0))
    assert "### suite bench: passed: 1 pass" in comment([part(folder.path)], subject="bench")


@pytest.mark.parametrize(
    ("said", "verdicts"),
    [
        ("2 failed", [SLOWER, WORSE, PASSED]),
        ("1 passed", [PASSED]),
        ("1 passed, 1 unverified", [PASSED, NEW]),
        ("1 passed, 1 open", [PASSED, UNDECIDED]),
        ("not decided", [NEW]),
        ("not decided", []),
    ],
)
def test_the_badge_says_how_many_failed_or_passed(said, verdicts):
    """As SVG that parses, and is the same each time."""
    drawn = badge([run(*verdicts)])
    assert said in {element.text for element in ET.fromstring(drawn).iter()}  # noqa: S314  # our own
    assert drawn == badge([run(*verdicts)])


def test_the_badge_of_an_unfinished_run_is_no_pass():
    """It would be shown for months."""
    assert "not decided" in badge([run(PASSED, problem=CRASHED)])


ENDS = {1: "failed", 10: "not decided", 11: "failed", 12: "not decided", 4: "not decided", None: "not decided"}


@pytest.mark.parametrize("code", ENDS)
def test_comment_and_badge_are_never_better_than_the_exit_code(tmp_path, code):
    """Whatever the verdicts say: a doubt about the whole run, or groups left out, are no verdicts."""
    found = part(ended(tmp_path, code, PASSED))
    assert f"### suite bench: {ENDS[code]}: 1 pass" in comment([found], subject="bench")
    assert f">{ENDS[code]}<" in badge([found])
    assert found.problem


def test_an_improvement_that_fails_the_gate_is_failed(tmp_path):
    """Without `--allow-improvement` the run ends with 1; with it there is something to look at."""
    failing = part(ended(tmp_path / "failing", 1, BETTER))
    assert "### suite bench: failed: 1 improved" in comment([failing], subject="bench")
    assert ">failed<" in badge([failing])
    allowed = part(ended(tmp_path / "allowed", 0, BETTER))
    assert "### suite bench: to look at: 1 improved" in comment([allowed], subject="bench")


def test_a_run_without_verdicts_beside_one_that_passed_is_not_decided():
    """The other machine says nothing about it."""
    parts = [run(PASSED), run(about=OTHER)]
    assert "### suite bench: not decided: 1 pass" in comment(parts, subject="bench")
    assert ">not decided<" in badge(parts)


def ended(path, code, *verdicts):
    """The folder of a run with these verdicts that ended with an exit code."""
    folder = RunFolder.create(path, header(groups=1))
    measured = [verdict.measurement for verdict in verdicts]
    folder.append(*measured, *verdicts, GroupEnd(cell=PASSED.cell, group="speed", metrics=1))
    folder.end(RunEnd(groups=1, done=1, whole=True, code=code))
    return folder.path
