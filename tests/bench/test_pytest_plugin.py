"""Small decisions of the pytest plugin; whole runs are in tests/system."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny

from suite.bench.option_table import in_pytest
from suite.bench.options import Options
from suite.bench.pytest_plugin import plugin
from suite.core.errors import SuiteError
from suite.core.records import GROUPS, Verdict, VerdictKind
from suite.registry.settings import PACKAGE


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["suite.bench.benchmarks"], True),
        (["suite.bench.benchmarks::test_size"], True),
        ([str(PACKAGE / "bench" / "benchmarks")], True),
        ([str(PACKAGE / "bench" / "benchmarks" / "test_cells.py") + "::test_size"], True),
        (["testsuite/benchmarks"], False),
        (["tests"], False),
        ([], False),
    ],
)
def test_only_the_suites_own_benchmarks_make_a_bench_run(arguments, expected):
    """Another project's folder of a similar name is left alone."""
    assert expected is plugin._is_bench(SimpleNamespace(args=arguments))


def test_an_item_without_cells_belongs_to_none():
    """For an empty list of parameters pytest makes one item with a marker of its own in their place."""
    case = tiny.case_of(tiny.registry(), "nhwc")
    with_case, without = (SimpleNamespace(callspec=SimpleNamespace(params={"suite_cell": p})) for p in (case, object()))
    assert case is plugin._case(with_case)
    assert plugin._case(without) is None
    assert plugin._case(SimpleNamespace()) is None


def option(**changes):
    """Options of a bench run as pytest-benchmark and xdist leave them by default."""
    usual = {f"suite_{known.key}": known.initial for known in in_pytest()} | {"dist": "no", "tx": None}
    usual |= dict.fromkeys(("benchmark_skip", "benchmark_disable", "benchmark_enable", "benchmark_only"), False)
    return SimpleNamespace(**(usual | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dist": "load"}, "needs one process"),
        ({"tx": ["2*popen"]}, "needs one process"),
        ({"benchmark_disable": True}, "without --benchmark-disable"),
        ({"benchmark_only": True}, "without --benchmark-only"),
        ({"benchmark_skip": True}, "without --benchmark-skip"),
    ],
    ids=str,
)
@pytest.mark.parametrize("expect", ["gate", "record"])
def test_a_gate_refuses_options_under_which_it_sees_less_than_it_says(changes, said, expect):
    """Recording does too; a report may look at what it likes."""
    with pytest.raises(SuiteError, match=said):
        plugin._check_runner(SimpleNamespace(option=option(suite_expect=expect, **changes)))
    plugin._check_runner(SimpleNamespace(option=option(suite_expect="report", **changes)))


def test_a_gate_needs_pytest_benchmark():
    """`-p no:benchmark` takes its options away."""
    given = option()
    del given.benchmark_skip
    with pytest.raises(SuiteError, match="without -p no:benchmark"):
        plugin._check_runner(SimpleNamespace(option=given))


CASE = tiny.case_of(tiny.registry(), "nhwc")


@pytest.mark.parametrize(("group", "expected"), [("speed", 1), ("quality", 2), (None, 2)])
def test_a_groups_test_runs_for_the_cases_that_are_measured_in_it(monkeypatch, group, expected):
    """A workload may leave groups out on a device; a test of the user's own that names no group gets every case."""
    limited = replace(CASE, groups=("quality", "size"))
    monkeypatch.setattr(plugin, "cases_of", lambda _: [CASE, limited])
    marker = None if group is None else SimpleNamespace(args=[group])
    given = []
    plugin.pytest_generate_tests(
        SimpleNamespace(
            fixturenames=["suite_cell"], config=None, parametrize=lambda _, cases, **__: given.extend(cases),
            definition=SimpleNamespace(get_closest_marker=lambda _: marker),
        )
    )  # fmt: skip
    assert expected == len(given)


def test_cells_without_room_are_deselected_and_make_the_run_partial(monkeypatch):
    """Their tests go, those of others stay, and the run knows which were passed over."""
    header = SimpleNamespace(accelerator={"nvml": "answers", "driver": "580.95"})
    run = SimpleNamespace(options=Options(), budget=None, header=header)
    session = collected(GROUPS)
    other = SimpleNamespace()  # a test of the user's own
    session.items.append(other)
    gone = []
    session.config.stash[plugin.RUN] = run
    session.config.hook = SimpleNamespace(pytest_deselected=lambda items: gone.append(len(items)))
    left = SimpleNamespace(left={CASE: "too long"}, lines=lambda: ["said"])
    said = []
    monkeypatch.setattr(plugin.time_budget, "plan", lambda *_: left)
    monkeypatch.setattr(plugin, "say", lambda _, lines: said.extend(lines))
    plugin._plan(session)
    assert [other] == session.items
    assert [len(GROUPS)] == gone
    assert left is run.budget
    assert ["accelerator: nvml answers, driver 580.95", "said"] == said


