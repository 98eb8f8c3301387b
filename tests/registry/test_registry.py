"""The registry: declarations are checked where they stand, and a composition's text has one meaning."""
# the expected value stands on the left
# ruff: noqa: ARG001  # declared parameters that no technique here reads

import inspect
import string
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.catalog.scores import Score, classification
from suite.core.errors import CompositionError, RegistrationError, SetupError, UsageError
from suite.registry import REGISTRY, Family, Registry
from suite.training.launch import OneProcess
from suite.training.recipe import AFTER_TRAINING, SLOTS, Recipe

HERE = str(Path(__file__))
DECLARES = "def {name}(recipe{parameters}):\n    return recipe\n"


def plain_recipe(**changes):
    """A recipe that nobody trains."""
    return Recipe(**({"data": None, "model": None, "learning_rate": 0.1, "epochs": 1} | changes))


def sample_registry():  # noqa: C901  # declarations, one after the other
    made = Registry()

    @made.technique(slots=())
    def baseline(recipe):
        return recipe

    @made.technique(slots=("finish",), control="longer(epochs={epochs})", sweep={"ratio": (0.3, 0.5), "epochs": (1, 5)})
    def prune(recipe, *, ratio: float = 0.5, epochs: int = 5):
        """Remove channels.

        In more words.
        """
        return replace(recipe, finish=(recipe.finish, ratio, epochs))

    @made.technique(slots=("finish",), control="longer(epochs={epochs})")
    def mask(recipe, *, epochs: int = 3):
        return replace(recipe, finish=(recipe.finish, "mask", epochs))

    @made.technique(slots=("finish",))
    def longer(recipe, *, epochs: int = 1):
        return replace(recipe, finish=(recipe.finish, "longer", epochs))

    @made.technique(slots=("precision",), precision="fp16")
    def half(recipe, *, scaled: bool = True):
        return recipe

    @made.technique(slots=("precision",))
    def quarter(recipe):
        return recipe

    @made.technique(slots=("quantize",), conflicts=("half",), precision="int8")
    def int8(recipe, *, scheme: str = "per channel", bits: int = 8):
        return recipe

    @made.technique(slots=("deploy",), needs=("compiler",))
    def compiled(recipe):
        return recipe

    @made.technique(slots=("model",), control="narrow(width={width})", needs=("training", "compiler"))
    def student(recipe, *, width: float = 0.25, temperature: float = 4.0):
        return recipe

    @made.technique(slots=("model",))
    def narrow(recipe, *, width: float = 0.25):
        return recipe

    @made.technique(slots=("deploy",), precision="fp16")
    def short(recipe):
        return recipe

    @made.workload(source="none")
    def digits(_seed: int):
        """Digits."""
        return plain_recipe()

    return made


SAMPLE = sample_registry()


# -- one spelling ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prune", "prune(ratio=0.5,epochs=5)"),
        ("prune(epochs=1)", "prune(ratio=0.5,epochs=1)"),
        ("prune( epochs=1, ratio=0.3 )", "prune(ratio=0.3,epochs=1)"),
        ("prune(ratio=0)", "prune(ratio=0.0,epochs=5)"),
        ("half(scaled=False)+ prune", "half(scaled=False)+prune(ratio=0.5,epochs=5)"),
        ('int8(scheme="per tensor")', "int8(scheme='per tensor',bits=8)"),
        ("baseline", "baseline"),
        ("baseline+half+baseline", "half(scaled=True)"),
        ("longer+longer(epochs=2)", "longer(epochs=1)+longer(epochs=2)"),
    ],
)
def test_the_canonical_name_spells_every_parameter_in_signature_order(text, expected):
    """Defaults are filled in, an int serves as a float, and the baseline adds nothing."""
    assert expected == SAMPLE.canonical(text)


PARAMETERS = {
    "prune": {"ratio": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9), "epochs": st.integers()},
    "longer": {"epochs": st.integers()},
    "narrow": {"width": st.floats(0, 1)},
    "student": {"width": st.floats(0, 1), "temperature": st.floats(allow_nan=False, allow_infinity=False)},
    "int8": {"scheme": st.text(), "bits": st.integers()},
    "baseline": {},
}


