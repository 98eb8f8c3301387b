"""A bench run: figures in, verdicts and an exit code out, whatever a technique does."""
# the expected value stands on the left

import shutil
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest
import tiny
import tomlkit

from suite.bench import commands, opening, sources
from suite.bench.bench import Plan
from suite.bench.estimate import Estimate
from suite.bench.exit_code import of_verdicts
from suite.bench.failing import failing
from suite.bench.judging import bounds, judge_sweeps
from suite.bench.opening import open_run
from suite.bench.options import Options
from suite.bench.pipeline import finish, measure_group
from suite.bench.run import Run
from suite.bench.time_budget import Budget
from suite.bench.trust import doubt
from suite.bench.workers.fresh_processes import FreshProcessError
from suite.catalog.scores import classification
from suite.core.errors import ExpectationFileError, IncapableError, SuiteError, UnavailableError
from suite.core.machine import flags
from suite.core.metrics import measured
from suite.core.records import GROUPS, Verdict, VerdictKind
from suite.report.endings import incomplete
from suite.report.results.lines import decode

QUICK = Plan(profile="quick", seeds=2)
DIGEST = cache(sources.digest)

pytestmark = pytest.mark.usefixtures("few_draws")


def registry_with_failures():
    made = tiny.registry()

    @made.technique(slots=("finish",))
    def broken(plain):
        """Fail while finishing."""

        def finish(_network, _tuner):
            raise ZeroDivisionError("no channel is left")

        return replace(plain, finish=finish)

    @made.technique(slots=("deploy",))
    def elsewhere(plain):
        """Run only where it can."""

        def deploy(_network):
            raise UnavailableError("no such engine here")

        return replace(plain, deploy=deploy)

    return made


REGISTRY = registry_with_failures()
BASELINE, HALVED, BROKEN, ELSEWHERE, WRAPPED = (
    tiny.case_of(REGISTRY, name) for name in ("baseline", "halved(epochs=1)", "broken", "elsewhere", "wrapped")
)


@pytest.fixture
def news():
    """What was trained: (composition, seed), one entry an epoch."""
    return []


@pytest.fixture
def start(tmp_path, news, monkeypatch):
    """Open a run on the tiny workload, with its folders below ``tmp_path``."""
    monkeypatch.delenv("SUITE_QUIET", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sources, "digest", DIGEST)  # a second for each run otherwise

    def reporter(_workload, composition):
        return lambda progress: news.append((composition, progress.seed))

    def opened(plan=QUICK, cases=(BASELINE,), **options):
        folders = {"expect_dir": tmp_path / "expectations", "reports_dir": tmp_path / "reports"}
        folders["expect_dir"].mkdir(exist_ok=True)
        made = Options(**(folders | options))
        return open_run(REGISTRY, made, plan=plan, cases=list(cases), reporter=reporter)

    return opened


def kinds(verdicts):
    return {verdict.metric: verdict.kind for verdict in verdicts}


def whole(run, case=BASELINE):
    """Measure every group of a case but the timings, which are taken for done."""
    for group in ("quality", "size", "memory"):
        measure_group(run, case, group)
    run.done.add((case, "speed"))


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Where the baseline's figures are stored by the first test that needs them."""
    return tmp_path_factory.mktemp("once")


@pytest.fixture
def recorded(start, tmp_path, once):
    """The baseline's figures, stored as expectations: their folder."""
    if not any(once.rglob("*.toml")):
        run = start(expect="record", expect_dir=once)
        whole(run)
        finish(run)
    return shutil.copytree(once, tmp_path / "expectations", dirs_exist_ok=True)


def edit(folder, metric, **changes):
    """Change an entry of the baseline in the file that holds it."""
    for path in folder.rglob("halves.toml"):
        document = tomlkit.parse(path.read_text("utf-8"))
        if metric in document.get("baseline", {}):
            document["baseline"][metric].update(changes)
            path.write_text(tomlkit.dumps(document), "utf-8")
            return
    raise AssertionError(metric)


# -- verdicts of a run ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("recorded")
def test_what_was_just_recorded_passes(start):
    """Exact and portable figures agree with themselves; a gate ends with 0."""
    run = start()
    whole(run)
    found = kinds(run.verdicts)
    for metric in ("accuracy", "parameters", "artefact_bytes", "macs", "peak_memory_inference"):
        assert VerdictKind.PASS == found[metric], metric
    assert 0 == of_verdicts(run)


def test_timings_outside_a_quiet_process_are_not_recorded(start, tmp_path):
    """They are reported as skipped, with the reason."""
    run = start(expect="record")
    whole(run)
    finish(run)
    assert run.recorded.added > 0
    assert any("train_seconds" in one.name and "quiet" in one.reason for one in run.recorded.skipped)
    stored = "".join(path.read_text("utf-8") for path in (tmp_path / "expectations").rglob("*.toml"))
    assert "parameters" in stored
    assert "train_seconds" not in stored