def collected(groups, **changes):
    """A pytest session that collected the tests of some groups of one case."""
    config = SimpleNamespace(option=option(**changes), stash={plugin.CASES: [CASE]})
    items = [
        SimpleNamespace(
            callspec=SimpleNamespace(params={"suite_cell": CASE}),
            get_closest_marker=lambda _, group=group: SimpleNamespace(args=[group]),
        )
        for group in groups
    ]
    return SimpleNamespace(config=config, items=items)


@pytest.mark.parametrize("expect", ["gate", "record"])
def test_a_gate_whose_groups_were_narrowed_must_have_been_asked_to_be_one(expect):
    """By -k, -m or a conftest.py: the sentence names the first group that is not there."""
    with pytest.raises(SuiteError) as error:
        plugin._check_selection(collected(("quality", "size"), suite_expect=expect))
    assert "2 of 4 metric groups would not be measured, the first is halves-nhwc-cpu speed" in str(error.value)
    assert "--partial" in str(error.value)


@pytest.mark.parametrize(
    ("groups", "changes"),
    [
        (GROUPS, {}),
        (("size",), {"suite_partial": True}),
        (("size",), {"suite_expect": "report"}),
        (("size",), {"suite_expect": "off"}),
    ],
)
def test_whole_and_partial_runs_and_reports_are_let_through(groups, changes):
    """A part is fine where it says so."""
    plugin._check_selection(collected(groups, **changes))


def test_a_failed_verdict_fails_the_test_and_a_cell_that_is_away_skips_it():
    """One line for each failure, without a traceback."""
    verdict = Verdict(kind=VerdictKind.MISSING, cell=CASE.cell, metric="macs", group="size", reason="not measured")
    away = replace(verdict, kind=VerdictKind.UNAVAILABLE, metric="", reason="no compiler")
    run = SimpleNamespace(options=Options())
    with pytest.raises(pytest.fail.Exception, match="missing macs: not measured"):
        plugin._raise(run, [verdict, away])
    with pytest.raises(pytest.skip.Exception, match="no compiler"):
        plugin._raise(run, [away])
    plugin._raise(run, [replace(verdict, kind=VerdictKind.PASS)])


def test_each_test_bears_its_figures_as_properties_even_where_it_fails(monkeypatch):
    """pytest writes them into a JUnit file."""
    verdict = Verdict(kind=VerdictKind.ERROR, cell=CASE.cell, metric="", group="speed", reason="no kernel")
    monkeypatch.setattr("suite.bench.pipeline.measure_group", lambda *_: [verdict])
    session = SimpleNamespace(starts=lambda _: True, options=Options())
    node = SimpleNamespace(user_properties=[])
    news = []
    progress = SimpleNamespace(begin=lambda *told: news.append(told), end=lambda *told: news.append(told))
    stash = {plugin.RUN: session, plugin.PROGRESS: progress}
    run = plugin.suite_run._get_wrapped_function()(SimpleNamespace(config=SimpleNamespace(stash=stash), node=node))
    with pytest.raises(pytest.fail.Exception, match="no kernel"):
        run(CASE, "speed")
    assert [(CASE, "speed"), (CASE, [verdict])] == news
    assert [("speed.verdict", "error"), ("speed.reason", "no kernel")] == node.user_properties


@pytest.mark.parametrize(
    ("expected", "arguments", "setting"),
    [(False, [], False), (True, ["--suite-history"], False), (True, [], True)],
)
def test_the_history_is_kept_by_option_or_by_setting(expected, arguments, setting, tmp_path, monkeypatch):
    """A run that says nothing of it, in a project that says nothing of it, keeps none."""
    (tmp_path / "pyproject.toml").write_text(f"[tool.tradeoff-suite]\nhistory = {str(setting).lower()}\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    request = plugin.request_of(SimpleNamespace(option=parser.parse_known_args(arguments)))
    assert expected is request.options("pytest").history