@st.composite
def compositions(draw):
    members = []
    for name in draw(st.lists(st.sampled_from(["prune", "longer", "narrow", "student", "baseline"]), max_size=3)):
        given_ = draw(st.fixed_dictionaries({}, optional=PARAMETERS[name]))
        order = draw(st.permutations(list(given_)))
        members.append(f"{name}({', '.join(f'{key}={given_[key]!r}' for key in order)})")
    if draw(st.booleans()):
        scheme = draw(PARAMETERS["int8"]["scheme"])
        members.append(f"int8(scheme={scheme!r})")
    return " + ".join(members) or "baseline"


@given(text=compositions())
def test_canonicalizing_a_canonical_name_changes_nothing(text):
    """The canonical name is a fixed point, so that a stored name can be looked up as it stands."""
    name = SAMPLE.canonical(text)
    assert name == SAMPLE.canonical(name)


@given(text=compositions())
def test_the_canonical_name_means_what_the_text_meant(text):
    """Spelling out a composition binds the very same techniques and values."""
    written, spelled = SAMPLE.resolve(text), SAMPLE.resolve(SAMPLE.canonical(text))
    assert written == spelled


@given(text=compositions())
def test_the_control_of_any_composition_is_canonical(text):
    """A control can be trained and stored like any other composition."""
    control = SAMPLE.control(SAMPLE.resolve(text))
    assert control == SAMPLE.resolve(control.name)


def test_a_changed_default_leaves_a_spelled_out_name_alone():
    """A stored expectation keeps its meaning when the technique's author changes a default."""
    before, after = Registry(), Registry()
    for registry, default in ((before, 0.5), (after, 0.9)):

        def prune(recipe, *, ratio: float = default, epochs: int = 5):
            return replace(recipe, learning_rate=ratio)

        registry.technique(slots=("learning_rate",))(prune)
    stored = before.canonical("prune")
    assert "prune(ratio=0.5,epochs=5)" == stored == after.canonical(stored)
    assert 0.5 == after.resolve(stored).apply(plain_recipe()).learning_rate
    assert stored != after.canonical("prune")


def test_members_apply_left_to_right():
    """The second technique sees what the first one made."""
    made = SAMPLE.resolve("longer(epochs=1)+mask(epochs=2)").apply(plain_recipe(finish="first"))
    assert (("first", "longer", 1), "mask", 2) == made.finish


# -- what cannot be resolved ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prume", "unknown technique 'prume'; did you mean prune?"),
        ("half+long", "unknown technique 'long'; did you mean longer?"),
        ("prune(ration=0.5)", "unknown parameter of prune 'ration'; did you mean ratio?"),
        ("xyz", "unknown technique 'xyz'; known: baseline, compiled"),
    ],
)
def test_an_unknown_name_lists_the_nearest_ones(text, expected):
    """A misspelling is answered with what was meant."""
    with pytest.raises(UsageError) as error:
        SAMPLE.resolve(text)
    assert str(error.value).startswith(expected)


def test_an_unknown_workload_lists_the_nearest_ones():
    """Workloads are looked up with the same courtesy."""
    with pytest.raises(UsageError, match=r"unknown workload 'digit'; did you mean digits\?"):
        SAMPLE.find_workload("digit")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prune(ratio='high')", "prune(ratio='high'): ratio must be float, as in ratio=0.5"),
        ("prune(epochs=5.0)", "prune(epochs=5.0): epochs must be int, as in epochs=5"),
        ("prune(epochs=True)", "prune(epochs=True): epochs must be int, as in epochs=5"),
        ("prune(ratio=True)", "prune(ratio=True): ratio must be float, as in ratio=0.5"),
        ("half(scaled=1)", "half(scaled=1): scaled must be bool, as in scaled=True"),
        ("int8(scheme=8)", "int8(scheme=8): scheme must be str, as in scheme='per channel'"),
    ],
)
def test_a_value_of_another_type_is_refused(text, expected):
    """Only an int is taken for a float; the error shows the default as an example."""
    with pytest.raises(UsageError) as error:
        SAMPLE.resolve(text)
    assert expected == str(error.value)


def test_an_int_too_large_for_a_float_is_refused():
    """Where a float is meant, an int beyond all floats is a user's mistake like any other."""
    with pytest.raises(UsageError, match="ratio"):
        SAMPLE.resolve(f"prune(ratio={10**400})")


