"""A bench run: figures in, verdicts and an exit code out, whatever a technique does."""
# the expected value stands on the left

from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny
import tomlkit

from suite.errors import SuiteError, UnavailableError
from suite.measure.fresh import FreshProcessError
from suite.metrics import measured
from suite.records import Cell, VerdictKind
from suite.run.bench import Plan
from suite.run.session import Options, explain, open_session

QUICK = Plan(profile="quick", seeds=2)
BASELINE = tiny.BASELINE_CELL


def cell(technique):
    return Cell(workload="halves", technique=technique, device="cpu")


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


@pytest.fixture
def news():
    """What was trained: (composition, seed), one entry an epoch."""
    return []


@pytest.fixture
def start(tmp_path, news, monkeypatch):
    """Open a run on the tiny workload, with its folders below ``tmp_path``."""
    monkeypatch.delenv("SUITE_QUIET", raising=False)

    def reporter(_workload, composition):
        return lambda progress: news.append((composition, progress.seed))

    def open_run(plan=QUICK, **options):
        folders = {"expect_dir": tmp_path / "expectations", "reports_dir": tmp_path / "reports"}
        folders["expect_dir"].mkdir(exist_ok=True)
        return open_session(
            registry_with_failures(),
            Options(**(folders | options)),
            plan=plan,
            device="cpu",
            workloads=["halves"],
            reporter=reporter,
        )

    return open_run


def kinds(verdicts):
    return {verdict.metric: verdict.kind for verdict in verdicts}


@pytest.fixture
def recorded(start, tmp_path):
    """The baseline's figures, stored as expectations: their folder."""
    run = start(expect="record")
    for group in ("quality", "size", "memory"):
        run.run(BASELINE, group)
    run.finish()
    return tmp_path / "expectations"


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
    for group in ("quality", "size", "memory"):
        run.run(BASELINE, group)
    found = kinds(run.verdicts)
    for metric in ("accuracy", "parameters", "artefact_bytes", "macs", "peak_memory_inference"):
        assert VerdictKind.PASS == found[metric], metric
    assert 0 == run.exit_code()


def test_timings_outside_a_quiet_process_are_not_recorded(start, tmp_path):
    """They are reported as skipped, with the reason."""
    run = start(expect="record")
    run.run(BASELINE, "quality")
    run.finish()
    assert run.recorded.added > 0
    assert any("train_seconds" in reason and "quiet" in reason for reason in run.recorded.skipped)
    assert {"any"} == {path.parent.name for path in (tmp_path / "expectations").rglob("*.toml")}


def test_a_bound_out_of_reach_is_a_regression_and_fails_the_gate(start, recorded):
    """One figure suffices, and the verdict names file and bound."""
    edit(recorded, "parameters", value=1, low=1, high=1)
    run = start()
    found = {verdict.metric: verdict for verdict in run.run(BASELINE, "size")}
    assert VerdictKind.REGRESSED == found["parameters"].kind
    assert VerdictKind.PASS == found["macs"].kind
    assert run.fails(found["parameters"])
    assert 1 == run.exit_code()


def test_a_report_judges_and_does_not_fail(start, recorded):
    """The same regression is shown, and ends with 0."""
    edit(recorded, "parameters", value=1, low=1, high=1)
    run = start(expect="report")
    assert VerdictKind.REGRESSED == kinds(run.run(BASELINE, "size"))["parameters"]
    assert 0 == run.exit_code()


def test_a_gate_of_other_tiers_does_not_fail_by_this_one(start, recorded):
    """Only figures of the chosen tiers count."""
    edit(recorded, "parameters", value=1, low=1, high=1)
    run = start(gate_tiers=("portable",))
    run.run(BASELINE, "size")
    assert 0 == run.exit_code()


@pytest.mark.usefixtures("recorded")
def test_without_expectations_wanted_there_are_no_verdicts(start):
    """`off` measures, keeps the figures and says nothing about them."""
    run = start(expect="off")
    assert [] == run.run(BASELINE, "size")
    assert 5 == len(run.folder.measurements())
    assert 0 == run.exit_code()


