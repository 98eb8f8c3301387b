"""Hidden matrices take orthogonal steps, all other weights those of the recipe's Adam."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import technique_samples as samples
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.bench.requirements import require
from suite.core.errors import UnavailableError
from suite.registry import REGISTRY
from suite.training.loop import TrainingStep, start
from suite.training.recipe import Batch


def adamw(parameters, rate):
    made = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.2)
    made.register_step_pre_hook(lambda optimizer, *_: seen.append(len(optimizer.param_groups)))
    return made


seen = []


def step_of(text, plain, total_steps=None):
    return TrainingStep(
        start(composed(text, plain), seed=0, device="cpu", reference=tiny.no_reference), total_steps=total_steps
    )


def batch():
    return next(tiny.batches(tiny.splits(0).train, torch.Generator().manual_seed(0)))


def test_hidden_matrices_go_to_muon_and_all_else_to_the_recipes_own():
    """Filters, biases and the output layer are no hidden matrices."""
    step = step_of("muon", tiny.recipe(optimizer=adamw))
    network = step.trainee.network
    muon, rest = step.optimizer.param_groups
    assert [network.fc1.weight] == muon["params"]
    assert len(list(network.parameters())) - 1 == len(rest["params"])
    assert [0.2, 0.2] == [muon["weight_decay"], rest["weight_decay"]]


def test_a_step_is_muons_for_hidden_matrices_and_the_recipes_for_all_others():
    """torch's own rule on the same gradient; the others to the bit."""
    plain = tiny.recipe(optimizer=lambda p, rate: torch.optim.AdamW(p, lr=rate, weight_decay=0.1), learning_rate=1e-3)
    step, other = step_of("muon", plain), step_of("baseline", plain)
    alone = nn.Parameter(step.trainee.network.fc1.weight.detach().clone())
    for one in (step, other):
        one(batch())
    alone.grad = other.trainee.network.fc1.weight.grad
    torch.optim.Muon([alone], lr=1e-3, weight_decay=0.1, adjust_lr_fn="match_rms_adamw").step()
    expected, found = tiny.state(other.trainee.network), tiny.state(step.trainee.network)
    assert {"fc1.weight"} == {name for name in expected if not torch.equal(expected[name], found[name])}
    torch.testing.assert_close(alone.detach(), found["fc1.weight"])


def test_embeddings_and_the_output_layer_stay_with_adam():
    """Of a table, a hidden layer and a head the hidden one alone."""
    step = step_of("muon", replace(samples.words(), optimizer=adamw))
    assert [step.trainee.network.hidden.weight] == step.optimizer.param_groups[0]["params"]


def test_a_schedule_and_hooks_serve_both():
    """OneCycle changes rate and betas of all groups; a hook is called once a step, with all of them."""
    plain = tiny.recipe(optimizer=adamw, learning_rate=0.01)
    step = step_of("muon", plain, total_steps=10)
    seen.clear()
    for _ in range(3):
        step(batch())
    rates = {group["lr"] for group in step.optimizer.param_groups}
    assert 1 == len(rates)
    assert [2, 2, 2] == seen
    assert {id(weight) for group in step.optimizer.param_groups for weight in group["params"]} == {
        id(weight) for weight in step.optimizer.state
    }


def test_it_learns():
    """Nine of ten right."""
    network = tiny.fitted(composed("muon", tiny.recipe(optimizer=adamw, learning_rate=0.01, epochs=6))).network
    test = tiny.splits(0).test
    assert (network(test.inputs).argmax(1) == test.targets).float().mean() > 0.9


def test_other_rules_and_networks_without_hidden_matrices_are_unavailable():
    """Before anything is trained."""
    case = tiny.case_of(REGISTRY, "muon", "digits_cnn")
    require(case, case.workload.plain(0))
    with pytest.raises(UnavailableError, match="is SGD, neither Adam nor AdamW"):
        require(case, tiny.recipe())
    with pytest.raises(UnavailableError, match="muon: the recipe's optimizer is SGD, not Adam or AdamW"):
        step_of("muon", tiny.recipe())
    lone = tiny.registry()

    @lone.workload(source="none")
    def linear(_seed):
        """One layer, which makes the outputs."""
        return samples.recipe_of(lambda: nn.Linear(4, 3), torch.randn(8, 4))

    found = REGISTRY.find_technique("muon").needs[-1](tiny.case_of(lone, "baseline", "linear"))
    assert "the network of linear has no matrix between its embeddings and its output layer" == found


def test_a_loss_without_hidden_gradients_is_stepped_all_the_same():
    """What has no gradient stays."""
    step = step_of("muon", tiny.recipe(optimizer=adamw))
    weight = step.trainee.network.fc1.weight
    before = weight.detach().clone()
    weight.requires_grad_(False)
    step(Batch(inputs=batch().inputs, targets=batch().targets))
    assert torch.equal(before, weight)