def test_the_baseline_takes_no_parameters():
    """A parameter that nothing reads is refused, on the baseline too."""
    with pytest.raises(UsageError, match="parameter of baseline 'ratio'"):
        SAMPLE.resolve("baseline(ratio=0.5)")


def suggested(text):
    with pytest.raises(CompositionError) as error:
        SAMPLE.resolve(text)
    return str(error.value).rpartition("write ")[2]


@pytest.mark.parametrize("text", ["int8+prune", "compiled+prune", "compiled+int8", "half+compiled+mask"])
def test_a_wrong_order_is_answered_with_one_that_works(text):
    """What happens first after training must stand first; the order that the error names can be used as it stands."""
    works = SAMPLE.resolve(suggested(text))
    assert {member.partition("(")[0] for member in text.split("+")} == {found.name for found, _ in works.members}


def test_the_suggested_order_keeps_what_was_asked_for():
    """Parameters that were spelled out are still there in the suggestion."""
    assert "prune(ratio=0.3,epochs=1)+int8(scheme='per channel',bits=4)" == SAMPLE.canonical(
        suggested("int8(bits=4)+prune(ratio=0.3,epochs=1)")
    )


def test_an_order_error_says_which_slot_comes_too_late():
    """Both techniques and both slots are named."""
    with pytest.raises(CompositionError, match=r"prune changes 'finish', which happens before 'quantize' of int8"):
        SAMPLE.resolve("int8+prune")


def test_techniques_of_one_stage_and_of_training_may_stand_in_any_order():
    """Only what follows training has an order."""
    for text in ("prune+mask", "mask+prune", "narrow+prune", "prune+narrow", "half+prune+compiled", "prune+half"):
        assert text.count("+") + 1 == len(SAMPLE.resolve(text).members)


def test_an_exclusive_slot_has_one_owner():
    """Two techniques that replace the same exclusive slot cannot both be meant."""
    with pytest.raises(CompositionError, match="half and quarter both replace 'precision'; use one of them"):
        SAMPLE.resolve("half+prune+quarter")


@pytest.mark.parametrize("text", ["half+int8", "half+prune+int8"])
def test_declared_conflicts_are_refused_from_either_side(text):
    """It suffices that one of the two declares the conflict, whichever stands first."""
    with pytest.raises(CompositionError, match="int8 cannot be combined with half"):
        SAMPLE.resolve(text)


# -- what follows from a composition --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("baseline", "baseline"),
        ("half", "baseline"),
        ("prune(epochs=7)", "longer(epochs=7)"),
        ("half+prune+compiled", "longer(epochs=5)"),
        ("prune(epochs=3)+mask", "longer(epochs=3)+longer(epochs=3)"),
        ("student(width=0.5)+student(width=0.5)", "narrow(width=0.5)"),
        ("prune+mask", "longer(epochs=5)+longer(epochs=3)"),
        ("student(width=0.5)+prune", "narrow(width=0.5)+longer(epochs=5)"),
    ],
)
def test_the_control_is_composed_of_the_members_controls(text, expected):
    """Equal controls count once unless they add epochs, and what compares with the baseline adds nothing."""
    assert expected == SAMPLE.control(SAMPLE.resolve(text)).name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("baseline", "baseline"),
        ("prune+int8+compiled", "baseline"),
        ("narrow+prune", "narrow(width=0.25)"),
        ("half+prune+compiled", "half(scaled=True)"),
        ("student+quarter+prune", "student(width=0.25,temperature=4.0)+quarter"),
    ],
)
def test_the_training_part_drops_what_only_follows_training(text, expected):
    """Compositions with the same training part share one fit."""
    assert expected == SAMPLE.training_part(SAMPLE.resolve(text)).name


def test_slots_and_needs_of_a_composition_are_those_of_its_members():
    """Needs keep their order and count once."""
    composition = SAMPLE.resolve("student+prune+compiled")
    assert frozenset({"model", "finish", "deploy"}) == composition.slots
    assert ("training", "compiler") == composition.needs


