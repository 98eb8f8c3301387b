"""Which cells a selection means."""
# the expected value stands on the left
# ruff: noqa: ARG001  # declared parameters that no technique here reads

from dataclasses import replace

import pytest
import tiny

from suite.bench.requirements import require
from suite.bench.selection import Selection, default_compositions, select
from suite.catalog.scores import classification
from suite.core.errors import CompositionError, RegistrationError, UnavailableError, UsageError
from suite.core.records import GROUPS, Cell
from suite.registry import REGISTRY as REGISTRY_OF_ALL
from suite.registry import Registry


def sample_registry():
    made = Registry()

    def technique(name, **declared):
        def function(recipe):
            return replace(recipe)

        function.__name__ = name
        made.technique(**declared)(function)

    technique("amp_bf16", slots=("precision",), precision="bf16")
    technique("baseline", slots=())
    technique("amp_fp16", slots=("precision",), needs=("fp16",), precision="fp16")
    technique("int8", slots=("quantize",), conflicts=("amp_bf16", "amp_fp16"))
    technique("student", slots=("loss",), needs=("training",))
    technique("narrow", slots=("model",), runs=False)

    @made.technique(slots=("finish",), sweep={"ratio": (0.3, 0.5)})
    def prune(recipe, *, ratio: float = 0.5):
        return recipe

    def workload(name, **declared):
        def function(_seed):
            raise AssertionError("selecting cells builds no recipe")

        function.__name__ = name
        made.workload(**({"scores": classification()} | declared))(function)

    workload("digits")
    workload("noise", scores=(), source="none", quick=False)
    workload("small", techniques=("prune", "narrow"), quick=False)
    workload("curves", techniques=(), default=False)
    return made


REGISTRY = sample_registry()


def techniques(workload, **selection):
    cases, _ = select(REGISTRY, Selection(workloads=[workload], **selection))
    return [case.cell.technique for case in cases]


def test_without_a_choice_every_workload_runs_every_technique_that_runs_by_default():
    """The baseline comes first; what serves only as a control is left out."""
    cases, notes = select(REGISTRY, Selection(device="cuda:0"))
    assert ["digits", "noise", "small"] == list(dict.fromkeys(case.cell.workload for case in cases))
    assert {"cuda:0"} == {case.cell.device for case in cases}
    assert [] == notes
    expected = ["baseline", "amp_bf16", "amp_fp16", "int8", "student", "prune(ratio=0.5)"]
    assert expected == techniques("digits")


def test_what_learns_is_planned_for_a_workload_without_meaning_too():
    """It is unavailable there, which a table says; a cell that is not planned would be silent."""
    assert "student" in techniques("noise")


def test_a_workload_may_name_its_own_techniques():
    """They run in its order behind the baseline, controls among them if it says so."""
    assert ["baseline", "prune(ratio=0.5)", "narrow"] == techniques("small")


def test_a_quick_run_leaves_out_slow_workloads_unless_they_are_asked_for():
    """Asking by name overrides what runs by default."""
    cases, _ = select(REGISTRY, Selection(profile="quick"))
    assert {"digits"} == {case.cell.workload for case in cases}
    assert [] != techniques("noise", profile="quick")


def test_a_quick_run_leaves_out_techniques_that_another_of_their_family_stands_for():
    """They run by default, and by name even then."""
    made = sample_registry()

    @made.technique(slots=("epochs",), quick=False)
    def second_of_its_family(plain):
        """Like the first one."""
        return plain

    chosen = {
        profile: [case.cell.technique for case in select(made, Selection(workloads=["digits"], profile=profile))[0]]
        for profile in ("quick", "default")
    }
    assert {"second_of_its_family"} == set(chosen["default"]) - set(chosen["quick"])


def test_a_workload_that_is_no_part_of_a_default_run_is_run_by_name_or_in_full():
    """Minutes a seed are worth it for a curve, and not in every gate."""
    assert all("curves" != case.cell.workload for case in select(REGISTRY, Selection(profile="quick"))[0])
    assert ["baseline"] == techniques("curves")
    assert any("curves" == case.cell.workload for case in select(REGISTRY, Selection(profile="full"))[0])


def test_the_full_profile_runs_the_sweep():
    """The default first, then every value of the sweep that differs."""
    assert ["baseline", "prune(ratio=0.5)", "prune(ratio=0.3)", "narrow"] == techniques("small", profile="full")