@pytest.mark.parametrize(("policy", "code"), [("report", 0), ("fail", 1)])
def test_figures_without_expectation_are_unverified_and_fail_by_policy(start, policy, code):
    """Nothing is stored yet: loudly unverified."""
    run = start(unverified=policy)
    assert {VerdictKind.UNVERIFIED} == set(kinds(run.run(BASELINE, "size")).values())
    assert code == run.exit_code()


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
    errors = [verdict for group in ("quality", "size") for verdict in run.run(cell("broken"), group)]
    assert {VerdictKind.ERROR} == {verdict.kind for verdict in errors}
    assert all("ZeroDivisionError: no channel is left [" in verdict.reason for verdict in errors)
    assert all("test_session.py:" in verdict.reason for verdict in errors)
    assert tiny.EPOCHS == len(news)
    run.run(BASELINE, "size")
    assert 5 == len(run.folder.measurements())
    assert 1 == run.exit_code()


@pytest.mark.parametrize("expect", ["record", "report", "off"])
def test_an_error_fails_whatever_is_done_with_expectations(start, expect):
    """A cell that broke brought no figure."""
    run = start(expect=expect)
    assert [VerdictKind.ERROR] == [verdict.kind for verdict in run.run(cell("broken"), "size")]
    assert 1 == run.exit_code()


def test_a_cell_that_cannot_run_here_is_unavailable_and_fails_nothing_by_itself(start):
    """The reason is kept; but a gate in which nothing at all could run has gated nothing."""
    run = start()
    (verdict,) = run.run(cell("elsewhere"), "size")
    assert (VerdictKind.UNAVAILABLE, "no such engine here") == (verdict.kind, verdict.reason)
    assert 11 == run.exit_code()
    run.run(BASELINE, "size")
    assert 0 == run.exit_code()
    assert ["unavailable"] == [failure.kind for failure in run.folder.failures()]


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000 bytes"),
    ],
)
def test_running_out_of_memory_is_explained_with_what_helps(error):
    """Whoever raised it, and however it is spelled."""
    said = explain(raised(error))
    assert said.startswith("out of memory (")
    assert "use a smaller workload" in said
    assert type(error).__name__ in said


def test_an_error_is_explained_in_one_line():
    """The first line of what it says, and where it was raised."""
    said = explain(raised(ValueError("first\nsecond")))
    assert said.startswith("ValueError: first [")
    assert f"{__file__}:" in said
    assert "second" not in said


def test_an_error_of_the_suite_speaks_for_itself():
    """Its message is made for users."""
    assert "write it so" == explain(raised(SuiteError("write it so")))


def test_an_error_without_a_place_or_a_message_is_explained_all_the_same():
    """What is known is said."""
    assert "KeyError:" == explain(KeyError()).strip()


# -- the second look --------------------------------------------------------------------------------------------------


PAIRED = """schema = 1

[wrapped.speedup]
value = 1.0
low = 0.95
unit = "1"
better = "higher"
tier = "family"
"""


def speedup(value):
    return measured(
        cell("wrapped"), "speedup", value, low=value - 0.01, high=value + 0.01, confidence=0.99, n=100
    )  # fmt: skip


@pytest.fixture
def judged(start, tmp_path):
    """A quiet run whose bench measures one speed-up, and another one when it is asked again."""

    def run(first, again, *, quiet=True, **options):
        where = start(**options).header.where
        path = tmp_path / "expectations" / where.family / "halves.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAIRED, "utf-8")
        session = start(**options)
        session.header = replace(session.header, quiet=quiet)
        asked = []

        def repeat(one):
            asked.append(one)
            if isinstance(again, Exception):
                raise again
            return {} if again is None else {"speedup": speedup(again)}

        session.bench = SimpleNamespace(plan=QUICK, measure=lambda *_: [speedup(first)], repeat=repeat)
        (verdict,) = session.run(cell("wrapped"), "speed")
        return verdict, len(asked), session

    return run


def test_a_slowdown_counts_once_a_fresh_process_confirms_it(judged):
    """Both figures stand in the reason."""
    verdict, asked, session = judged(0.8, 0.81)
    assert (VerdictKind.REGRESSED, 1) == (verdict.kind, asked)
    assert "0.81 again in a fresh process" in verdict.reason
    assert 1 == session.exit_code()


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        (1.0, "1 in a fresh process does not confirm it"),
        (None, "does not confirm it"),
    ],
)
def test_a_slowdown_that_a_fresh_process_does_not_confirm_is_inconclusive(judged, again, expected):
    """One process may have had bad luck; that fails nothing by default."""
    verdict, asked, session = judged(0.8, again)
    assert (VerdictKind.INCONCLUSIVE, 1) == (verdict.kind, asked)
    assert expected in verdict.reason
    assert 0 == session.exit_code()