def test_a_bound_out_of_reach_is_a_regression_and_fails_the_gate(start, recorded):
    """One figure suffices, and the verdict names file and bound."""
    edit(recorded, "parameters", value=1, low=1, high=1)
    run = start()
    found = {verdict.metric: verdict for verdict in measure_group(run, BASELINE, "size")}
    assert VerdictKind.REGRESSED == found["parameters"].kind
    assert VerdictKind.PASS == found["macs"].kind
    assert failing(found["parameters"], run.options)
    assert 1 == of_verdicts(run)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("known", [True, False], ids=["measured before", "new"])
def test_a_cell_that_was_measured_before_and_cannot_take_the_network_now_is_an_error(start, known, monkeypatch):
    """Otherwise a technique that a new version broke would leave a gate green."""
    run = start(expect="gate" if known else "off")

    def measure(*_):
        raise IncapableError("baseline: this network cannot be served so: broken")

    monkeypatch.setattr(run.bench, "measure", measure)
    measure_group(run, BASELINE, "size")
    (failure,) = run.folder.failures()
    assert ("error" if known else "unavailable") == failure.kind
    assert ("it was measured before: " in failure.reason) == known


def test_a_report_judges_and_does_not_fail(start, recorded):
    """The same regression is shown, and ends with 0."""
    edit(recorded, "parameters", value=1, low=1, high=1)
    run = start(expect="report")
    assert VerdictKind.REGRESSED == kinds(measure_group(run, BASELINE, "size"))["parameters"]
    assert 0 == of_verdicts(run)


def test_a_gate_of_other_tiers_does_not_fail_by_this_one(start, recorded):
    """Only figures of the chosen tiers count."""
    edit(recorded, "parameters", value=1, low=1, high=1)
    run = start(gate_tiers=("portable",))
    measure_group(run, BASELINE, "size")
    assert 0 == of_verdicts(run)


@pytest.mark.usefixtures("recorded")
def test_without_expectations_wanted_there_are_no_verdicts(start):
    """`off` measures, keeps the figures and says nothing about them."""
    run = start(expect="off")
    assert [] == measure_group(run, BASELINE, "size")
    assert 6 == len(run.folder.measurements())
    assert 0 == of_verdicts(run)


@pytest.mark.parametrize(("policy", "code"), [("report", 0), ("fail", 1)])
def test_figures_without_expectation_are_unverified_and_fail_by_policy(start, policy, code):
    """Nothing is stored yet: loudly unverified."""
    run = start(unverified=policy)
    assert {VerdictKind.UNVERIFIED} == set(kinds(measure_group(run, BASELINE, "size")).values())
    assert code == of_verdicts(run)


def test_a_malformed_expectation_file_stops_the_run_before_it_starts(start, tmp_path):
    """It is found now and not after an hour; a run without expectations does not care."""
    path = tmp_path / "expectations" / "any" / "halves.toml"
    path.parent.mkdir(parents=True)
    path.write_text("schema = 1\n[baseline.parameters]\nvalue = 'many'\n", "utf-8")
    with pytest.raises(SuiteError, match=r"halves\.toml"):
        start()
    start(expect="off")


# -- cells that fail --------------------------------------------------------------------------------------------------


def test_a_technique_that_raises_is_an_error_with_its_place_and_the_others_go_on(start, news):
    """The line of the technique, not of the suite; its other groups do not try again."""
    run = start()
    errors = [verdict for group in ("quality", "size") for verdict in measure_group(run, BROKEN, group)]
    assert {VerdictKind.ERROR} == {verdict.kind for verdict in errors}
    assert all("ZeroDivisionError: no channel is left [" in verdict.reason for verdict in errors)
    assert all("test_pipeline.py:" in verdict.reason for verdict in errors)
    assert tiny.EPOCHS == len(news)
    measure_group(run, BASELINE, "size")
    assert 6 == len(run.folder.measurements())
    assert 1 == of_verdicts(run)


@pytest.mark.parametrize("expect", ["record", "report", "off"])
def test_an_error_fails_whatever_is_done_with_expectations(start, expect):
    """A cell that broke brought no figure."""
    run = start(expect=expect)
    assert [VerdictKind.ERROR] == [verdict.kind for verdict in measure_group(run, BROKEN, "size")]
    assert 1 == of_verdicts(run)


def test_a_cell_that_cannot_run_here_is_unavailable_and_fails_nothing_by_itself(start):
    """The reason is kept; but a gate in which nothing at all could run has gated nothing."""
    run = start()
    (verdict,) = measure_group(run, ELSEWHERE, "size")
    assert (VerdictKind.UNAVAILABLE, "no such engine here") == (verdict.kind, verdict.reason)
    assert 12 == of_verdicts(run)
    measure_group(run, BASELINE, "size")
    assert 0 == of_verdicts(run)
    assert ["unavailable"] == [failure.kind for failure in run.folder.failures()]


@pytest.fixture
def without_data():
    """The baseline of a workload whose data lie on another machine; its digest cannot be had either."""

    def absent():
        raise UnavailableError("the files of mine are not in /data: copy them there")

    made = tiny.registry()

    @made.workload(scores=classification(), digest=absent)
    def mine(seed):
        """Needs files."""
        return replace(tiny.recipe(seed), data=absent)

    return tiny.case_of(made, "baseline", "mine")


