"""Techniques on other networks than the built-in ones: they hold, or say that they cannot."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed, trained
from torch import nn

from suite.bench.requirements import require
from suite.bench.resolved_cell import Case
from suite.catalog.scores import regression
from suite.core.errors import UnavailableError
from suite.core.records import Cell
from suite.measure.size import serialized
from suite.registry import REGISTRY, Workload
from suite.training.loop import FineTuner
from suite.training.serving import predict, serve
from suite.training.surgery.casting import Cast


def structure(text, plain):
    """What a technique makes of an untrained network."""
    recipe = composed(text, plain)
    network = recipe.model().eval()
    tuner = FineTuner(
        recipe=recipe, splits=recipe.data(), device="cpu", seed=0, reference=tiny.no_reference, trains=False
    )
    return recipe.finish(network, tuner)


# -- magnitude pruning ------------------------------------------------------------------------------------------------


def matrices(network):
    return [weight.detach() for weight in network.parameters() if weight.dim() >= 2]


@pytest.mark.parametrize("epochs", [0, 3])
def test_magnitude_pruning_holds_on_attention_to_the_weight(epochs):
    """Attention reads its projections without calling a layer; three epochs of updates bring no weight back."""
    found = trained(f"magnitude_pruning(sparsity=0.7,epochs={epochs})", samples.attention()).network
    weights = matrices(found)
    total = sum(weight.numel() for weight in weights)
    assert round(0.7 * total) == sum(int((weight == 0).sum()) for weight in weights)
    assert (found.layer.self_attn.out_proj.weight == 0).any()
    assert (found.layer.self_attn.in_proj_weight == 0).any()


def test_magnitude_pruning_leaves_biases_scales_and_tables_of_words():
    """They are few and matter, or are read row by row."""
    found = structure("magnitude_pruning(sparsity=0.9)", samples.words())
    assert not (found.table.weight == 0).any()
    assert not (found.hidden.bias == 0).any()
    assert round(0.9 * (64 + 24)) == sum(int((w == 0).sum()) for w in (found.hidden.weight, found.head.weight))
    encoder = structure("magnitude_pruning(sparsity=0.9)", samples.attention()).layer
    assert (encoder.norm1.weight == 1).all()


class Tied(nn.Module):
    """Two layers that share a weight; inputs and outputs [B, 6]."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 6), nn.Linear(6, 6)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def test_a_shared_weight_is_pruned_once():
    """18 of 36 weights, not 36 of 72."""
    found = trained("magnitude_pruning(sparsity=0.5,epochs=1)", samples.recipe_of(Tied, torch.randn(16, 6))).network
    assert 18 == int((found.first.weight == 0).sum())
    assert found.first.weight is found.second.weight


def test_magnitude_pruning_says_that_there_is_nothing_to_prune():
    """A network of scales alone."""
    with pytest.raises(UnavailableError, match="no weight of two or more dimensions"):
        structure("magnitude_pruning", samples.recipe_of(lambda: nn.LayerNorm(6), torch.randn(4, 6)))


# -- structured pruning -----------------------------------------------------------------------------------------------


def test_the_output_layer_is_the_one_that_answers_wherever_it_is_registered():
    """Registered first and called last: its three outputs stay, all else is halved."""
    found = trained("structured_pruning(ratio=0.5,epochs=1)", samples.head_first()).network
    assert (8, 4, 3) == (found.body.out_features, found.middle.out_features, found.head.out_features)
    assert (6, 8, 4) == (found.body.in_features, found.middle.in_features, found.head.in_features)
    assert (5, 3) == tuple(found(torch.zeros(5, 6)).shape)


def test_volumes_lose_channels_too():
    """Three-dimensional convolutions."""
    found = trained("structured_pruning(ratio=0.5,epochs=1)", samples.volumes()).network
    assert (4, 2, 3) == (found.first.out_channels, found.second.out_channels, found.head.out_features)
    assert (5, 3) == tuple(found(torch.zeros(5, 1, 4, 4, 4)).shape)


def test_every_hidden_layer_is_pruned_however_memory_is_used_again():
    """Layers that follow one another directly: a result that was freed is not taken for the network's output."""
    plain = samples.recipe_of(lambda: nn.Sequential(*(nn.Linear(512, 512) for _ in range(6))), torch.randn(4, 512))
    found = structure("structured_pruning(ratio=0.5)", plain)
    assert [256] * 5 + [512] == [layer.out_features for layer in found]


