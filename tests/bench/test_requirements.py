"""Why a cell cannot run here, found before anything is trained."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.bench import requirements
from suite.catalog.scores import classification
from suite.core.errors import RegistrationError, UnavailableError
from suite.training.artefacts import from_files
from suite.training.recipe import Split, Splits


def needing(need, *, slots=("deploy",), source="train", **changes):
    """A case whose technique has one need, on the tiny workload with some slots replaced; and its plain recipe."""
    made = tiny.registry()
    plain = tiny.recipe(**changes)

    @made.workload(source=source, scores=() if source == "none" else classification(), batch=16)
    def special(_seed):
        """The tiny workload, changed."""
        return plain

    @made.technique(slots=slots, needs=() if need is None else (need,))
    def wanting(recipe):
        """Needs something."""
        return replace(recipe)

    return tiny.case_of(made, "wanting", "special"), plain


def with_inputs(inputs, targets=None):
    part = Split(inputs=inputs, targets=torch.zeros(4, dtype=torch.long) if targets is None else targets)
    return lambda: Splits(train=part, test=part)


IMAGES = torch.zeros(4, 3, 8, 8)
TOKENS = torch.zeros(4, 8, dtype=torch.long)
FLOATS = torch.zeros(4, 8)


@pytest.mark.parametrize(
    ("need", "data", "met", "said"),
    [
        ("images", with_inputs(IMAGES), True, ""),
        ("images", with_inputs(TOKENS), False, "the inputs of special are no images: one floating tensor [N, C, H, W]"),
        ("images", with_inputs(torch.zeros(4, 1, 4, 8, 8)), False, "are no images"),
        ("images", with_inputs((IMAGES, FLOATS)), False, "are no images"),
        ("float_inputs", with_inputs((IMAGES, FLOATS)), True, ""),
        ("float_inputs", with_inputs((IMAGES, TOKENS)), False, "the inputs of special are not floating-point numbers"),
        ("classes", with_inputs(FLOATS), True, ""),
        ("classes", with_inputs(FLOATS, FLOATS), False, "the targets of special are no classes"),
        ("classes", with_inputs(FLOATS, torch.zeros(4)), False, "the targets of special are no classes"),
        ("classes", with_inputs(FLOATS, {"boxes": FLOATS}), False, "the targets of special are no classes"),
        ("tasks", with_inputs(FLOATS, {"boxes": FLOATS, "classes": FLOATS}), True, ""),
        ("tasks", with_inputs(FLOATS, {"boxes": FLOATS}), False, "the targets of special are no dictionary of several"),
        ("tasks", with_inputs(FLOATS), False, "the targets of special are no dictionary of several tasks"),
    ],
)
def test_what_a_technique_needs_of_the_data_is_looked_up_in_them(need, data, met, said):
    """The reason names the workload and what would do."""
    case, plain = needing(need, data=data)
    if met:
        requirements.require(case, plain)
    else:
        with pytest.raises(UnavailableError) as error:
            requirements.require(case, plain)
        assert said in str(error.value)


@pytest.mark.parametrize(
    ("model", "met"),
    [(tiny.Net, True), (lambda **parts: tiny.Net(**parts), True), (lambda: tiny.Net(), False)],  # noqa: PLW0108
    ids=["width", "any keyword", "none"],
)
def test_scaling_channels_needs_a_model_that_takes_a_width(model, met):
    """Asked of its signature; nothing is built."""
    case, plain = needing("width", model=model)
    if met:
        requirements.require(case, plain)
    else:
        with pytest.raises(UnavailableError, match=r"the model of special takes no width="):
            requirements.require(case, plain)


@pytest.mark.parametrize(("source", "met"), [("train", True), ("checkpoint", True), ("none", False)])
def test_learning_needs_data_that_carry_meaning(source, met):
    """A checkpoint can be fine-tuned on its data; noise cannot be learnt from."""
    case, plain = needing("training", source=source)
    if met:
        requirements.require(case, plain)
    else:
        with pytest.raises(UnavailableError, match=r"nothing can be learnt .* of special \(source='none'\)"):
            requirements.require(case, plain)


@pytest.mark.parametrize("slot", sorted(requirements.FROM_SCRATCH))
def test_what_changes_training_from_the_first_step_cannot_run_on_a_checkpoint(slot):
    """It would change nothing and be measured as if it had."""
    case, plain = needing(None, slots=(slot,), source="checkpoint")
    with pytest.raises(UnavailableError, match=rf"special comes trained .* how it is trained \({slot}\)"):
        requirements.require(case, plain)


@pytest.mark.parametrize(
    ("slots", "what"), [(("deploy", "finish"), "changes deploy, finish"), (("runtime",), "exports")]
)
def test_files_without_a_torch_module_take_other_files_alone(tmp_path, slots, what):
    """A module is neither there to be changed nor to be exported."""
    case, plain = needing(None, slots=slots, source="artefact")
    with pytest.raises(UnavailableError, match=rf"special has files and no torch module .*, and wanting {what}"):
        requirements.require(case, plain)
    case, plain = needing(None, slots=("runtime",), source="artefact", runtime=from_files(tmp_path / "model.onnx"))
    requirements.require(case, plain)


def test_what_the_workload_needs_counts_too(monkeypatch):
    """Its own declaration, for every technique on it."""
    made = tiny.registry()

    @made.workload(scores=classification(), needs=("compiler",))
    def compiled(seed):
        """Needs a compiler itself."""
        return tiny.recipe(seed)

    monkeypatch.setattr(requirements, "missing_need", lambda need, _: f"no {need} here")
    with pytest.raises(UnavailableError, match="no compiler here"):
        requirements.require(tiny.case_of(made, "baseline", "compiled"), tiny.recipe())


# -- the dry run of what follows training -----------------------------------------------------------------------------


def finishing(function):
    case, plain = needing(None, slots=("finish",))
    return case, replace(plain, finish=function)


def test_a_network_that_a_technique_cannot_take_is_unavailable_before_training():
    """What it does to the structure is tried on untrained weights; fine-tuning is left out."""
    seen = []

    def finish(network, tuner):
        tuner.train(network, epochs=10**9)  # would never end
        seen.append(tuple(tuner.example.shape))
        raise UnavailableError("no channel can be removed")

    with pytest.raises(UnavailableError, match="no channel can be removed"):
        requirements.require_structure(*finishing(finish))
    assert [(1, 1, 8, 8)] == seen


def test_any_other_error_of_the_dry_run_waits_for_the_trained_network():
    """Untrained weights may be at fault; it is raised again in earnest."""

    def finish(_network, _tuner):
        raise ValueError("weights of this sort do not sort")

    requirements.require_structure(*finishing(finish))


def test_the_dry_run_may_ask_for_a_teacher():
    """It receives the untrained network itself."""
    asked = []

    def finish(network, tuner):
        asked.append(tuner.reference("baseline") is network)
        return network

    requirements.require_structure(*finishing(finish))
    assert [True] == asked


def test_nothing_is_built_for_a_technique_that_leaves_the_trained_network_alone():
    """Building a large network twice costs seconds."""

    def model():
        raise AssertionError("built for nothing")

    case, plain = needing(None, model=model)
    requirements.require_structure(case, plain)


def test_every_need_that_a_technique_may_declare_can_be_looked_up():
    """Of the machine or of the workload."""
    assert {"compiler", "training", "width", "images", "float_inputs", "classes"} <= set(requirements.KNOWN)
    assert len(requirements.KNOWN) == len(set(requirements.KNOWN))


def test_data_that_are_not_here_make_a_cell_unavailable_before_anything_is_built():
    """Whatever the technique needs: the reason is the data's own."""

    def absent():
        raise UnavailableError("the files of mine are not in /data: copy them there")

    def model(**_parts):
        raise AssertionError("a network was built")

    for need in (None, "images", "training"):
        case, plain = needing(need, data=absent, model=model)
        with pytest.raises(UnavailableError, match=r"^the files of mine are not in /data: copy them there$"):
            requirements.require(case, plain)