def test_the_baseline_is_the_composition_of_nothing():
    """It changes no slot and needs nothing, and anything else is something."""
    found = SAMPLE.baseline
    assert SAMPLE.resolve("baseline") == found
    assert (True, False) == (found.is_baseline, SAMPLE.resolve("half").is_baseline)
    assert (frozenset(), (), "fp32") == (found.slots, found.needs, found.precision)
    assert "baseline" == str(found) == SAMPLE.control(found).name == SAMPLE.training_part(found).name


@pytest.mark.parametrize(
    ("text", "expected"), [("baseline", 0), ("half+prune", 0), ("int8", 1), ("compiled", 2), ("prune+int8+compiled", 2)]
)
def test_the_stage_of_a_composition_is_its_last_members(text, expected):
    """Quantizing follows training and finishing, deploying follows quantizing."""
    assert expected == SAMPLE.stage(text)


@pytest.mark.parametrize(("precision", "expected"), [("fp16", ("half", "short")), ("int8", ("int8",)), ("fp32", ())])
def test_a_precision_is_brought_by_all_techniques_that_say_so(precision, expected):
    """Training and serving in it are two techniques; float32 needs none."""
    assert expected == SAMPLE.of_precision(precision)


def test_a_precision_that_no_technique_brings_is_an_error_with_the_nearest():
    """Asking for it must not run everything in float32."""
    with pytest.raises(UsageError, match="unknown precision 'fp61'; did you mean fp16"):
        SAMPLE.of_precision("fp61")


@pytest.mark.parametrize(
    ("text", "expected"), [("prune", "fp32"), ("half+prune", "fp16"), ("prune+short", "fp16"), ("quarter", "fp32")]
)
def test_a_composition_computes_in_the_precision_that_a_member_brings(text, expected):
    """float32 unless somebody says otherwise."""
    assert expected == SAMPLE.resolve(text).precision


def test_the_built_in_precisions_train_and_serve():
    """`--precision bf16` composes with both."""
    assert ("amp_bf16", "pure_bf16") == REGISTRY.of_precision("bf16")
    assert ("amp_fp16", "pure_fp16") == REGISTRY.of_precision("fp16")
    assert "bf16" == REGISTRY.resolve("+".join(REGISTRY.of_precision("bf16"))).precision


def test_the_default_profile_has_the_default_and_the_full_one_the_sweep():
    """The sweep is the product of its values, the default first and only once."""
    assert ["prune(ratio=0.5,epochs=5)"] == SAMPLE.variants("prune", sweep=False)
    assert [
        "prune(ratio=0.5,epochs=5)",
        "prune(ratio=0.3,epochs=1)",
        "prune(ratio=0.3,epochs=5)",
        "prune(ratio=0.5,epochs=1)",
    ] == SAMPLE.variants("prune", sweep=True)
    assert ["longer(epochs=1)"] == SAMPLE.variants("longer", sweep=True)


# -- declarations ---------------------------------------------------------------------------------------------------


def lines_of(function):
    return f"{HERE}:{function.__code__.co_firstlineno}"


def test_a_name_registered_twice_is_an_error_that_names_both_places():
    """Nothing is overwritten; the first registration stays."""
    registry = Registry()

    def twice(recipe):
        return recipe

    first = registry.technique(slots=())(twice)

    def twice(recipe):
        return recipe

    with pytest.raises(RegistrationError) as error:
        registry.technique(slots=())(twice)
    assert f"first at {lines_of(first)}, again at {lines_of(twice)}" in str(error.value)
    assert first is registry.find_technique("twice").function


def test_a_workload_registered_twice_is_an_error_too():
    """Workloads have names of their own: a technique may be called like one."""
    registry = Registry()

    def digits(_seed):
        return plain_recipe()

    registry.workload(source="none")(digits)
    registry.technique(slots=())(digits)
    with pytest.raises(RegistrationError, match="workload 'digits' is registered twice"):
        registry.workload(source="none")(digits)


def test_two_scores_of_one_name_are_an_error():
    """Two heads of one network: the figures of one would be taken for the other's."""
    with pytest.raises(RegistrationError, match="has two scores called 'accuracy'; give one of them another name"):

        @Registry().workload(scores=(*classification(), *classification()))
        def heads(_seed):
            return plain_recipe()