class TwoHeads(nn.Module):
    """Two outputs [B, 3] and [B, 4] from one hidden layer; inputs [B, 6]."""

    def __init__(self):
        super().__init__()
        self.first, self.hidden, self.second = nn.Linear(8, 3), nn.Linear(6, 8), nn.Linear(8, 4)

    def forward(self, x):
        hidden = torch.relu(self.hidden(x))
        return {"first": self.first(hidden), "second": self.second(hidden)}


def test_every_output_keeps_its_channels():
    """A network that answers twice has two output layers."""
    plain = replace(samples.head_first(), model=TwoHeads)
    found = structure("structured_pruning(ratio=0.5)", plain)
    assert (4, 3, 4) == (found.hidden.out_features, found.first.out_features, found.second.out_features)


class Softmax(samples.HeadFirst):
    """Its answer is no layer's own."""

    def forward(self, x):
        return super().forward(x).softmax(1)


def test_where_no_layer_answers_the_last_one_that_ran_is_kept():
    """Probabilities of three classes stay three."""
    found = structure("structured_pruning(ratio=0.5)", samples.recipe_of(Softmax, torch.randn(16, 6)))
    assert (8, 3) == (found.body.out_features, found.head.out_features)


class FixedSize(nn.Module):
    """Reshapes to a size that is written down, as detection heads do; inputs [B, 6], outputs [B, 3]."""

    def __init__(self):
        super().__init__()
        self.hidden, self.head = nn.Linear(6, 8), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.hidden(x).reshape(-1, 2, 4).mean(1))


@pytest.mark.parametrize("model", [FixedSize, lambda: nn.Linear(6, 3)], ids=["a size written down", "one layer"])
def test_structured_pruning_says_that_it_cannot(model):
    """Before anything is trained: the cell is unavailable, and nothing is measured under its name."""
    with pytest.raises(UnavailableError, match="structured_pruning: torch-pruning "):
        structure("structured_pruning(ratio=0.5)", samples.recipe_of(model, torch.randn(16, 6)))


# -- narrow networks --------------------------------------------------------------------------------------------------


def case_of(text, plain, source="train"):
    composition = REGISTRY.resolve(text)
    workload = Workload(name="mine", recipe=lambda _seed: plain, scores=regression(), source=source)
    cell = Cell(workload="mine", technique=composition.name, device="cpu")
    return Case(cell=cell, workload=workload, composition=composition, control=REGISTRY.control(composition))


def flexible(**options):
    return tiny.Net(**options)


@pytest.mark.parametrize("name", ["narrow", "distillation"])
def test_a_model_that_takes_no_width_cannot_be_narrowed(name):
    """Unavailable with the reason, instead of a TypeError in the middle of a run."""
    plain = samples.head_first()
    with pytest.raises(UnavailableError, match="the model of mine takes no width=, a factor on its channels"):
        require(case_of(name, plain), plain)
    for model in (tiny.Net, flexible):
        wide = replace(tiny.recipe(), model=model)
        assert require(case_of(name, wide), wide) is None


def test_distillation_needs_classes():
    """Softened outputs are probabilities of classes."""
    plain = replace(samples.head_first(), model=lambda width=1.0: samples.HeadFirst() if width else None)
    with pytest.raises(UnavailableError, match="mine has no class scores"):
        require(case_of("distillation", plain), plain)


@pytest.mark.parametrize(
    ("name", "plain", "expected"),
    [
        ("channels_last", samples.head_first, "no images"),
        ("channels_last", samples.volumes, "no images"),
    ],
)
def test_what_a_technique_needs_of_the_data_is_said_where_it_is_missing(name, plain, expected):
    """With the workload's name."""
    with pytest.raises(UnavailableError, match=f"the inputs of mine are .*{expected}"):
        require(case_of(name, plain()), plain())


@pytest.mark.parametrize("name", ["narrow", "amp_bf16"])
def test_a_checkpoint_is_not_trained_another_way(name):
    """What changes training from its first step has nothing to change; what only casts or deploys does."""
    plain = tiny.recipe()
    if name == "narrow":
        with pytest.raises(UnavailableError, match=r"comes trained .*changes how it is trained \(model\)"):
            require(case_of(name, plain, source="checkpoint"), plain)
    else:
        assert require(case_of(name, plain, source="checkpoint"), plain) is None


# -- half precision ---------------------------------------------------------------------------------------------------


def bytes_of(network):
    return sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())