@pytest.mark.parametrize(("policy", "expected"), [("report", 0), ("fail", 1)])
def test_a_workload_whose_data_are_not_here_is_unavailable_in_all_its_groups(start, without_data, policy, expected):
    """With the data's own sentence, before anything is trained; alone it has gated nothing."""
    run = start(cases=[without_data, BASELINE], unavailable=policy)
    found = [verdict for group in GROUPS for verdict in measure_group(run, without_data, group)]
    assert {(VerdictKind.UNAVAILABLE, "the files of mine are not in /data: copy them there")} == {
        (verdict.kind, verdict.reason) for verdict in found
    }
    assert len(GROUPS) == len(found)
    assert 12 == of_verdicts(run)
    measure_group(run, BASELINE, "size")
    assert expected == of_verdicts(run)


# -- the second look --------------------------------------------------------------------------------------------------


PAIRED = """schema = 1

[wrapped.speedup]
value = 1.0
low = 0.95
unit = "1"
better = "higher"
tier = "family"
conditions = { batch = 16, threads = 1 }
"""


def speedup(value, **more):
    bounds = {"low": value - 0.01, "high": value + 0.01, "confidence": 0.99, "n": 100}
    return measured(WRAPPED.cell, "speedup", value, **(bounds | more))


@pytest.fixture
def judged(start, tmp_path):
    """A quiet run whose bench measures one speed-up, and others when it is asked again."""

    def run(first, *again, quiet=True, **options):
        where = start(**options).header.where
        path = tmp_path / "expectations" / where.family / "halves.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAIRED, "utf-8")
        session = start(cases=[WRAPPED], **options)
        session.header = replace(session.header, quiet=quiet)
        asked = []

        def repeat(one, _bounds):
            found = again[len(asked)]
            asked.append(one)
            if isinstance(found, Exception):
                raise found
            return {} if found is None else {"speedup": found if hasattr(found, "value") else speedup(found)}

        session.bench = SimpleNamespace(
            plan=QUICK, forget_samples=list, measure=lambda *_: [speedup(first)], repeat=repeat
        )
        (verdict,) = measure_group(session, WRAPPED, "speed")
        return verdict, len(asked), session

    return run


def test_a_slowdown_counts_once_a_fresh_process_confirms_it(judged):
    """Two of two: both figures stand in the reason, and no third process is asked."""
    verdict, asked, session = judged(0.8, 0.81)
    assert (VerdictKind.REGRESSED, 1) == (verdict.kind, asked)
    assert "0.81 in a fresh process confirms it" in verdict.reason
    assert 1 == of_verdicts(session)


def test_a_slowdown_that_one_of_two_fresh_processes_confirms_is_one(judged):
    """Two of three processes say so."""
    verdict, asked, session = judged(0.8, 1.0, 0.81)
    assert (VerdictKind.REGRESSED, 2) == (verdict.kind, asked)
    assert "1 in a fresh process does not confirm it; 0.81 in a fresh process confirms it" in verdict.reason
    assert 1 == of_verdicts(session)


def test_timings_are_told_from_their_bounds_unless_the_run_is_quick(judged):
    """The bench is asked to go on until then; a quick run keeps to its time."""
    _, _, session = judged(1.0)
    assert {} == bounds(session, WRAPPED)
    session.bench.plan = Plan()
    assert {"speedup": (0.95,)} == bounds(session, WRAPPED)
    assert 1 == session.timings


def test_no_timing_fails_a_run_whose_null_arms_are_biased(judged, monkeypatch):
    """Copies of the baseline that differ by 5 %: the same slowdown that fails otherwise is inconclusive."""
    monkeypatch.setattr(Run, "null_ratios", property(lambda _: [1.05] * 20, lambda *_: None), raising=False)
    verdict, _, _ = judged(0.8, 0.81)
    assert VerdictKind.INCONCLUSIVE == verdict.kind
    assert "this run's null arms are biased" in verdict.reason


def test_what_failed_before_the_null_arms_were_known_to_be_off_is_taken_back(judged):
    """The first of many cells: at the run's end its slowdown is as open as those of later ones."""
    verdict, _, session = judged(0.8, 0.81)
    assert VerdictKind.REGRESSED == verdict.kind
    session.null_ratios += [1.05] * 20
    finish(session)
    (kept,) = session.verdicts
    assert (VerdictKind.INCONCLUSIVE, 10, 1) == (kept.kind, of_verdicts(session), session.taken_back)
    assert "this run's null arms are biased" in kept.reason
    assert session.folder.verdicts() == (kept,)


@pytest.mark.parametrize("allowed", [False, True])
def test_an_improvement_fails_a_gate_unless_it_is_allowed(judged, allowed):
    """A bound that is beaten is out of date: the next loss would pass below it."""
    verdict, _, session = judged(1.0, allow_improvement=allowed)
    better = replace(verdict, kind=VerdictKind.IMPROVED)
    assert failing(better, session.options) is not allowed
    session.verdicts = [better]
    assert of_verdicts(session) == (0 if allowed else 1)