@pytest.mark.parametrize("control", ["longer(epochs={epoch})", "longer(", "longer(epochs={})", "longer(kind={kind})"])
def test_a_control_that_cannot_be_spelled_out_is_an_error_where_it_is_declared(control):
    """Otherwise every run, of other techniques too, ends with a traceback of `str.format`."""
    with pytest.raises(RegistrationError, match=r"control='longer.* must be a composition, with .*\(epochs, kind\)"):

        @Registry().technique(slots=(), control=control)
        def prune(recipe, *, epochs: int = 1, kind: str = "fast"):
            return recipe


def test_a_clash_with_a_built_in_name_is_found_where_the_user_declares_it():
    """The suite's own file and the user's line stand in the message."""
    with pytest.raises(RegistrationError, match=r"amp_bf16\.py:\d+, again at .*test_registry\.py:\d+"):

        @REGISTRY.technique(slots=())
        def amp_bf16(recipe):
            return recipe


@pytest.mark.parametrize(
    ("slots", "parameters", "sweep", "expected"),
    [
        (("finnish",), "", {}, "unknown slot 'finnish'; did you mean finish?"),
        ((), ", *, ratio", {}, "parameter 'ratio' needs a default"),
        ((), ", *, ratio=None", {}, "parameter 'ratio' needs a default"),
        ((), ", *, ratio=(1, 2)", {}, "parameter 'ratio' needs a default"),
        ((), ", *, ratio=0.5", {"ration": (0.1,)}, "unknown parameter 'ration'; did you mean ratio?"),
    ],
)
def test_a_wrong_declaration_is_an_error_at_its_line(slots, parameters, sweep, expected):
    """Slots, defaults and sweeps are checked when a technique is declared, and it does not enter the registry."""
    registry, space = Registry(), {}
    exec(compile(DECLARES.format(name="mine", parameters=parameters), "user.py", "exec"), space)  # noqa: S102
    with pytest.raises(RegistrationError) as error:
        registry.technique(slots=slots, sweep=sweep)(space["mine"])
    assert str(error.value).startswith("technique 'mine' at user.py:1: ")
    assert expected in str(error.value)
    assert {} == dict(registry.techniques)


def test_a_declared_function_stays_a_plain_function():
    """The decorators return what they were given: a technique can be called as it stands."""

    def mine(recipe):
        """Say what it does."""
        return recipe

    registry = Registry()
    assert mine is registry.technique(slots=())(mine)
    assert "Say what it does." == registry.find_technique("mine").about
    assert lines_of(mine) == registry.find_technique("mine").where


@pytest.mark.parametrize(
    ("batch", "expected"), [({"cpu": 4}, (4, 64)), (8, (8, 8)), (None, (64, 64)), ({"accelerator": 256}, (64, 256))]
)
def test_a_workload_has_a_batch_for_every_kind_of_device(batch, expected):
    """One number for all, or one a kind; what is not given has a default."""
    registry = Registry()
    registry.workload(source="none", batch=batch)(plain := lambda _seed: plain_recipe())
    found = registry.find_workload(plain.__name__)
    assert expected == (found.batch_on("cpu"), found.batch_on("cuda:1"))


def of_items(_outputs, _targets):
    return []


SCORE = Score(name="accuracy", better="higher", per_item=of_items)
OTHER = Score(name="macro_recall", better="higher", per_item=of_items)


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ({}, "has no score: declare one, as in @workload(scores=classification()), or say source='none'"),
        ({"source": "checkpoint"}, "has no score"),
        ({"source": "none", "scores": (SCORE,)}, "has scores, but nothing is trained (source='none')"),
        ({"source": "trian", "scores": (SCORE,)}, "unknown source 'trian'; did you mean train?"),
        ({"source": "checkpoint", "scores": (SCORE,), "target": 0.9}, "has a target, but is not trained here"),
        ({"source": "none", "target": 0.9}, "has a target, but is not trained here (source='none')"),
        ({"source": "none", "batch": 0}, "batch must be a number of items, or {'cpu': 64, 'accelerator': 64}"),
        ({"source": "none", "batch": {"cpu": 2.5}}, "got 'cpu': 2.5"),
        ({"source": "none", "batch": {"gpu": 4}}, "got 'gpu': 4"),
    ],
)
def test_a_contradictory_workload_is_an_error_at_its_line(declaration, expected):
    """What is missing or too much is said where it is declared, and the workload does not enter the registry."""
    registry, space = Registry(), {}
    exec(compile(DECLARES.format(name="mine", parameters=""), "user.py", "exec"), space)  # noqa: S102
    with pytest.raises(RegistrationError) as error:
        registry.workload(**declaration)(space["mine"])
    assert str(error.value).startswith("workload 'mine' at user.py:1")
    assert expected in str(error.value)
    assert {} == dict(registry.workloads)