def test_combinations_run_beside_the_techniques_or_in_their_stead():
    """The baseline stays; a workload that limits its techniques runs none, nor does a run that names some."""
    both = {"combinations": ["prune(ratio=0.5)+int8"]}
    alone = techniques("digits")
    assert [*alone, "prune(ratio=0.5)+int8"] == techniques("digits", **both)
    assert ["baseline", "prune(ratio=0.5)+int8"] == techniques("digits", together=True, **both)
    assert "prune(ratio=0.5)+int8" not in techniques("small", **both)
    assert ["student"] == techniques("digits", techniques=["student"], **both)
    assert not Selection(together=True, **both).is_everything
    _, notes = select(REGISTRY, Selection(workloads=["small"], together=True, **both))
    assert ["small limits its techniques and runs no combination: name some with --technique"] == notes


def test_any_profile_runs_the_sweep_if_asked_to():
    """A quick look at a curve."""
    assert ["prune(ratio=0.5)", "prune(ratio=0.3)"] == techniques(
        "small", techniques=["prune"], profile="quick", sweep=True
    )
    assert ["baseline", "prune(ratio=0.5)", "prune(ratio=0.3)", "narrow"] == techniques("small", sweep=True)


@pytest.mark.parametrize(
    ("asked", "profile", "expected"),
    [
        (["prune"], "default", ["prune(ratio=0.5)"]),
        (["prune"], "full", ["prune(ratio=0.5)", "prune(ratio=0.3)"]),
        (["prune(ratio=0.7)"], "full", ["prune(ratio=0.7)"]),
        (["prune+int8"], "full", ["prune(ratio=0.5)+int8"]),
        (["prune", "prune(ratio=0.5)", "narrow"], "default", ["prune(ratio=0.5)", "narrow"]),
    ],
)
def test_what_is_asked_for_is_run_and_nothing_else(asked, profile, expected):
    """In the order in which it was asked for, each composition once; a sweep only for a bare name."""
    assert expected == techniques("digits", techniques=asked, profile=profile)


def test_a_workload_that_is_asked_for_twice_runs_once():
    """Repeating an option is no mistake."""
    cases, _ = select(REGISTRY, Selection(workloads=["digits", "digits"], techniques=["narrow"]))
    assert [Cell(workload="digits", technique="narrow", device="cpu")] == [case.cell for case in cases]


def test_a_precision_is_composed_with_everything_that_has_none():
    """What has a precision of its own keeps it, and the baseline becomes the precision alone."""
    assert ["amp_bf16", "amp_fp16", "student+amp_bf16", "prune(ratio=0.5)+amp_bf16"] == techniques(
        "digits", precision="bf16"
    )


def test_what_a_precision_cannot_be_composed_with_is_left_out_with_a_note():
    """One note for each composition, however many workloads have it."""
    _, notes = select(REGISTRY, Selection(precision="bf16"))
    assert 1 == len(notes)
    assert notes[0].startswith("int8 is left out: ")


def test_an_impossible_precision_is_an_error_where_the_composition_was_asked_for():
    """Nobody is left waiting for a cell that never runs."""
    with pytest.raises(UsageError, match=r"--precision: .*int8 cannot be combined with amp_bf16"):
        techniques("digits", techniques=["int8"], precision="bf16")


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"workloads": ["digit"]}, "unknown workload 'digit'; did you mean digits?"),
        ({"techniques": ["prunes"]}, "unknown technique 'prunes'; did you mean prune?"),
        ({"precision": "bf61"}, "unknown precision 'bf61'; did you mean bf16 or fp16?"),
    ],
)
def test_unknown_names_are_usage_errors_with_the_nearest_ones(selection, expected):
    """A misspelt option measures nothing."""
    with pytest.raises(UsageError) as error:
        select(REGISTRY, Selection(**selection))
    assert expected == str(error.value)


def test_a_contradiction_that_was_asked_for_is_an_error():
    """Compositions are checked before anything is trained."""
    with pytest.raises(CompositionError, match="both replace 'precision'"):
        techniques("digits", techniques=["amp_bf16+amp_fp16"])


def test_a_cell_is_shown_by_its_workload_composition_and_device():
    """The text names tests and stands in `--only`."""
    assert "digits-prune(ratio=0.5)-cpu" == str(Cell(workload="digits", technique="prune(ratio=0.5)", device="cpu"))


def test_a_case_holds_the_resolved_workload_composition_and_control():
    """Everything that a name stands for is looked up once, here."""
    (case,), _ = select(REGISTRY, Selection(workloads=["digits"], techniques=["prune+int8"]))
    assert REGISTRY.find_workload("digits") is case.workload
    assert "prune(ratio=0.5)+int8" == case.composition.name == case.cell.technique
    assert "baseline" == case.control.name
    assert "digits-prune(ratio=0.5)+int8-cpu" == str(case)