@pytest.mark.parametrize("policy", ["report", "fail"])
def test_no_absolute_time_fails_a_gate_by_its_value(judged, policy):
    """They move by a third within hours, so what is doubtful of them is told and never counted."""
    verdict, _, session = judged(1.0, inconclusive=policy)
    slow = measured(WRAPPED.cell, "throughput", 10.0)
    doubtful = replace(verdict, kind=VerdictKind.INCONCLUSIVE, metric="throughput", measurement=slow)
    assert not failing(doubtful, session.options)
    assert failing(replace(verdict, kind=VerdictKind.INCONCLUSIVE), session.options) is (policy == "fail")


@pytest.mark.parametrize(("policy", "code"), [(None, 10), ("fail", 10), ("report", 0)])
def test_a_run_that_is_slow_as_a_whole_is_inconclusive(judged, monkeypatch, policy, code):
    """The last net, unless the user has said that what is inconclusive is only to be told."""
    _, _, session = judged(1.0, inconclusive=policy)
    assert 0 == of_verdicts(session)
    monkeypatch.setattr("suite.bench.trust.slowed", lambda verdicts: f"slow: {len(verdicts)}")
    assert code == of_verdicts(session)
    assert ("slow: 1" if code else "") == doubt(session)


def test_two_low_processes_of_three_whose_mean_is_not_low_are_inconclusive(judged):
    """What is stored is a mean over processes: 0.88, 1.1 and 0.88 are 0.953 together, above low = 0.95."""
    verdict, asked, session = judged(0.88, 1.1, 0.88)
    assert (VerdictKind.INCONCLUSIVE, 2) == (verdict.kind, asked)
    assert "the mean of 3 processes is 0.9533, not below" in verdict.reason
    assert 10 == of_verdicts(session)  # one of one is too many


def test_a_slowdown_that_two_fresh_processes_do_not_confirm_is_inconclusive(judged):
    """One process of three may have had bad luck."""
    verdict, asked, _ = judged(0.8, 1.0, 1.01)
    assert (VerdictKind.INCONCLUSIVE, 2) == (verdict.kind, asked)
    assert "1.01 in a fresh process does not confirm it" in verdict.reason


def test_a_fresh_process_whose_interval_holds_the_bound_is_no_second_witness(judged):
    """On a noisy machine one wide look confirms nothing; the third decides, and two such leave it open."""
    wide = replace(speedup(0.9), low=0.8, high=1.05)
    verdict, asked, session = judged(0.8, wide, 0.81)
    assert (VerdictKind.REGRESSED, 2) == (verdict.kind, asked)
    assert 1 == of_verdicts(session)
    verdict, asked, _ = judged(0.8, wide, wide)
    assert (VerdictKind.INCONCLUSIVE, 2) == (verdict.kind, asked)
    assert "0.9 in a fresh process does not confirm it (1 -> 0.9 [0.8, 1.05]" in verdict.reason


def test_a_fresh_process_that_did_not_measure_it_acquits_nothing(judged):
    """A gate does not open because a figure is absent."""
    verdict, asked, session = judged(0.8, None)
    assert (VerdictKind.REGRESSED, 1) == (verdict.kind, asked)
    assert "a fresh process did not measure it" in verdict.reason
    assert 1 == of_verdicts(session)


def test_a_fresh_process_that_cannot_be_trusted_acquits_nothing(judged):
    """It was disturbed itself, so its figure says nothing; the first one stands."""
    verdict, _, session = judged(0.8, speedup(1.0, suspect="page faults"))
    assert VerdictKind.REGRESSED == verdict.kind
    assert "1 in a fresh process does not count (page faults)" in verdict.reason
    assert 1 == of_verdicts(session)


@pytest.mark.parametrize("other", [{"threads": 2}, {"batch": 8}], ids=["unverified", "missing"])
def test_a_fresh_process_under_other_conditions_acquits_nothing(judged, other):
    """Its figure is no answer to the entry, so it cannot contradict one."""
    verdict, asked, _ = judged(0.8, speedup(1.0, conditions=other))
    assert (VerdictKind.REGRESSED, 1) == (verdict.kind, asked)
    assert "1 in a fresh process does not count (recorded at" in verdict.reason


@pytest.mark.parametrize("error", [FreshProcessError("it was killed"), RuntimeError("no memory")])
def test_a_slowdown_that_cannot_be_repeated_stays_one(judged, error):
    """A gate does not open because its second look failed."""
    verdict, asked, session = judged(0.8, error)
    assert (VerdictKind.REGRESSED, 1) == (verdict.kind, asked)
    assert f"the repeat in a fresh process failed: {error}" in verdict.reason.replace("RuntimeError: ", "")
    assert 1 == of_verdicts(session)


@pytest.mark.parametrize("error", [FreshProcessError("it was killed"), RuntimeError("no memory")])
def test_one_process_against_one_is_open_where_the_third_fails(judged, error):
    """Two of three must say so; a gate that counts what is open as failure still does not open."""
    verdict, asked, session = judged(0.8, 1.0, error)
    assert (VerdictKind.INCONCLUSIVE, 2) == (verdict.kind, asked)
    assert "the repeat in a fresh process failed" in verdict.reason
    assert 10 == of_verdicts(session)


