"""Networks as users and model hubs have them, made fit for measuring."""
# the expected value stands on the left

from dataclasses import dataclass

import pytest
import tiny
import torch
from torch import nn

from suite.bench.trained_store import TrainedStore
from suite.catalog.scores import classification
from suite.registry import Registry
from suite.training.copying import copied
from suite.training.forms import Form
from suite.training.loop import built
from suite.training.recipe import Recipe, Split, Splits
from suite.training.surgery.adapting import adapted


def splits(form=lambda x: x):
    inputs, targets = torch.arange(60) % 20, torch.arange(12) % 2
    inputs = inputs.reshape(12, 5)
    parts = {"train": slice(0, 8), "test": slice(8, 12)}
    return Splits(**{name: Split(inputs=form(inputs[p]), targets=targets[p]) for name, p in parts.items()})


def named(tokens):
    return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}


@dataclass
class Answer:
    logits: torch.Tensor
    hidden: torch.Tensor | None = None
    loss: torch.Tensor | None = None


class Net(nn.Module):
    """Answers as ``answer`` makes it of logits [B, 2]."""

    def __init__(self, answer=lambda logits: logits):
        super().__init__()
        self.table, self.head, self.answer = nn.Embedding(20, 4), nn.Linear(4, 2), answer

    def forward(self, x):
        return self.answer(self.head(self.table(x).mean(1)))


class Keywords(Net):
    def forward(self, input_ids, attention_mask=None):
        return super().forward(input_ids * attention_mask)


class Pair(Net):
    def forward(self, tokens, mask):
        return super().forward(tokens * mask)


def made(model, data=splits):
    """The network that the suite calls, and its inputs."""
    recipe = adapted(Recipe(data=data, model=model), classifies=True, form=Form())
    return built(recipe, 0), recipe.data().train.inputs


def test_a_builder_that_returns_its_network_again_gives_each_caller_a_copy():
    """What one technique does to it, no other one sees, and the builder's own stays as it is."""
    kept = Net()
    recipe = adapted(Recipe(data=splits, model=lambda: kept), classifies=True, form=Form())
    first, second = built(recipe, 0), built(recipe, 0)
    with torch.no_grad():
        first.head.weight.zero_()
    assert torch.equal(kept.head.weight, second.head.weight)
    assert not torch.equal(first.head.weight, second.head.weight)


def test_seeds_and_techniques_of_a_kept_network_start_from_the_same_weights():
    """A store that trains two seeds of it trains none on from the other."""
    registry, kept = tiny.registry(), tiny.Net()
    before = tiny.state(kept)

    @registry.workload(scores=classification())
    def cached(seed):
        """A builder that keeps its network."""
        return tiny.recipe(seed, model=lambda: kept)

    store = TrainedStore(registry=registry, device="cpu")
    for text in ("baseline", "halved"):
        store.get(registry.find_workload("cached"), registry.resolve(text), 0)
    assert tiny.equal_states(before, tiny.state(kept))


def test_dictionaries_are_passed_as_keywords_where_forward_names_them():
    """``forward(input_ids, attention_mask)``, as tokenizers give them."""
    network, inputs = made(Keywords, lambda: splits(named))
    assert (8, 2) == network(inputs).shape


def test_tuples_are_passed_as_arguments_where_forward_needs_several():
    """``forward(x, mask)``."""
    network, inputs = made(Pair, lambda: splits(lambda x: (x, torch.ones_like(x))))
    assert (8, 2) == network(inputs).shape


def test_a_network_that_takes_and_returns_trees_is_not_wrapped():
    """Names of weights, and so artefacts, stay."""
    assert type(made(Net)[0]) is Net
    assert type(made(lambda: Net(lambda y: (y, {"a": y})))[0]) is Net


def test_a_dataclass_answers_by_name_by_place_and_without_what_is_none():
    """Losses read ``output.logits`` or ``output[0]``; a loss that the network computed itself is left out."""
    network, inputs = made(lambda: Net(lambda y: Answer(y, loss=y.sum())))
    output = network(inputs)
    assert ["logits"] == list(output)
    assert output.logits is output[0] is output["logits"]
    with pytest.raises(AttributeError, match="answered with logits, and no 'hidden'"):
        _ = output.hidden
    assert network.head is network.network.head


def test_none_among_outputs_is_left_out():
    """(logits, None): hidden states that were not asked for."""
    network, inputs = made(lambda: Net(lambda y: (y, None)))
    assert (1, (8, 2)) == (len(network(inputs)), tuple(network(inputs)[0].shape))


def test_lazy_layers_are_made_before_anybody_counts_weights():
    """Optimizers and copies need them."""
    network, _inputs = made(lambda: nn.Sequential(nn.Embedding(20, 4), nn.Flatten(), nn.LazyLinear(2)))
    assert [(20, 4), (2, 20), (2,)] == [tuple(weight.shape) for weight in network.parameters()]
    assert network.training


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_a_layer_that_keeps_a_computed_weight_is_copied():
    """torch.nn.utils.weight_norm: torch itself refuses such a copy; the copy computes with its own weights."""
    layer = nn.utils.weight_norm(nn.Linear(3, 2))
    layer(torch.ones(1, 3))
    again = copied(layer)
    with torch.no_grad():
        again.weight_g.zero_()
    assert torch.equal(again(torch.ones(1, 3)), again.bias[None])
    assert layer(torch.ones(1, 3)).ne(layer.bias).all()


def test_workloads_that_classify_have_the_loss_of_classes():
    """One output is then a logit; a loss of one's own stays."""
    registry = Registry()

    @registry.workload(scores=classification())
    def logit(_seed):
        """One output."""
        return Recipe(data=splits, model=nn.Identity)

    own = lambda _trainee, _batch, output: output.sum()  # noqa: E731
    assert "usual_class_loss" == registry.find_workload("logit").plain(0).loss.__name__
    recipe = adapted(Recipe(data=splits, model=Net, loss=own), classifies=True, form=Form())
    assert own is recipe.loss