@pytest.mark.parametrize(("name", "dtype"), [("pure_bf16", torch.bfloat16), ("pure_fp16", torch.float16)])
def test_half_precision_halves_the_bytes_and_casts_once(name, dtype):
    """The served copy's weights are cast, the trained network's are not, and answers stay close in float32."""
    plain = tiny.fitted()
    recipe = composed(name)
    served = serve(replace(plain, recipe=recipe))
    assert isinstance(served.network, Cast)
    assert {dtype} == {weight.dtype for weight in served.network.parameters()}
    assert {torch.float32} == {weight.dtype for weight in plain.network.parameters()}
    assert bytes_of(plain.network) == 2 * bytes_of(served.network)
    full, half = (len(serialized(found)[0]) for found in (serve(plain), served))
    assert half < 0.6 * full  # names and shapes are not halved
    inputs = tiny.splits(0).test.inputs
    torch.testing.assert_close(plain.network(inputs).detach(), predict(served, inputs, batch=16), rtol=0.1, atol=0.1)


def test_half_precision_goes_on_from_what_was_quantized_before():
    """Composition order: the earlier technique's ``quantize`` comes first."""
    seen = []
    recipe = composed("pure_bf16", tiny.recipe(quantize=lambda network, inputs: seen.append(len(inputs)) or network))
    recipe.quantize(tiny.Net(), torch.zeros(3, 1, 8, 8))
    assert [3] == seen


# -- int8 -------------------------------------------------------------------------------------------------------------


def quantized(plain, count=16):
    pytest.importorskip("torchao")
    recipe = composed("static_int8", plain())
    torch.manual_seed(0)
    network, inputs = recipe.model().eval(), recipe.data().train.first(count).inputs
    with torch.no_grad():
        before = network(inputs)
        return recipe, recipe.quantize(network, inputs), inputs, before


INT8 = [samples.words, samples.one_relu, samples.pair, samples.head_first]


@pytest.mark.system
@pytest.mark.parametrize("plain", INT8, ids=["whole numbers in", "one ReLU twice", "a dictionary in", "values in"])
def test_static_int8_answers_nearly_as_the_network_does(plain):
    """Within a tenth of the outputs' size, for any number of items, from weights that are int8."""
    _, network, inputs, before = quantized(plain)
    with torch.no_grad():
        after = network(inputs)
    assert 0 < float((before - after).norm()) < 0.1 * float(before.norm())
    assert torch.int8 in {tensor.dtype for tensor in network.state_dict().values()}


@pytest.mark.system
def test_a_relu_that_is_called_twice_is_quantized_around_both_calls():
    """Strict tracing makes each call a node of its own; a shared one would join what follows different layers."""
    _, network, _, _ = quantized(samples.one_relu)
    calls = [node for node in network.graph.nodes if node.op == "call_function" and "relu" in str(node.target)]
    assert 2 == len(calls)


@pytest.mark.system
@pytest.mark.parametrize("plain", [samples.words, samples.pair], ids=["whole numbers in", "a dictionary in"])
def test_what_static_int8_ships_is_loaded_to_the_same_answers(plain, tmp_path):
    """The exported program stands alone, and its length does not depend on where the suite lies."""
    recipe, network, inputs, _ = quantized(plain)
    path = tmp_path / "network.pt2"
    path.write_bytes(recipe.runtime.encode(network))
    with torch.no_grad():
        torch.testing.assert_close(network(inputs), torch.export.load(path).module()(inputs))
    assert b"technique_samples.py" not in path.read_bytes()


class Undecided(nn.Module):
    """Goes another way for other data; inputs and outputs [B, 6]."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x):
        return self.layer(x) if float(x.sum()) > 0 else x


@pytest.mark.system
def test_static_int8_says_that_a_network_cannot_be_traced():
    """Unavailable, with torch's own reason."""
    with pytest.raises(UnavailableError, match=r"torch.export cannot trace this network \(\w+"):
        quantized(lambda: samples.recipe_of(Undecided, torch.ones(16, 6)))


@pytest.mark.system
@pytest.mark.parametrize("plain", [samples.words, samples.one_relu], ids=["whole numbers in", "one ReLU twice"])
def test_compiled_int8_answers_as_the_quantized_network_does(plain):
    """The whole way, through TorchInductor."""
    recipe, network, inputs, _ = quantized(plain)
    served = serve(replace(tiny.fitted(replace(recipe, epochs=0)), recipe=recipe))
    with torch.no_grad():
        expected = network(inputs)
    assert float((expected - predict(served, inputs, batch=8)).norm()) < 0.05 * float(expected.norm())