@pytest.mark.parametrize(("first", "options"), [(1.0, {}), (0.8, {"expect": "report"})])
def test_nobody_asks_again_without_a_slowdown_or_a_gate(judged, first, options):
    """A second look costs a process."""
    _, asked, _ = judged(first, 0.8, **options)
    assert 0 == asked


@pytest.mark.parametrize(("policy", "code"), [("report", 0), ("fail", 10), (None, 10)])
def test_inconclusive_timings_have_a_code_of_their_own(judged, policy, code):
    """If nothing else failed, a run again may pass: 10 and not 1. By default one of one is too many."""
    _, _, session = judged(0.8, 1.0, 1.0, inconclusive=policy)
    assert code == of_verdicts(session)
    session.verdicts.append(replace(session.verdicts[0], kind=VerdictKind.REGRESSED))
    assert 1 == of_verdicts(session)


def paired(kind, count):
    return [(kind, "speedup")] * count


@pytest.mark.parametrize(
    ("found", "options", "code"),
    [
        ([*paired("inconclusive", 1), *paired("pass", 4)], {}, 0),
        ([*paired("inconclusive", 2), *paired("pass", 7)], {}, 10),
        ([*paired("inconclusive", 2), *paired("pass", 7)], {"inconclusive": "report"}, 0),
        ([*paired("inconclusive", 2), *paired("pass", 7)], {"expect": "report"}, 0),
        ([*paired("inconclusive", 2), *paired("pass", 7)], {"gate_tiers": ("exact", "portable")}, 0),
        ([*paired("inconclusive", 2), *paired("pass", 4), *paired("unverified", 50)], {}, 10),
        ([*paired("inconclusive", 2), *paired("pass", 4), *[("pass", "parameters")] * 50], {}, 10),
        ([*paired("inconclusive", 2), *paired("missing", 1)], {}, 1),
    ],
)
def test_a_gate_that_could_not_tell_more_than_a_fifth_of_its_timings_ends_with_10(judged, found, options, code):
    """Of paired figures that have an expectation; what has none, and counts, dilute nothing."""
    verdict, _, session = judged(1.0, **options)
    session.verdicts = [
        replace(
            verdict,
            kind=VerdictKind(kind),
            metric=metric,
            expectation=None if kind == "unverified" else verdict.expectation,
        )
        for kind, metric in found
    ]
    assert code == of_verdicts(session)


def test_timings_outside_a_quiet_process_are_inconclusive(judged):
    """Whatever they say, and nobody asks again; a gate of nothing else ends with 10."""
    verdict, asked, session = judged(0.8, quiet=False)
    assert (VerdictKind.INCONCLUSIVE, 0) == (verdict.kind, asked)
    assert "quiet process" in verdict.reason
    assert 10 == of_verdicts(session)


# -- sweeps -----------------------------------------------------------------------------------------------------------

RISING = """schema = 1
["halved".shape.accuracy]
along = "epochs"
shape = "non-decreasing"
"""
EPOCHS = [tiny.case_of(REGISTRY, f"halved(epochs={count})") for count in (1, 2, 3)]


@pytest.mark.parametrize(
    ("expect", "values", "ends"),
    [
        ("gate", (0.7, 0.8, 0.9), ([VerdictKind.PASS], 0)),
        ("gate", (0.9, 0.5, 0.6), ([VerdictKind.REGRESSED], 1)),
        ("gate", (0.9, 0.5), ([], 0)),
        ("report", (0.9, 0.5, 0.6), ([VerdictKind.REGRESSED], 0)),
        ("off", (0.9, 0.5, 0.6), ([], 0)),
        ("record", (0.9, 0.5, 0.6), ([], 0)),
    ],
)
def test_a_sweep_of_another_shape_than_expected_fails_the_gate(start, tmp_path, expect, values, ends):
    """Judged at the end of the run, kept with its records, and run again as a whole."""
    folder = tmp_path / "expectations" / "any"
    folder.mkdir(parents=True)
    (folder / "halves.toml").write_text(RISING, "utf-8")
    run = start(cases=EPOCHS, expect=expect)
    for case, value in zip(EPOCHS, values, strict=False):
        run.folder.append(measured(case.cell, "accuracy", value, low=value - 0.01, high=value + 0.01, seeds=(0,)))
    found = judge_sweeps(run)
    run.options = replace(run.options, expect="report" if expect == "record" else expect)  # there is nothing to record
    finish(run, found)
    assert ends == ([verdict.kind for verdict in found], of_verdicts(run))
    assert found == run.folder.verdicts()
    for verdict in found:
        assert all(f"--technique '{case.cell.technique}'" in commands.rerun(run, verdict) for case in EPOCHS)


# -- keeping and resuming ---------------------------------------------------------------------------------------------


