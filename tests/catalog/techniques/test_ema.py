"""Averaged weights are kept instead of the last ones."""
# the expected value stands on the left

import pytest
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import UsageError
from suite.measure.memory import training_memory


def history(text, plain):
    """The states after every step, and the kept one."""
    states = []
    recipe = composed(text, plain)
    watching = (lambda trainee: states.append(tiny.state(trainee.network)), *recipe.callbacks)
    found = tiny.fitted(composed(text, tiny.recipe(model=plain.model, callbacks=watching[:1])))
    return states, tiny.state(found.network)


class Normed(tiny.Net):
    """With running statistics and a count of batches."""

    def __init__(self, width=1.0):
        super().__init__(width)
        self.conv.append(nn.BatchNorm2d(8))


@pytest.mark.parametrize("decay", [0.5, 0.9])
def test_the_kept_weights_and_statistics_are_the_average(decay):
    """Recomputed from the weights after every step; counts are those of the last one."""
    states, kept = history(f"ema(decay={decay})", tiny.recipe(model=Normed))
    expected = states[0]
    for number, state in enumerate(states[1:], 2):
        share = 1 - min(decay, (1 + number) / (10 + number))
        for name, value in state.items():
            expected[name] = value if not value.is_floating_point() else (1 - share) * expected[name] + share * value
    torch.testing.assert_close(expected, kept)


def test_no_decay_keeps_the_last_weights():
    """The average of one."""
    assert tiny.equal_states(
        tiny.state(tiny.fitted().network), tiny.state(tiny.fitted(composed("ema(decay=0.0)")).network)
    )


def test_runs_of_one_recipe_do_not_share_their_averages():
    """A second seed starts anew."""
    recipe = composed("ema")
    first = tiny.state(tiny.fitted(recipe).network)
    tiny.fitted(recipe, seed=1)
    assert tiny.equal_states(first, tiny.state(tiny.fitted(recipe).network))


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_out_of_range_is_an_error(decay):
    """All of the past would be the first step's weights."""
    with pytest.raises(UsageError, match=rf"ema: decay must be in \[0, 1\), got {decay}"):
        composed(f"ema(decay={decay})")


def test_the_average_is_held_while_training():
    """A copy of the weights is what it costs, and it is counted."""
    held = {}
    for text in ("baseline", "ema"):
        found = training_memory(tiny.BASELINE_CELL, composed(text), reference=tiny.no_reference)
        held[text] = next(one.value for one in found if one.metric == "held_memory_training")
    weights = sum(value.numel() * value.element_size() for value in tiny.Net().state_dict().values())
    assert held["baseline"] + weights == held["ema"]