@pytest.mark.parametrize(
    ("technique", "expected"),
    [("baseline", True), ("amp_bf16", True), ("prune", False), ("int8", False), ("prune+amp_bf16", True)],
)
def test_training_is_timed_for_the_baseline_and_for_what_changes_it(technique, expected):
    """What follows training has the baseline's own training step."""
    (case,), _ = select(REGISTRY, Selection(workloads=["digits"], techniques=[technique]))
    assert expected is case.trains_differently
    assert (("inference", "training") if expected else ("inference",)) == case.timeable


@pytest.mark.parametrize(
    ("selection", "expected"),
    [({}, True), ({"workloads": ["digits"]}, True), ({"techniques": ["prune"]}, False), ({"precision": "bf16"}, False)],
)
def test_a_selection_is_everything_only_if_no_cell_of_its_workloads_was_left_out_by_name(selection, expected):
    """Only then has every entry stored for them to be answered."""
    assert expected is Selection(**selection).is_everything


def test_a_parameter_out_of_range_is_told_before_anything_is_trained():
    """The recipe is built once for what was asked for; a technique that does not fit its slots is its cells' error."""
    made = sample_registry()

    @made.workload(scores=classification())
    def real(seed):
        """Builds a recipe."""
        return tiny.recipe(seed)

    @made.technique(slots=("epochs",), runs=False)
    def picky(recipe, *, share: float = 0.5):
        """Refuse a share above one."""
        if share > 1:
            raise UsageError(f"share must be at most 1, got {share}")
        return replace(recipe, learning_rate=0.5)

    with pytest.raises(UsageError, match="share must be at most 1, got 2"):
        select(made, Selection(workloads=["real"], techniques=["picky(share=2)"]))
    cases, _ = select(made, Selection(workloads=["real"], techniques=["picky"]))
    assert ["picky(share=0.5)"] == [case.cell.technique for case in cases]


def test_a_precision_stands_before_what_happens_later():
    """A technique of a precision that serves in it keeps the order of the stages."""
    made = sample_registry()
    made.technique(slots=("quantize",), precision="fp8")(fp8)
    cases, _ = select(made, Selection(workloads=["digits"], techniques=["prune", "baseline"], precision="fp8"))
    assert ["prune(ratio=0.5)+fp8", "fp8"] == [case.cell.technique for case in cases]


def fp8(recipe):
    """Serve in eight bits."""
    return replace(recipe)


def test_the_sweep_belongs_to_the_full_profile():
    """What is stored for it waits for no answer in the others."""
    small = REGISTRY.find_workload("small")
    assert "prune(ratio=0.3)" in default_compositions(REGISTRY, small, "full")
    assert "prune(ratio=0.3)" not in default_compositions(REGISTRY, small, "default")


def by_device_registry():
    """A workload for accelerators alone with a list for either kind, and one that is learnt there and timed nowhere."""
    made = sample_registry()

    def declare(name, **declared):
        def function(_seed):
            raise AssertionError("selecting cells builds no recipe")

        function.__name__ = name
        made.workload(scores=classification(), **declared)(function)

    lists = {"cpu": ("int8",), "accelerator": ("amp_bf16", "slow", "prune+amp_bf16")}
    declare("busy", techniques=lists, default={"cpu": False, "accelerator": True})
    declare("learnt", techniques=("int8",), groups={"accelerator": ("quality", "size")})
    declare("never_quick", quick={"accelerator": False})
    made.technique(slots=("epochs",), quick=False)(_named("slow"))
    return made


def _named(name):
    def function(recipe):
        return replace(recipe)

    function.__name__ = name
    return function


BY_DEVICE = by_device_registry()


def cells_on(device, workload, **selection):
    cases, _ = select(BY_DEVICE, Selection(device=device, **selection))
    return [case for case in cases if case.workload.name == workload]


def names_on(device, workload, **selection):
    return [case.cell.technique for case in cells_on(device, workload, **selection)]


def test_what_runs_by_default_may_depend_on_the_type_of_device():
    """A network that keeps an accelerator busy takes minutes on a core."""
    assert ["baseline", "amp_bf16", "slow", "prune(ratio=0.5)+amp_bf16"] == names_on("cuda:1", "busy")
    assert [] == names_on("cpu", "busy")
    assert ["baseline", "int8"] == names_on("cpu", "busy", workloads=["busy"])
    assert ["baseline", "int8"] == names_on("cpu", "busy", profile="full")