def test_a_resumed_run_takes_what_is_measured_and_measures_the_rest(start, news):
    """Nothing is trained again for a group that is whole in the folder."""
    first = start()
    done = measure_group(first, HALVED, "size")
    news.clear()
    second = start(resume=first.folder.path)
    assert done == measure_group(second, HALVED, "size")
    assert [] == news
    measure_group(second, BASELINE, "size")
    assert ("baseline", 0) in news
    assert first.folder.path == second.folder.path
    assert 12 == len(second.folder.measurements())


def test_half_a_group_is_measured_again(start):
    """The run was killed while its figures were written: the others would be missing for good."""
    first = start()
    measure_group(first, BASELINE, "size")
    kept = first.folder.results.read_text("utf-8").splitlines(keepends=True)[:3]  # the header and two figures
    first.folder.results.write_text("".join(kept), "utf-8")
    second = start(resume=first.folder.path)
    measure_group(second, BASELINE, "size")
    assert 6 == len(second.folder.measurements())
    assert frozenset() == incomplete(second.folder)


@pytest.mark.parametrize("leave", [SystemExit(0), pytest.exit.Exception("done", 0), pytest.skip.Exception("no")])
def test_a_technique_that_leaves_the_process_is_an_error(start, leave):
    """`sys.exit(0)` and pytest's own ways out are no pass, and the other cells go on."""
    run = start(cases=(BASELINE,))

    def measure(*_):
        raise leave

    run.bench = SimpleNamespace(plan=QUICK, forget_samples=list, measure=measure)
    assert [VerdictKind.ERROR] == [verdict.kind for verdict in measure_group(run, BASELINE, "size")]
    assert 1 == of_verdicts(run)


def test_a_resumed_run_goes_on_with_the_saturating_batch_that_was_found(start):
    """Its other cells would be timed at one that is searched anew."""
    first = start()
    first.folder.append(measured(HALVED.cell, "speedup_saturated", 2.0, conditions={"batch": 256}))
    assert {"halves": 256} == start(resume=first.folder.path).bench.saturating
    assert {} == start().bench.saturating


def test_a_resumed_run_tries_again_what_failed(start):
    """The error may have been mended; the exit code counts the new verdict."""
    first = start()
    measure_group(first, BROKEN, "size")
    second = start(resume=first.folder.path)
    second.bench = SimpleNamespace(
        plan=QUICK, forget_samples=list, measure=lambda *_: [measured(BROKEN.cell, "parameters", 3)]
    )
    assert [VerdictKind.UNVERIFIED] == [verdict.kind for verdict in measure_group(second, BROKEN, "size")]
    assert 0 == of_verdicts(second)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(profile="quick", seeds=3), "seeds"),
        (Plan(profile="quick", seeds=2, few=False), "seeds"),  # as many of the baseline, more of each technique
        (Plan(profile="default", seeds=2, few=True), "profile"),
        (Plan(profile="quick", seeds=2, processes=5), "processes"),
    ],
)
def test_a_run_of_another_plan_cannot_be_resumed(start, plan, said):
    """Figures of different plans do not belong in one folder."""
    first = start()
    with pytest.raises(SuiteError, match=rf"cannot be resumed: its values come from other {said}; run again without"):
        start(plan=plan, resume=first.folder.path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sources": "0" * 64}, "code"),
        ({"commit": "abc-dirty"}, "commit"),
        ({"flags": {"mkldnn_enabled": 0}}, "settings of torch"),
        ({"quiet": True}, "kind of process"),
        ({"chosen": ("halves",)}, "workloads, techniques or precision"),
    ],
)
def test_figures_of_other_code_or_options_are_not_resumed(start, monkeypatch, changes, said):
    """Old figures would be judged as the new code's."""
    first = start()
    made = opening._header
    monkeypatch.setattr(opening, "_header", lambda *arguments: replace(made(*arguments), **changes))
    with pytest.raises(SuiteError, match=f"cannot be resumed: its values come from other {said}"):
        start(resume=first.folder.path)


def test_a_run_whose_data_have_changed_cannot_be_resumed(start, monkeypatch):
    """The digest is part of where figures come from."""
    first = start()
    monkeypatch.setattr(opening, "data_digests", lambda _: ({"halves": "halves-2"}, {}))
    with pytest.raises(SuiteError, match="cannot be resumed: its values come from other data"):
        start(resume=first.folder.path)


def test_the_header_names_the_sources_and_the_settings_of_torch(start):
    """What a resumed run is compared by, is written."""
    header = start().header
    assert sources.digest(header.load) == header.sources
    assert flags.read() == dict(header.flags)
    assert ("accuracy", "macro_precision", "macro_recall") == header.scores["halves"][:3]


def test_the_commands_that_help_name_the_cell_and_the_folder(start, tmp_path):
    """They can be pasted: parentheses and folders are quoted for a shell."""
    run = start()
    (verdict, *_) = measure_group(run, HALVED, "size")
    expected = (
        f"suite record {run.folder.path} --only 'halves-halved(epochs=1)-cpu' --expect-dir {tmp_path / 'expectations'}"
    )
    assert expected == commands.rerun(run, verdict)
    failed = replace(verdict, kind=VerdictKind.REGRESSED)
    assert commands.rerun(run, failed).startswith(
        "suite bench --workload halves --technique 'halved(epochs=1)' --device cpu"
    )


