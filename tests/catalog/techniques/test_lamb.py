"""Steps of the length of the weights, in Adam's direction."""
# the expected value stands on the left

import pytest
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.bench.requirements import require
from suite.catalog.techniques.lamb import Lamb
from suite.core.errors import UnavailableError
from suite.registry import REGISTRY


def adamw(parameters, rate):
    return torch.optim.AdamW(parameters, lr=rate, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.1)


def test_two_steps_are_those_of_the_papers_algorithm():
    """By hand, in float64."""
    weight = nn.Parameter(torch.tensor([3.0, -4.0], dtype=torch.float64))
    lamb, expected = Lamb(adamw([weight], 0.1)), weight.detach().clone()
    first = second = torch.zeros(2, dtype=torch.float64)
    for t, gradient in enumerate(torch.tensor([[1.0, 2.0], [-0.5, 1.0]], dtype=torch.float64), 1):
        first, second = 0.8 * first + 0.2 * gradient, 0.9 * second + 0.1 * gradient**2
        update = (first / (1 - 0.8**t)) / ((second / (1 - 0.9**t)).sqrt() + 1e-6) + 0.1 * expected
        expected = expected - 0.1 * expected.norm() / update.norm() * update
        weight.grad = gradient.clone()
        lamb.step()
    torch.testing.assert_close(expected, weight.detach(), rtol=1e-12, atol=0)


def test_a_first_step_has_the_rates_share_of_the_weights_length():
    """A tenth, whatever the gradient's size."""
    for size in (1e-3, 1e3):
        layer = nn.Linear(8, 8, bias=False)
        before = layer.weight.detach().clone()
        layer.weight.grad = size * torch.randn(8, 8)
        Lamb(adamw([layer.weight], 0.1)).step()
        assert 0.1 == pytest.approx(float((layer.weight.detach() - before).norm() / before.norm()), rel=1e-4)


def test_weights_of_no_length_take_adams_step():
    """A bias that begins at zero."""
    bias = nn.Parameter(torch.zeros(3))
    bias.grad = torch.tensor([1.0, -2.0, 3.0])
    Lamb(torch.optim.Adam([bias], lr=0.1)).step()
    torch.testing.assert_close(torch.tensor([-0.1, 0.1, -0.1]), bias.detach())


def test_it_learns_along_one_cycle_and_with_large_batches():
    """The schedule changes its betas; nine of ten right."""
    plain = tiny.recipe(optimizer=adamw, learning_rate=0.03, epochs=8)
    network = tiny.fitted(composed("large_batch(factor=2)+lamb", plain)).network
    test = tiny.splits(0).test
    assert (network(test.inputs).argmax(1) == test.targets).float().mean() > 0.9


def test_other_rules_are_unavailable_and_hooks_are_kept():
    """SGD has no moments; clipping goes on."""
    with pytest.raises(UnavailableError, match="is SGD, neither Adam nor AdamW"):
        require(tiny.case_of(REGISTRY, "lamb", "digits_cnn"), tiny.recipe())
    with pytest.raises(UnavailableError, match="lamb: the recipe's optimizer is SGD, not Adam or AdamW"):
        composed("lamb").optimizer(tiny.Net().parameters(), 0.1)
    called = []

    def clipped(parameters, rate):
        made = adamw(parameters, rate)
        made.register_step_pre_hook(lambda *_: called.append(1))
        return made

    composed("lamb", tiny.recipe(optimizer=clipped)).optimizer(tiny.Net().parameters(), 0.1).step()
    assert [1] == called
