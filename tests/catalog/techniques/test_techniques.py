"""Each built-in technique on a tiny network: it changes what it declares and does what it says."""
# the expected value stands on the left

from inspect import getdoc
from pathlib import Path

import pytest
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from technique_samples import composed, trained
from torch import nn

import suite.catalog
from suite.bench.requirements import KNOWN
from suite.core.errors import UsageError
from suite.registry import REGISTRY
from suite.training import loop
from suite.training.recipe import Batch, Trainee, changed_slots

NAMES = sorted(REGISTRY.techniques)
CATALOG = Path(suite.catalog.__path__[0])
FILES = sorted(file for room in ("techniques", "distributed", "runtimes") for file in (CATALOG / room).glob("*.py"))
MOST_LINES = 80


def accuracy(network):
    test = tiny.splits(0).test
    return float((network(test.inputs).argmax(1) == test.targets).float().mean())


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


# -- what a technique is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_technique_changes_the_slots_that_it_declares_and_no_other(name):
    """Composition is checked by what is declared, so nothing may happen beside it."""
    declared = REGISTRY.find_technique(name)
    before = tiny.recipe()
    assert sorted(declared.slots) == sorted(changed_slots(before, declared.function(before)))


@pytest.mark.parametrize("name", NAMES)
def test_a_technique_needs_only_what_somebody_can_answer(name):
    """A need that nobody knows would be an error in every run."""
    assert {need for need in REGISTRY.find_technique(name).needs if isinstance(need, str)} <= set(KNOWN)


@pytest.mark.parametrize("name", NAMES)
def test_a_technique_says_what_it_does(name):
    """The function's sentence is listed, the module's says where the idea comes from."""
    function = REGISTRY.find_technique(name).function
    assert getdoc(function)
    assert name == function.__name__ == Path(function.__code__.co_filename).stem


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_technique_is_one_short_file(file):
    """Below 80 lines, docstrings included."""
    assert len(file.read_text("utf-8").splitlines()) < MOST_LINES


@pytest.mark.parametrize(
    "text",
    [
        "magnitude_pruning(sparsity=1.0)",
        "magnitude_pruning(sparsity=-0.1)",
        "magnitude_pruning(epochs=-1)",
        "structured_pruning(ratio=1.0)",
        "structured_pruning(ratio=-0.1)",
        "structured_pruning(epochs=-2)",
        "distillation(temperature=0.0)",
        "distillation(weight=1.5)",
        "distillation(width=0.0)",
        "narrow(width=0.0)",
        "narrow(width=1.5)",
        "extra_epochs(epochs=-1)",
    ],
)
def test_a_parameter_out_of_range_is_an_error_that_names_it_and_its_value(text):
    """Before anything is trained."""
    name, _, value = text.partition("(")[2].rstrip(")").partition("=")
    with pytest.raises(UsageError) as error:
        composed(text)
    assert name in str(error.value)
    assert value in str(error.value)


@pytest.mark.parametrize(
    "text", ["distillation(temperature=1e-400)", "magnitude_pruning(sparsity=0)", "narrow(width=1)"]
)
def test_the_ends_of_a_range_belong_to_it_where_they_make_sense(text):
    """Zero sparsity and full width are allowed, zero temperature is not, however it is written."""
    if text.startswith("distillation"):
        with pytest.raises(UsageError, match="temperature"):
            composed(text)
    else:
        assert composed(text)


@pytest.mark.parametrize("name", ["magnitude_pruning", "structured_pruning", "extra_epochs"])
def test_what_finishes_goes_on_from_what_earlier_techniques_finished(name):
    """Composition order: the first technique's ``finish`` comes first."""
    calls = []
    before = tiny.recipe(finish=lambda network, _tuner: calls.append("earlier") or network)
    recipe = composed(f"{name}(epochs=0)", before)
    loop.finish(tiny.fitted(), recipe, reference=tiny.no_reference)
    assert ["earlier"] == calls


FINISHING = ["magnitude_pruning", "structured_pruning", "extra_epochs"]