@pytest.mark.parametrize(
    ("declaration", "trains", "primary"),
    [
        ({"scores": (SCORE, OTHER), "target": 0.9}, True, SCORE),
        ({"scores": iter([OTHER, SCORE]), "source": "checkpoint"}, True, OTHER),
        ({"source": "none"}, False, None),
    ],
    ids=["train", "checkpoint", "none"],
)
def test_the_first_score_is_the_primary_one(declaration, trains, primary):
    """A checkpoint has learnt something; data without meaning have no score."""
    registry = Registry()
    registry.workload(**declaration)(plain := lambda _seed: plain_recipe())
    found = registry.find_workload(plain.__name__)
    assert (trains, primary) == (found.trains, found.primary)


@pytest.mark.parametrize(
    ("unit", "better"), [("mm", "higher"), ("1", "lower")], ids=["another unit", "another direction"]
)
def test_a_score_has_one_unit_and_one_direction_in_all_workloads(unit, better):
    """Tables and bounds could not tell two meanings of a name apart."""
    score = Score(name="accuracy", unit=unit, better=better, per_item=of_items)
    with pytest.raises(UsageError, match=r"the score 'accuracy' .* is declared already"):
        Registry().workload(scores=(score,))(lambda _seed: plain_recipe())


@pytest.mark.parametrize("name", ["speedup", "accuracy_vs_control"])
def test_a_score_cannot_take_another_metrics_name(name):
    """Its figures would be judged as the other's."""
    score = Score(name=name, better="higher", per_item=of_items)
    with pytest.raises(UsageError, match=f"the score '{name}' .* as another metric"):
        Registry().workload(scores=(score,))(lambda _seed: plain_recipe())


# -- slots ----------------------------------------------------------------------------------------------------------


def declared(slots, function):
    """The composition of one technique that does ``function`` under these slots."""
    registry = Registry()

    def mine(recipe):
        return function(recipe)

    registry.technique(slots=slots)(mine)
    return registry.resolve("mine")


def other_loss(*_):
    return 0.0


@pytest.mark.parametrize(
    ("slots", "changes", "named", "mend"),
    [
        ((), {"learning_rate": 1e-9, "epochs": 1}, "learning_rate, epochs", "slots=('learning_rate', 'epochs',)"),
        (("deploy",), {"deploy": other_loss, "loss": other_loss}, "loss", "slots=('deploy', 'loss',)"),
        (("finish",), {"flags": {"cudnn_benchmark": 1}}, "flags", "slots=('finish', 'flags',)"),
    ],
)
def test_a_change_that_is_not_declared_is_an_error_that_names_the_field(slots, changes, named, mend):
    """A cell shares its training with all that declare the same: a hidden change would show another cell's figures."""
    composition = declared(slots, lambda recipe: replace(recipe, **changes))
    with pytest.raises(RegistrationError) as error:
        composition.apply(plain_recipe(epochs=7))
    assert f"changes {named} of the recipe without declaring it" in str(error.value)
    assert mend in str(error.value)
    assert f"technique 'mine' at {HERE}:" in str(error.value)


@pytest.mark.parametrize("slot", SLOTS)
def test_every_field_of_a_recipe_can_be_a_slot(slot):
    """Declared it may change, undeclared it may not."""
    value, before = OneProcess() if slot == "launch" else object(), plain_recipe()
    found = declared((slot,), lambda r: replace(r, **{slot: value})).apply(before)
    assert value is inspect.unwrap(getattr(found, slot))
    with pytest.raises(RegistrationError, match=rf"changes {slot} of the recipe"):
        declared((), lambda r: replace(r, **{slot: value})).apply(before)


def test_the_slots_are_the_recipes_fields_and_the_seed_is_none():
    """The suite seeds every run itself."""
    assert tuple(field.name for field in fields(Recipe)) == SLOTS
    assert "seed" not in SLOTS
    assert set(AFTER_TRAINING) < set(SLOTS)