def test_a_network_that_a_technique_cannot_rebuild_is_found_before_training():
    """What the model slot says is heard, not only what follows training."""
    made = tiny.registry()

    @made.technique(slots=("model",))
    def rebuilding(recipe):
        """Cannot."""

        def model():
            raise UnavailableError("rebuilding: no such layer")

        return replace(recipe, model=model)

    case = tiny.case_of(made, "rebuilding")
    with pytest.raises(UnavailableError, match="no such layer"):
        requirements.require_structure(case, case.composition.apply(tiny.recipe()))


def test_a_need_may_be_a_function_beside_its_technique():
    """It gets the case, and says why not."""
    case, plain = needing(lambda case: f"no engine for {case.cell.device}")
    with pytest.raises(UnavailableError, match="no engine for cpu"):
        requirements.require(case, plain)
    assert requirements.require(*needing(lambda _case: None)) is None


def test_a_need_that_answers_something_else_is_an_error():
    """A reason is a text; True would say neither."""
    with pytest.raises(RegistrationError, match=r"must return why .* cannot run here, or None; it returned True"):
        requirements.require(*needing(lambda _case: True))


def test_a_loss_that_does_not_take_what_the_network_answers_in_evaluation_cannot_judge_an_epoch():
    """A detector answers boxes then, and its loss wants maps."""

    class Detector(tiny.Net):
        def forward(self, x):
            return super().forward(x) if self.training else {"boxes": super().forward(x)}

    case, plain = needing("validation_loss", model=Detector)
    with pytest.raises(UnavailableError, match="cannot judge what the network answers in evaluation"):
        requirements.require(case, plain)
    requirements.require(*needing("validation_loss"))