def test_finishing_writes_tables_and_points_to_the_run(start, tmp_path):
    """`latest` is this run."""
    run = start()
    measure_group(run, BASELINE, "size")
    finish(run)
    assert run.folder.path.name == (tmp_path / "reports" / "latest").resolve().name
    assert any(path.suffix == ".md" for path in run.folder.path.iterdir())


def test_a_run_adds_its_figures_to_the_history_when_asked_to(start, tmp_path):
    """Below the reports; without the option there is none."""
    for keeps in (False, True):
        run = start(history=keeps)
        measure_group(run, BASELINE, "size")
        finish(run)
        assert keeps is bool(run.remembered)
        assert keeps is any((tmp_path / "reports" / "history").glob("*.jsonl"))


def test_a_history_that_cannot_be_written_changes_nothing_else(start, tmp_path):
    """The run goes on and says so."""
    run = start(history=True)
    measure_group(run, BASELINE, "size")
    (tmp_path / "reports" / "history").write_text("", "utf-8")
    finish(run)
    assert run.remembered.startswith("cannot add to the history")
    assert any(path.suffix == ".md" for path in run.folder.path.iterdir())


def test_the_header_says_what_the_figures_depend_on(start):
    """Seeds, profile, data and the users' files that declared the cells."""
    header = start().header
    assert ((0, 1), "quick", False) == (header.seeds, header.profile, header.quiet)
    assert {"halves": "halves-1"} == dict(header.where.data_digests)
    assert {"tiny", __name__} == set(header.load)


# -- what a run must not hide -----------------------------------------------------------------------------------------


def test_a_digest_that_cannot_be_had_is_the_error_of_its_cells(start):
    """Whether the data are those of the expectations is not known: nothing of them is measured or gated."""

    def gone():
        raise OSError("images.tar is not there")

    @REGISTRY.workload(scores=classification(), batch=16, digest=gone)
    def undigested(seed):
        """Data that cannot be named."""
        return tiny.recipe(seed)

    lost = tiny.case_of(REGISTRY, "baseline", "undigested")
    run = start(cases=[lost, BASELINE])
    (verdict,) = measure_group(run, lost, "size")
    assert VerdictKind.ERROR == verdict.kind
    assert "the digest of undigested cannot be computed: OSError: images.tar is not there [" in verdict.reason
    measure_group(run, BASELINE, "size")
    assert 1 == of_verdicts(run)


@pytest.mark.parametrize("interrupted", [True, False], ids=["interrupted", "narrowed"])
def test_a_partial_run_is_never_recorded(start, tmp_path, interrupted):
    """Old figures would stand beside new ones; the tables are written all the same."""
    run = start(expect="record")
    if interrupted:
        whole(run)
    else:
        measure_group(run, BASELINE, "size")
    with pytest.raises(SuiteError, match="interrupted or narrowed by -k records nothing"):
        finish(run, interrupted=interrupted)
    assert [] == list((tmp_path / "expectations").rglob("*.toml"))
    assert (run.folder.path / "results.csv").is_file()


def test_what_was_planned_and_has_no_verdict_is_left_out(start):
    """A skipped test leaves a hole that the run knows of."""
    run = start(cases=[BASELINE, WRAPPED])
    measure_group(run, BASELINE, "size")
    left = run.left_out()
    assert 2 * len(GROUPS) - 1 == len(left)
    assert (BASELINE, "size") not in left
    assert (WRAPPED, "size") in left


def test_verdicts_on_the_run_as_a_whole_count(start):
    """An entry that nothing answers is no cell's, and fails the gate."""
    run = start(unverified="report")
    (verdict, *_) = measure_group(run, BASELINE, "size")
    assert 0 == of_verdicts(run)
    finish(run, [replace(verdict, kind=VerdictKind.MISSING)])
    assert 1 == of_verdicts(run)
    assert "missing" in {str(found.kind) for found in run.folder.verdicts()}


def test_a_cell_that_cannot_run_fails_where_it_was_told_to(start):
    """`--unavailable=fail`: a runner without its compiler is no green runner."""
    run = start(unavailable="fail")
    measure_group(run, BASELINE, "size")
    measure_group(run, ELSEWHERE, "size")
    assert 1 == of_verdicts(run)


def test_the_command_that_measures_a_cell_again_carries_every_option(start, tmp_path, monkeypatch):
    """Whatever makes a run comparable with this one; pasted elsewhere it would gate something else."""
    monkeypatch.setenv("SUITE_THREADS", "2")
    run = start(
        plan=Plan(profile="quick", seeds=3, processes=4),
        given={
            "load": ["mine.py", "other.py"],
            "gate_tier": ["exact", "portable"],
            "reports_dir": tmp_path / "reports",
            "expect_dir": tmp_path / "expectations",
            "quick": True,
        },
    )
    (verdict, *_) = measure_group(run, BASELINE, "size")
    said = commands.rerun(run, replace(verdict, kind=VerdictKind.REGRESSED))
    assert (
        "suite bench --workload halves --technique baseline --device cpu --seeds 3 --processes 4 --threads 2 "
        f"--expect-dir {tmp_path / 'expectations'} --gate-tier exact --gate-tier portable "
        f"--reports-dir {tmp_path / 'reports'} --load mine.py --load other.py --quick"
    ) == said