def test_a_quick_run_leaves_out_what_is_not_quick_of_a_list_by_device():
    """A list for all devices is the user's own choice and stays whole."""
    assert ["baseline", "amp_bf16", "prune(ratio=0.5)+amp_bf16"] == names_on("cuda", "busy", profile="quick")
    assert [] == names_on("cuda", "never_quick", profile="quick")
    assert [] != names_on("cpu", "never_quick", profile="quick")


def test_a_workload_that_is_not_named_is_measured_in_its_own_groups_alone():
    """What only the host limits is not timed on an accelerator, unless somebody asks for it."""
    groups = {case.groups for case in cells_on("cuda", "learnt")}
    assert {("quality", "size")} == groups
    assert {GROUPS} == {case.groups for case in cells_on("cpu", "learnt")}
    assert {GROUPS} == {case.groups for case in cells_on("cuda", "learnt", workloads=["learnt"])}


def test_combinations_run_where_no_list_of_the_devices_own_limits_them():
    """As for a list that holds on all devices."""
    both = {"combinations": ["prune(ratio=0.5)+int8"], "workloads": ["busy"]}
    assert "prune(ratio=0.5)+int8" not in names_on("cuda", "busy", **both)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"default": {"gpu": True}}, "default: unknown device type 'gpu'"),
        ({"techniques": {"cuda": ("int8",)}}, "techniques: unknown device type 'cuda'"),
        ({"groups": {"cpu": ("speeed",)}}, "groups: unknown group 'speeed'; did you mean speed"),
    ],
)
def test_a_declaration_that_no_device_would_look_up_is_refused(declared, said):
    """With the workload's name and place."""
    with pytest.raises(RegistrationError, match=f"workload 'wrong' at .*{said}"):
        Registry().workload(scores=classification(), **declared)(_named("wrong"))


def test_the_suites_own_accelerator_runs_keep_the_device_busy():
    """ResNet and a transformer with large Linear layers are timed; digits are learnt, and timed by name alone."""
    cases, _ = select(REGISTRY_OF_ALL, Selection(device="cuda"))
    timed = {(case.workload.name, case.composition.name) for case in cases if "speed" in case.groups}
    assert {"resnet50_synthetic", "zoo_vit_b_16"} == {workload for workload, _ in timed}
    techniques = {technique for _, technique in timed}
    for name in (
        "tf32", "fp8", "pure_bf16", "pure_fp16", "channels_last+pure_bf16", "amp_bf16", "amp_fp16", "compiled",
        "fused_optimizer", "gradient_checkpointing", "activation_offload", "semi_structured+sparse_linear",
        "compiled_mode(mode='max-autotune')", "compiled_mode(mode='reduce-overhead')",
    ):  # fmt: skip
        assert REGISTRY_OF_ALL.canonical(name) in techniques
    quick, _ = select(REGISTRY_OF_ALL, Selection(device="cuda", profile="quick"))
    assert {"resnet50_synthetic"} == {case.workload.name for case in quick if "speed" in case.groups}
    assert {"digits_cnn"} == {case.workload.name for case in select(REGISTRY_OF_ALL, Selection())[0]}


def test_a_misordered_composition_among_others_is_unavailable_with_the_right_spelling():
    """The others run; where nothing else was asked for, it is a mistake that is told at once."""
    asked = ["student", "int8+prune(ratio=0.3)"]
    cases, _ = select(REGISTRY, Selection(workloads=["digits"], techniques=asked))
    assert ["student", "int8+prune(ratio=0.3)"] == [case.cell.technique for case in cases]
    assert [None] == [case.refused for case in cases[:-1]]
    assert cases[-1].refused.endswith("; write prune(ratio=0.3)+int8")
    with pytest.raises(UnavailableError, match=r"write prune\(ratio=0.3\)\+int8"):
        require(cases[-1], None)
    for alone in (asked[1:], [asked[1], asked[1]]):
        with pytest.raises(CompositionError, match="happens before"):
            select(REGISTRY, Selection(workloads=["digits"], techniques=alone))


def test_a_misordered_composition_that_contradicts_itself_too_is_a_mistake():
    """No order would mend it."""
    with pytest.raises(CompositionError, match="cannot be combined"):
        select(REGISTRY, Selection(workloads=["digits"], techniques=["student", "int8+amp_bf16+prune"]))