@pytest.mark.parametrize("error", [FreshProcessError("it was killed"), RuntimeError("no memory")])
def test_a_slowdown_that_cannot_be_repeated_stays_one(judged, error):
    """A gate does not open because its second look failed."""
    verdict, asked, session = judged(0.8, error)
    assert (VerdictKind.REGRESSED, 1) == (verdict.kind, asked)
    assert "it could not be repeated" in verdict.reason
    assert 1 == session.exit_code()


@pytest.mark.parametrize(("first", "options"), [(1.0, {}), (0.8, {"expect": "report"})])
def test_nobody_asks_again_without_a_slowdown_or_a_gate(judged, first, options):
    """A second look costs a process."""
    _, asked, _ = judged(first, 0.8, **options)
    assert 0 == asked


@pytest.mark.parametrize(("policy", "code"), [("report", 0), ("fail", 10)])
def test_inconclusive_timings_have_a_code_of_their_own(judged, policy, code):
    """If nothing else failed, a run again may pass: 10 and not 1."""
    _, _, session = judged(0.8, 1.0, inconclusive=policy)
    assert code == session.exit_code()
    session.verdicts.append(replace(session.verdicts[0], kind=VerdictKind.REGRESSED))
    assert 1 == session.exit_code()


def test_timings_outside_a_quiet_process_are_inconclusive(judged):
    """Whatever they say, and nobody asks again."""
    verdict, asked, _ = judged(0.8, 0.8, quiet=False)
    assert (VerdictKind.INCONCLUSIVE, 0) == (verdict.kind, asked)
    assert "quiet process" in verdict.reason


# -- keeping and resuming ---------------------------------------------------------------------------------------------


def test_a_resumed_run_takes_what_is_judged_and_measures_the_rest(start, news):
    """Nothing is trained again for a group that is whole in the folder."""
    first = start()
    done = first.run(cell("halved(epochs=1)"), "size")
    news.clear()
    second = start(resume=first.folder.path)
    assert done == second.run(cell("halved(epochs=1)"), "size")
    assert [] == news
    second.run(BASELINE, "size")
    assert ("baseline", 0) in news
    assert first.folder.path == second.folder.path
    assert 10 == len(second.folder.measurements())


def test_a_resumed_run_tries_again_what_failed(start):
    """The error may have been mended; the exit code counts the new verdict."""
    first = start()
    first.run(cell("broken"), "size")
    second = start(resume=first.folder.path)
    second.bench = SimpleNamespace(plan=QUICK, measure=lambda *_: [measured(cell("broken"), "parameters", 3)])
    assert [VerdictKind.UNVERIFIED] == [verdict.kind for verdict in second.run(cell("broken"), "size")]
    assert 0 == second.exit_code()


@pytest.mark.parametrize("plan", [Plan(profile="quick", seeds=3), Plan(profile="default", seeds=2)])
def test_a_run_of_another_plan_cannot_be_resumed(start, plan):
    """Figures of different plans do not belong in one folder."""
    first = start()
    with pytest.raises(SuiteError, match=r"cannot be resumed: other (seeds|profile).*without --resume"):
        start(plan=plan, resume=first.folder.path)


def test_the_commands_that_help_name_the_cell_and_the_folder(start, tmp_path):
    """They can be pasted: parentheses and folders are quoted for a shell."""
    run = start()
    (verdict, *_) = run.run(cell("halved(epochs=1)"), "size")
    expected = (
        f"suite record {run.folder.path} --only 'halves-halved(epochs=1)-cpu' --expect-dir {tmp_path / 'expectations'}"
    )
    assert expected == run.rerun(verdict)
    failed = replace(verdict, kind=VerdictKind.REGRESSED)
    assert run.rerun(failed).startswith("suite bench --workload halves --technique 'halved(epochs=1)' --device cpu")


def test_finishing_writes_tables_and_points_to_the_run(start, tmp_path):
    """`latest` is this run."""
    run = start()
    run.run(BASELINE, "size")
    run.finish()
    assert run.folder.path.name == (tmp_path / "reports" / "latest").resolve().name
    assert any(path.suffix == ".md" for path in run.folder.path.iterdir())


def test_the_header_says_what_the_figures_depend_on(start):
    """Seeds, profile, data and the users' files that declared the cells."""
    header = start().header
    assert ((0, 1), "quick", False) == (header.seeds, header.profile, header.quiet)
    assert {"halves": "halves-1"} == dict(header.where.data_digests)
    assert {"tiny", __name__} == set(header.load)
