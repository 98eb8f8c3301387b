"""Nothing passes unmeasured: groups without verdict, and stored entries that nothing answers."""
# the expected value stands on the left

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny

from suite.bench.bench import Plan
from suite.bench.combinations import combinations
from suite.bench.completeness import left_out_line, partial_line, unanswered_entries
from suite.bench.options import Options
from suite.bench.selection import Selection, default_compositions, select
from suite.catalog.scores import classification
from suite.core.records import GROUPS, VerdictKind, Where
from suite.registry import REGISTRY as OWN

EXPECTATIONS = Path(__file__).parents[2] / "expectations"
ENTRY = """
["{technique}".parameters]
value = 10
low = 10
high = 10
unit = "1"
better = "lower"
tier = "exact"
"""


def sample_registry():
    made = tiny.registry()

    @made.workload(scores=classification(), quick=False)
    def slow(seed):
        """Left out by --quick."""
        return tiny.recipe(seed)

    @made.technique(slots=("finish",), sweep={"share": (0.25, 0.75)})
    def pruned(plain, *, share: float = 0.5):
        """Has a sweep."""
        return replace(plain, epochs=int(share))

    @made.technique(slots=("finish",), runs=False, sweep={"share": (0.25, 0.75)})
    def by_name(plain, *, share: float = 0.5):
        """Runs only where it is named."""
        return replace(plain, epochs=int(share))

    return made


REGISTRY = sample_registry()


@pytest.fixture
def answered(tmp_path):
    """``answered({workload: techniques}, profile=...)``: verdicts of a run that measured all it plans by default."""

    def run(stored, *, profile="default", planned=None, groups=GROUPS, together=(), **options):
        for workload, techniques in stored.items():
            path = tmp_path / "expectations" / "any" / f"{workload}.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("schema = 1\n" + "".join(ENTRY.format(technique=name) for name in techniques), "utf-8")
        cells = planned or [
            (workload.name, name)
            for workload in REGISTRY.workloads.values()
            if workload.quick or profile != "quick"
            for name in default_compositions(REGISTRY, workload, profile)
        ]
        made = Options(**({"expect_dir": tmp_path / "expectations", "everything": True} | options))
        where = Where(machine="cpu-x-1c", family="cpu-x", device="cpu", threads=1)
        session = SimpleNamespace(
            options=made,
            partial=made.partial,
            planned={tiny.case_of(REGISTRY, name, workload): groups for workload, name in cells},
            header=SimpleNamespace(where=where),
            bench=SimpleNamespace(plan=Plan(profile=profile)),
        )
        return unanswered_entries(REGISTRY, session, together=together)

    return run


def test_groups_that_a_workload_leaves_out_on_a_device_wait_for_a_run_that_names_it(tmp_path):
    """Speeds of digits on an accelerator, say, which somebody recorded by name."""
    path = tmp_path / "any" / "halves.toml"
    path.parent.mkdir()
    path.write_text("schema = 1\n" + ENTRY.format(technique="baseline"), "utf-8")
    plain = tiny.case_of(REGISTRY, "baseline", "halves")

    def answered_by(groups):
        case = replace(plain, groups=groups)
        session = SimpleNamespace(
            options=Options(expect_dir=tmp_path, everything=True), partial=False, planned={case: groups},
            header=SimpleNamespace(where=Where(machine="m", family="f", device="cpu", threads=1)),
            bench=SimpleNamespace(plan=Plan(profile="default")),
        )  # fmt: skip
        return unanswered_entries(REGISTRY, session)

    assert () == answered_by(("quality", "speed"))
    assert () == answered_by(("size",))


def missing(verdicts):
    assert {VerdictKind.MISSING} >= {verdict.kind for verdict in verdicts}
    return [(verdict.cell.workload, verdict.cell.technique) for verdict in verdicts]


def test_entries_that_are_measured_are_answered(answered):
    """A gate over everything says nothing more of them."""
    assert () == answered({"halves": ["baseline", "pruned(share=0.5)"], "slow": ["baseline"]})


def test_an_entry_whose_technique_is_gone_is_missing_with_file_and_line(answered):
    """Deleting a technique would otherwise turn its gate green."""
    (verdict,) = answered({"halves": ["baseline", "nwhc"]})
    assert (VerdictKind.MISSING, "parameters", "size") == (verdict.kind, verdict.metric, verdict.group)
    assert "halves.toml" == Path(verdict.expectation.path).name  # which the verdict's line tells, once
    assert "nearest: nhwc" in verdict.reason
    assert 'retired = "why"' in verdict.reason


@pytest.mark.parametrize("technique", ["pruned(share=0.6)", "halved(epochs=7)", "pruned(share=0.5)+nhwc"])
def test_an_entry_whose_parameters_are_run_by_no_profile_is_missing(answered, technique):
    """A default that was changed leaves its old entries behind."""
    assert [("halves", technique)] == missing(answered({"halves": [technique]}))


def test_an_entry_whose_workload_is_gone_is_missing(answered):
    """Its module may not be loaded any more."""
    assert [("quarters", "baseline")] == missing(answered({"quarters": ["baseline"]}))


def test_an_entry_whose_group_the_cell_no_longer_measures_is_missing(answered):
    """Taking the scores away must not take the gate away."""
    assert [("halves", "baseline")] == missing(answered({"halves": ["baseline"]}, groups=("speed", "memory")))