@pytest.mark.parametrize("epochs", [0, 1])
@pytest.mark.parametrize("text", ["{}+channels_last", "channels_last+{}"])
@pytest.mark.parametrize("name", FINISHING)
def test_what_finishes_keeps_the_layout_of_the_recipe(name, text, epochs):
    """A network that is served in NHWC order has its weights in it, fine-tuned or not."""
    found = trained(text.format(f"{name}(epochs={epochs})")).network
    for module in found.modules():
        if isinstance(module, nn.Conv2d):
            placed = torch.empty_like(module.weight, memory_format=torch.channels_last)
            assert placed.stride() == module.weight.stride()


# -- one by one -------------------------------------------------------------------------------------------------------


def prunable(network):
    return torch.cat([m.weight.detach().flatten() for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)])


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.8])
def test_magnitude_pruning_reaches_its_sparsity_and_holds_it_through_fine_tuning(sparsity, fitted):
    """As many weights are zero after fine-tuning as were pruned, over the whole network."""
    weights = prunable(trained(f"magnitude_pruning(sparsity={sparsity},epochs=2)", fitted=fitted).network)
    assert round(sparsity * len(weights)) == int((weights == 0).sum())


def test_magnitude_pruning_zeroes_the_smallest_weights_of_the_whole_network(fitted):
    """One threshold for all layers: without fine-tuning what is left is as it was, and larger than what went."""
    before, after = prunable(fitted.network), prunable(trained("magnitude_pruning(epochs=0)", fitted=fitted).network)
    left = after != 0
    assert torch.equal(before[left], after[left])
    assert before[~left].abs().max() <= before[left].abs().min()


def test_magnitude_pruning_leaves_a_plain_network(fitted):
    """No masks, no hooks: the state dictionary has the names that it had."""
    pruned = trained("magnitude_pruning(epochs=1)", fitted=fitted).network
    assert fitted.network.state_dict().keys() == pruned.state_dict().keys()
    assert not any(module._forward_pre_hooks for module in pruned.modules())


def test_magnitude_pruning_fine_tunes_what_is_left(fitted):
    """Epochs after pruning change the weights that survive."""
    after = [prunable(trained(f"magnitude_pruning(epochs={epochs})", fitted=fitted).network) for epochs in (0, 1)]
    assert torch.equal(after[0] == 0, after[1] == 0)
    assert not torch.equal(*after)


def test_structured_pruning_removes_channels_and_leaves_the_output_layer(fitted):
    """Half the channels and hidden units are gone, with the weights that read them; all classes are still there."""
    network = trained("structured_pruning(ratio=0.5,epochs=1)", fitted=fitted).network
    assert (4, 4, 8, 2) == (
        network.conv[0].out_channels,
        network.conv[2].out_channels,
        network.fc1.out_features,
        network.fc2.out_features,
    )
    assert (4, 36, 8) == (network.conv[2].in_channels, network.fc1.in_features, network.fc2.in_features)
    assert torch.Size([5, 2]) == network(torch.zeros(5, 1, 8, 8)).shape


def test_structured_pruning_of_nothing_changes_nothing(fitted):
    """A ratio of 0 without fine-tuning is the identity."""
    network = trained("structured_pruning(ratio=0.0,epochs=0)", fitted=fitted).network
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(network))


@pytest.mark.parametrize("text", ["structured_pruning(epochs=1)", "magnitude_pruning(epochs=1)"])
def test_pruning_is_the_same_every_time(text, fitted):
    """Two runs agree to the last bit."""
    assert tiny.equal_states(*(tiny.state(trained(text, fitted=fitted).network) for _ in range(2)))


@pytest.mark.parametrize("width", [0.1, 0.25, 1.0])
def test_the_student_of_distillation_has_the_shapes_of_its_control(width):
    """Same student, taught by labels alone: that is the comparison."""
    student = REGISTRY.resolve(f"distillation(width={width})")
    shapes = [
        {name: tensor.shape for name, tensor in composition.apply(tiny.recipe()).model().state_dict().items()}
        for composition in (student, REGISTRY.control(student))
    ]
    assert shapes[0] == shapes[1]