def test_each_member_answers_for_its_own_changes():
    """What an earlier member declared is no licence for a later one."""
    registry = Registry()

    def faster(recipe):
        return replace(recipe, learning_rate=2.0)

    def sly(recipe):
        return replace(recipe, learning_rate=1.0)

    registry.technique(slots=("learning_rate",))(faster)
    registry.technique(slots=())(sly)
    with pytest.raises(RegistrationError, match="technique 'sly'"):
        registry.resolve("faster+sly").apply(plain_recipe())


@pytest.mark.parametrize("returned", [None, {"epochs": 1}])
def test_a_technique_that_returns_no_recipe_is_told_how_to_end(returned):
    """A forgotten return is the usual cause."""
    with pytest.raises(RegistrationError, match=r"must return a Recipe, it returned .*return replace\(recipe"):
        declared((), lambda _: returned).apply(plain_recipe())


def test_the_built_in_names_are_there_without_being_imported_first():
    """A look-up loads the built-in modules."""
    assert {"baseline", "amp_bf16", "structured_pruning"} <= REGISTRY.techniques.keys()
    assert {"digits_cnn", "resnet50_synthetic"} <= REGISTRY.workloads.keys()


def test_a_built_in_module_is_imported_without_all_the_others():
    """Otherwise two of them that share a network would import each other in a circle, whichever comes first."""
    made = Registry(builtin=True)

    def shares(seed):
        """Has the network of another one."""

    shares.__module__ = "suite.catalog.workloads.shares"
    made.workload(source="none")(shares)
    assert made._builtin_pending
    assert ["shares"] == list(made._workloads)


def test_every_built_in_control_and_sweep_can_be_resolved():
    """A control names techniques and parameters that exist, for every value of the sweep."""
    for name in REGISTRY.techniques:
        for variant in REGISTRY.variants(name, sweep=True):
            control = REGISTRY.control(REGISTRY.resolve(variant))
            assert control == REGISTRY.resolve(control.name)


def test_every_built_in_has_a_sentence_that_says_what_it_does():
    """`suite list` shows it."""
    for declared in (*REGISTRY.techniques.values(), *REGISTRY.workloads.values()):
        assert declared.about.endswith("."), declared.name


# -- modules --------------------------------------------------------------------------------------------------------


USER_FILE = """
from suite import technique

@technique(slots=())
def {name}(recipe):
    '''A user's own.'''
    return recipe
"""


@pytest.fixture
def user_file(tmp_path, monkeypatch):
    """A file that declares a technique in the suite's registry, which forgets it afterwards."""
    monkeypatch.setattr(REGISTRY, "_techniques", dict(REGISTRY.techniques))
    path = tmp_path / "mine.py"
    path.write_text(USER_FILE.format(name="loaded_from_a_file"), "utf-8")
    before = set(sys.modules)
    yield path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_file_is_loaded_once_for_its_declarations(user_file):
    """Loading it again, by another spelling of its path, registers nothing twice."""
    REGISTRY.load(str(user_file))
    REGISTRY.load(str(user_file.parent / "." / ".." / user_file.parent.name / user_file.name))
    assert f"{user_file}:4" == REGISTRY.find_technique("loaded_from_a_file").where


def test_user_modules_are_those_outside_the_suite(user_file):
    """A child process loads what a user declared; the built-in modules it has itself."""
    before = REGISTRY.user_modules()
    REGISTRY.load(str(user_file))
    assert [*before, str(user_file)] == REGISTRY.user_modules()
    assert [__name__] == SAMPLE.user_modules()  # this file can be imported by its name


def test_a_file_that_is_not_there_is_an_error_with_its_path(tmp_path):
    """The path stands in the message as it was given."""
    with pytest.raises(SetupError, match=r"cannot load .*nowhere\.py.*no such file"):
        REGISTRY.load(str(tmp_path / "nowhere.py"))


def test_a_module_below_src_that_is_not_installed_is_told_where_it_lies(tmp_path, monkeypatch):
    """Python looks for modules where it was told to, and ``src`` is no such place by itself."""
    (tmp_path / "src" / "my_nets").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match=r"it lies in src/my_nets: .*pip install -e \..*PYTHONPATH=src"):
        REGISTRY.load("my_nets.bench")