def test_values_of_a_sweep_wait_for_the_full_profile(answered):
    """They are run there alone; in the full profile a value that is in the sweep no more is missing."""
    swept = {"halves": ["pruned(share=0.25)", "pruned(share=0.75)"]}
    assert () == answered(swept)
    assert () == answered(swept, profile="full")
    gone = {"halves": ["pruned(share=0.3)"]}
    assert [("halves", "pruned(share=0.3)")] == missing(answered(gone, profile="full"))


def test_combinations_wait_for_a_run_that_holds_them(answered):
    """Recorded by `--combinations`, they are no fault of a default gate; the full profile has to answer."""
    joined = {"halves": ["pruned(share=0.5)+nhwc"]}
    assert () == answered(joined, together=["pruned(share=0.5)+nhwc"])
    assert [("halves", "pruned(share=0.5)+nhwc")] == missing(
        answered(joined, together=["pruned(share=0.5)+nhwc"], profile="full")
    )


def test_workloads_that_a_quick_run_leaves_out_are_excused(answered):
    """`--quick` is about fewer of them; without it they have to answer."""
    assert () == answered({"slow": ["baseline"]}, profile="quick")
    only = [("halves", "baseline")]
    assert [("slow", "baseline")] == missing(answered({"slow": ["baseline"]}, profile="full", planned=only))


def test_workloads_that_run_by_name_alone_are_excused_by_the_full_profile(answered, monkeypatch):
    """Their entries were recorded by name, and no other run answers them."""
    table = dict(REGISTRY.workloads)
    table["slow"] = replace(table["slow"], full=False)
    monkeypatch.setattr(REGISTRY, "_workloads", table)
    assert () == answered({"slow": ["baseline"]}, profile="full", planned=[("halves", "baseline")])


@pytest.mark.parametrize("profile", ["quick", "default", "full"])
def test_techniques_that_run_by_name_alone_are_excused_on_workloads_that_list_none(answered, profile, monkeypatch):
    """A workload that lists its techniques has named it: taken off that list, its entries are missing."""
    stored = {"halves": ["by_name(share=0.5)", "by_name(share=0.75)"]}
    assert () == answered(stored, profile=profile)
    listed = replace(REGISTRY.workloads["halves"], techniques=("pruned",))
    monkeypatch.setattr(REGISTRY, "_workloads", REGISTRY.workloads | {"halves": listed})
    assert 2 == len(missing(answered(stored, profile=profile)))


@pytest.mark.parametrize("profile", ["quick", "default", "full"])
def test_each_of_the_projects_own_entries_is_answered_or_excused(profile):
    """One that a run of everything calls missing would fail each merge, whatever that merge changes."""
    where = Where(machine="cpu-x-1c", family="cpu-x", device="cpu", threads=1)
    cases, _ = select(OWN, Selection(device="cpu", profile=profile))
    run = SimpleNamespace(
        options=Options(expect_dir=EXPECTATIONS, everything=True),
        partial=False,
        planned=dict.fromkeys(cases, GROUPS),
        header=SimpleNamespace(where=where),
        bench=SimpleNamespace(plan=Plan(profile=profile)),
    )
    assert [] == missing(unanswered_entries(OWN, run, together=tuple(combinations(OWN, EXPECTATIONS))))


@pytest.mark.parametrize(
    "options", [{"expect": "report"}, {"expect": "record"}, {"everything": False}, {"partial": True}], ids=str
)
def test_a_run_over_a_part_or_without_gate_asks_for_no_answers(answered, options):
    """It was told to look at less."""
    assert () == answered({"halves": ["gone"]}, **options)


def test_without_a_folder_of_expectations_nothing_is_missing(answered, tmp_path):
    """The first run of a repository."""
    assert () == answered({}, expect_dir=tmp_path / "nowhere")


def test_a_run_over_named_workloads_asks_for_their_entries_and_no_others(answered):
    """The workflow that `suite init` writes names its workload: its deleted techniques must not turn it green."""
    only = [("halves", "baseline"), ("halves", "nhwc")]
    stored = {"halves": ["baseline", "gone"], "slow": ["baseline", "gone"]}
    assert [("halves", "gone")] == missing(answered(stored, planned=only, workloads=("halves",)))


# -- the sentences ----------------------------------------------------------------------------------------------------


CASES = [tiny.case_of(REGISTRY, name) for name in ("baseline", "nhwc")]


def test_the_sentence_on_unmeasured_groups_counts_them_and_names_the_first():
    """And what usually keeps tests from running."""
    said = left_out_line([(CASES[1], "speed"), (CASES[1], "memory")], dict.fromkeys(CASES, GROUPS))
    assert "not gated: 2 of 8 metric groups were not measured, the first is halves-nhwc-cpu speed" in said
    assert "conftest.py" in said


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (("speed",), "partial: 1 metric groups were left out and are not gated: halves-nhwc-cpu speed"),
        (
            GROUPS,
            "partial: 4 metric groups were left out and are not gated: "
            + ", ".join(f"halves-nhwc-cpu {group}" for group in GROUPS[:3])
            + " and 1 more",
        ),
    ],
)
def test_the_sentence_of_a_partial_run_names_a_few(groups, expected):
    """One line, however many there are."""
    assert expected == partial_line([(CASES[1], group) for group in groups])
