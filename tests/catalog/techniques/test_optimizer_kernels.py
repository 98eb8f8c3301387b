"""The same optimizer by other kernels or in fewer bits, and activations on the host."""
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
from suite.measure.held import held_bytes
from suite.registry import REGISTRY
from suite.training import eight_bit
from suite.training.loop import TrainingStep, start
from suite.training.recipe import Batch


def adamw(parameters, rate):
    made = torch.optim.AdamW(parameters, lr=rate, betas=(0.8, 0.9), weight_decay=0.2)
    made.register_step_pre_hook(clip)
    return made


def clip(optimizer, *_):
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 0.5)


def lbfgs(parameters, rate):
    return torch.optim.LBFGS(parameters, lr=rate)


def case_of(text):
    return tiny.case_of(REGISTRY, text, "digits_cnn")


@pytest.mark.parametrize("name", ["fused_optimizer", "foreach_optimizer"])
@pytest.mark.parametrize("optimizer", [adamw, tiny.recipe().optimizer], ids=["AdamW, clipped", "SGD with momentum"])
def test_other_kernels_train_to_the_same_weights(name, optimizer):
    """But for rounding, after twelve steps."""
    plain = tiny.recipe(optimizer=optimizer, learning_rate=1e-2)
    expected, found = (tiny.state(tiny.fitted(recipe).network) for recipe in (plain, composed(name, plain)))
    torch.testing.assert_close(expected, found, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fused_optimizer", "LBFGS has no fused kernels"),
        ("foreach_optimizer", "LBFGS has no foreach kernels"),
    ],
)
def test_an_optimizer_that_has_no_such_kernels_makes_the_cell_unavailable(name, reason):
    """Before anything is trained."""
    with pytest.raises(UnavailableError, match=reason):
        require(case_of(name), tiny.recipe(optimizer=lbfgs))
    assert require(case_of(name), tiny.recipe()) is None


def test_moments_of_another_rule_are_not_put_into_8_bits():
    """SGD has none; the error names the rule."""
    pytest.importorskip("torchao")
    with pytest.raises(UnavailableError, match="is SGD, neither Adam nor AdamW"):
        require(case_of("adam_8bit"), tiny.recipe())
    with pytest.raises(UnavailableError, match="is SGD, not Adam or AdamW"):
        composed("adam_8bit").optimizer(tiny.Net().parameters(), 0.1)


def large():
    return samples.recipe_of(lambda: nn.Linear(64, 128), torch.randn(32, 64), optimizer=adamw)


@pytest.mark.parametrize(
    ("name", "library"),
    [("adam_8bit", "torchao"), pytest.param("adam_8bit_blockwise", "bitsandbytes", marks=pytest.mark.system)],
)
def test_8_bit_moments_train_nearly_alike_and_hold_a_quarter(monkeypatch, name, library):
    """A layer of 8,192 weights; betas, decay and clipping are the recipe's. Nothing is compiled: betas may change."""
    pytest.importorskip(library)
    monkeypatch.setattr("torch._dynamo.convert_frame.compile_frame", None)
    plain, ends, held = large(), [], []
    for text in ("baseline", name):
        recipe = composed(text, plain)
        trainee = start(recipe, seed=0, device="cpu", reference=tiny.no_reference)
        step = TrainingStep(trainee, total_steps=None)
        part = recipe.data().train
        for _ in range(5):
            step(Batch(inputs=part.inputs, targets=part.targets))
        ends.append(trainee.network.weight.detach())
        held.append(held_bytes(step.optimizer) - held_bytes(trainee.network))
    assert 0 < float((ends[0] - ends[1]).norm()) < 0.05 * float(ends[0].norm())
    assert held[1] < 0.5 * held[0]


@pytest.mark.parametrize(("name", "extra"), [("adam_8bit", "quantization"), ("adam_8bit_blockwise", "bitsandbytes")])
def test_8_bit_moments_name_the_extra_of_a_library_that_is_missing(monkeypatch, name, extra):
    """Of the one that was asked for; another one is not taken for it, as its figures would be others."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=rf"is not installed: pip install 'tradeoff-suite\[{extra}\]'"):
        require(case_of(name), tiny.recipe(optimizer=adamw))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda parameters: torch.optim.Adam(parameters, weight_decay=0.1), "adds weight decay to the gradient"),
        (lambda parameters: torch.optim.AdamW(parameters, amsgrad=True), "no 8-bit Adam with amsgrad"),
    ],
)
def test_another_rule_than_the_recipes_is_refused(make, reason):
    """Its library would train by it without a word."""
    with pytest.raises(UnavailableError, match=reason):
        eight_bit.in_8_bits(make(nn.Linear(2, 2).parameters()), "bitsandbytes")


def test_offloaded_activations_give_the_same_weights_to_the_bit():
    """Copies there and back change no bit; it is wrapped around what an earlier technique prepared."""
    calls = []

    def prepare(network):
        return lambda inputs: calls.append(1) or network(inputs)

    recipe = composed("activation_offload", tiny.recipe(prepare=prepare))
    found = tiny.fitted(recipe)
    assert calls
    assert tiny.equal_states(tiny.state(tiny.fitted().network), tiny.state(found.network))


def test_offloading_keeps_nothing_that_backward_needs_but_what_the_host_holds():
    """Every tensor that is saved in the wrapped forward goes through the copy."""
    network = nn.Linear(4, 4)
    output = replace(composed("activation_offload")).prepare(network)(torch.zeros(2, 4, requires_grad=True))
    assert "cpu" == str(output.grad_fn._raw_saved_mat1.data[0])


def test_there_is_nothing_to_offload_from_a_cpu():
    """The activations lie in the host's memory already."""
    with pytest.raises(UnavailableError, match="no accelerator"):
        require(case_of("activation_offload"), tiny.recipe())