RERUN = Verdict(kind=VerdictKind.REGRESSED, cell=BASELINE.cell, metric="speedup", group="speed")


def test_options_that_are_the_defaults_are_not_repeated(start):
    """The command stays short enough to read."""
    run = start(plan=Plan(profile="default", few=True), expect_dir=Options.expect_dir, reports_dir=Options.reports_dir)
    assert commands.rerun(run, RERUN).endswith(" --device cpu")
    given = {"expect_dir": Options.expect_dir, "quick": False, "load": []}
    assert commands.rerun(start(plan=run.bench.plan, given=given), RERUN).endswith(" --device cpu")


def test_five_seeds_are_asked_for_again_where_few_are_the_default(start):
    """A recording run trains five of everything; the command that looks at one of its figures says so."""
    assert " --seeds 5" in commands.rerun(start(plan=Plan(profile="default")), RERUN)
    assert " --seeds 5" in commands.rerun(start(plan=Plan(profile="quick", few=False)), RERUN)


# -- how long it takes, and minutes -----------------------------------------------------------------------------------


def test_a_run_keeps_how_long_each_group_took_but_not_of_what_was_resumed_or_broke(start):
    """Later runs are planned by it: a group that was read from a file, or that failed early, says nothing."""
    run = start(cases=(BASELINE, BROKEN))
    measure_group(run, BASELINE, "size")
    measure_group(run, BROKEN, "size")
    again = start(cases=(BASELINE, BROKEN), resume=run.folder.path)
    measure_group(again, BASELINE, "size")
    content = run.folder.results.read_text("utf-8").splitlines()
    found = [decode(line) for line in content if '"duration"' in line[:20]]
    assert [(BASELINE.cell, "size", False)] == [(one.cell, one.group, one.reuse) for one in found]
    assert found[0].seconds > 0


def test_a_case_that_the_minutes_leave_out_makes_the_run_partial(start):
    """It is passed over, and everything else about the run is that of a narrowed one."""
    run = start()
    assert run.starts(BASELINE)
    assert not run.passed_over
    run.budget = Budget(seconds=0.001, found={BASELINE: Estimate(seconds=0.0)})
    assert not run.starts(BASELINE)
    assert [BASELINE] == list(run.passed_over)
    assert run.partial


# -- trainings of earlier runs ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("recorded")
def test_a_gate_on_reused_trainings_says_so_in_each_verdict_and_judges_no_training_time(start, tmp_path, news):
    """The figures of quality and size pass with a remark; what training costs is not there to be judged."""
    folder = tmp_path / "cache"
    whole(start(reuse=folder))
    news.clear()
    run = start(reuse=folder)
    whole(run)
    assert [] == news
    marks = {v.metric: v.reason for v in run.verdicts if "reused: an earlier run trained it" in v.reason}
    assert {"accuracy", "parameters"} <= set(marks)
    assert not any(v.group in ("speed", "memory") for v in run.verdicts if v.metric in marks)
    assert not {"train_seconds", "time_to_target"} & {v.metric for v in run.verdicts}
    assert VerdictKind.PASS == kinds(run.verdicts)["accuracy"]
    assert 0 == of_verdicts(run)
    again = start(reuse=None, resume=run.folder.path)
    assert any("reused" in v.reason for v in measure_group(again, BASELINE, "quality"))


def test_recording_and_reusing_exclude_each_other(start, tmp_path):
    """Before anything is measured."""
    with pytest.raises(SuiteError, match="drop --reuse"):
        start(reuse=tmp_path / "cache", expect="record")
    assert not (tmp_path / "cache").exists()


# -- costs ------------------------------------------------------------------------------------------------------------


def with_prices(folder, text):
    """A file of prices."""
    path = folder / "prices.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_tables_of_a_run_with_prices_have_costs(start, tmp_path):
    run = start(prices=with_prices(tmp_path, "hour = 3600"))
    whole(run)
    finish(run)
    seconds = next(found.value for found in run.folder.measurements() if found.metric == "train_seconds")
    assert seconds == pytest.approx(run.table["training_cost"].tolist()[0])
    assert [] == run.bench.remarks


def test_a_run_on_a_machine_without_a_price_says_so_and_keeps_its_verdicts(start, tmp_path):
    run = start(prices=with_prices(tmp_path, "[hour]\nother = 1"))
    whole(run)
    finish(run)
    assert "training_cost" not in run.table.columns
    assert f"{tmp_path}/prices.toml:1: no price of an hour of " in run.bench.remarks[0]
    assert run.bench.remarks[0].endswith("; costs are left out")


def test_a_faulty_file_of_prices_is_found_before_anything_is_measured(start, tmp_path):
    with pytest.raises(ExpectationFileError, match=r"prices\.toml:1: hour is -1, but nothing has a negative price"):
        start(prices=with_prices(tmp_path, "hour = -1"))