@pytest.mark.parametrize("setter", ["set_default_dtype(torch.float64)", "set_default_tensor_type(torch.DoubleTensor)"])
@pytest.mark.filterwarnings("ignore:torch.set_default_tensor_type")
def test_a_module_that_changes_the_default_type_of_all_workloads_is_refused_with_its_line(tmp_path, setter):
    """The type is put back: other modules are loaded after it."""
    (tmp_path / "double.py").write_text(f"import torch\n\ntorch.{setter}\n", "utf-8")
    with pytest.raises(
        SetupError, match=r"float64 torch's default type .*double\.py:3\].*dtype=torch\.float64.*\.to\(torch\.float64\)"
    ):
        REGISTRY.load(str(tmp_path / "double.py"))
    assert torch.float32 == torch.get_default_dtype()


@pytest.mark.usefixtures("user_file")
def test_a_module_that_is_not_there_is_an_error_that_says_where_modules_are_listed():
    """A misspelt dotted name ends in one sentence."""
    with pytest.raises(SetupError, match=r"cannot load 'my_modles'.*\[tool\.tradeoff-suite\] load"):
        REGISTRY.load("my_modles")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys\n\nsys.exit(3)\n", r"ends the process when it is imported \(exit code 3\) \[.*:3\]"),
        ("import argparse\n\nargparse.ArgumentParser().parse_args()\n", r"parses the command line .*:3\]"),
    ],
)
def test_a_script_is_no_module_and_its_line_is_named(code, said, tmp_path, monkeypatch):
    """It would take the suite's own arguments, or end the suite."""
    monkeypatch.setattr(sys, "argv", ["suite", "list", "workloads"])
    (tmp_path / "script.py").write_text(code, "utf-8")
    with pytest.raises(SetupError, match=said) as raised:
        REGISTRY.load(str(tmp_path / "script.py"))
    assert 'if __name__ == "__main__":' in str(raised.value)
    assert ["suite", "list", "workloads"] == sys.argv


def test_a_file_that_breaks_while_loading_does_not_count_as_loaded(user_file):
    """Once it is mended, it can be loaded in the same process."""
    good = user_file.read_text("utf-8")
    user_file.write_text("raise RuntimeError('half way')\n", "utf-8")
    with pytest.raises(SetupError, match=r"RuntimeError: half way .*:1]"):
        REGISTRY.load(str(user_file))
    user_file.write_text(good + "\n# mended: longer than before\n", "utf-8")
    REGISTRY.load(str(user_file))
    assert "loaded_from_a_file" in REGISTRY.techniques


@given(name=st.text(string.ascii_lowercase, min_size=1))
def test_an_unknown_technique_is_always_a_usage_error(name):
    """Whatever is asked for, the answer is a technique or one sentence."""
    known = SAMPLE.techniques
    if name in known:
        assert name == SAMPLE.find_technique(name).name
    else:
        with pytest.raises(UsageError, match=f"unknown technique '{name}'"):
            SAMPLE.find_technique(name)


def test_a_family_declares_a_workload_when_it_is_asked_for():
    """Once, and only those that it has; a listed name comes first."""
    made = Registry()

    def declare(name):
        def recipe(seed):
            return plain_recipe()

        recipe.__name__ = f"many_{name}"
        made.workload(source="none", full=False)(recipe)

    made.family(Family(prefix="many_", about="Many.", names=lambda: ("first", "second"), declare=declare))
    assert {} == dict(made.workloads)
    assert made.find_workload("many_second") is made.find_workload("many_second")
    assert ["many_second"] == list(made.workloads)
    with pytest.raises(UsageError, match="unknown workload 'many_frist'; did you mean many_first"):
        made.find_workload("many_frist")
    with pytest.raises(RegistrationError, match=r"many_\* are declared twice"):
        made.family(made.families[0])


@pytest.mark.parametrize("kind", ["workload", "technique"])
def test_a_class_cannot_be_declared(kind):
    """The message says what is decorated instead."""
    decorate = Registry().workload(scores=classification()) if kind == "workload" else Registry().technique(slots=())
    with pytest.raises(
        RegistrationError, match=rf"@{kind} decorates a function .* not the class .*test_registry\.py:\d"
    ):

        @decorate
        class Net:
            pass