def test_narrow_networks_can_be_narrowed_again():
    """Widths multiply, so techniques that scale the model compose."""
    assert 2 == composed("narrow(width=0.5)+narrow(width=0.5)").model().conv[0].out_channels
    assert 4 == composed("narrow(width=0.5)").model().conv[0].out_channels


def loss_of(recipe, output, teacher):
    """The loss of a recipe for one output, with ``teacher``'s output for whatever is asked of it."""
    batch = Batch(inputs=torch.zeros(len(output), 1, 8, 8), targets=torch.zeros(len(output), dtype=torch.long))
    asked = []

    def reference(composition):
        asked.append(composition)
        return lambda _inputs: teacher

    identity = nn.Identity()
    trainee = Trainee(recipe=recipe, network=identity, forward=identity, device="cpu", seed=0, reference=reference)
    return recipe.loss(trainee, batch, output), asked


def test_distillation_weighs_softened_outputs_and_labels_as_its_page_says():
    """weight * T^2 * KL(teacher / T || student / T) + (1 - weight) * the loss on labels."""
    output, teacher = torch.tensor([[1.0, -1.0], [0.5, 2.0]]), torch.tensor([[3.0, 0.0], [-1.0, 1.0]])
    found, asked = loss_of(composed("distillation(temperature=2.0,weight=0.7)"), output, teacher)
    p, q = (teacher / 2).softmax(1), (output / 2).softmax(1)
    kl = (p * (p / q).log()).sum(1).mean()
    hard = F.cross_entropy(output, torch.zeros(2, dtype=torch.long))
    assert pytest.approx(float(0.7 * 4 * kl + 0.3 * hard)) == float(found)
    assert ["baseline"] == asked


def test_distillation_without_weight_is_the_control():
    """Only the labels are left."""
    output = torch.tensor([[1.0, -1.0]])
    found, _ = loss_of(composed("distillation(weight=0.0)"), output, torch.tensor([[9.0, 0.0]]))
    assert pytest.approx(float(F.cross_entropy(output, torch.tensor([0])))) == float(found)


@pytest.mark.parametrize("text", ["distillation(width=0.5)", "distillation(width=0.5)+channels_last"])
def test_distillation_trains_on_a_real_teacher(text, fitted):
    """The student learns from the trained baseline in any layout, and the teacher's weights stay."""
    before = tiny.state(fitted.network)
    recipe = composed(text, tiny.recipe(epochs=8))
    student = loop.fit(recipe, seed=0, device="cpu", reference=lambda _: fitted.network, goal=None, report=None)
    assert accuracy(student.network) > 0.9
    assert tiny.equal_states(before, tiny.state(fitted.network))


def test_extra_epochs_train_on_and_change_nothing_else(fitted):
    """As many epochs as asked for, on the same structure; none are none."""
    longer = trained("extra_epochs(epochs=2)", fitted=fitted)
    assert len(fitted.epochs) + 2 == len(longer.epochs)
    assert tiny.equal_states(
        tiny.state(fitted.network), tiny.state(trained("extra_epochs(epochs=0)", fitted=fitted).network)
    )


@pytest.mark.parametrize(
    ("text", "dtype", "scaled"), [("amp_bf16", torch.bfloat16, False), ("amp_fp16", torch.float16, True)]
)
def test_mixed_precision_scales_gradients_where_the_range_is_small(text, dtype, scaled):
    """float16 underflows without scaling; bfloat16 has float32's range."""
    precision = composed(text).precision
    assert (dtype, scaled) == (precision.autocast, precision.scale_gradients)


def test_the_baseline_is_the_plain_recipe():
    """Not a copy of it: the very same."""
    plain = tiny.recipe()
    assert plain is composed("baseline", plain)
    assert plain is REGISTRY.find_technique("baseline").function(plain)
