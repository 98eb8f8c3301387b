"""Tickets: as sparse as asked for, trained from the early weights of the same seed; the contrast from others."""
# the expected value stands on the left

from contextlib import nullcontext
from operator import attrgetter

import pytest
import tiny
import torch
from technique_samples import composed, trained

from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training import loop
from suite.training.surgery import tickets

NAMES = ["lottery_ticket", "lottery_reinit"]
LAYERS = ("conv.0", "conv.2", "fc1", "fc2")
FREE = "sparsity=0.75,rounds=2,epochs=0"  # masks and rewinding alone


def weights(network):
    return torch.cat([attrgetter(name)(network).weight.detach().flatten() for name in LAYERS])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("epochs", [0, 2])
def test_rounds_reach_the_sparsity_and_training_holds_it(name, epochs):
    """Over the whole network, as a plain network without masks."""
    found = trained(f"{name}(sparsity=0.75,rounds=2,rewind=3,epochs={epochs})").network
    assert round(0.75 * len(weights(found))) == int((weights(found) == 0).sum())
    assert tiny.Net().state_dict().keys() == found.state_dict().keys()
    assert tickets.EARLY not in found.__dict__


def test_the_weights_that_are_left_are_the_first_ones_again():
    """Rewound to step 0: those of the seed before training, bit by bit."""
    found = weights(trained(f"lottery_ticket({FREE},rewind=0)").network)
    first = weights(loop.built(tiny.recipe(), 0))
    assert torch.equal(first[found != 0], found[found != 0])


def test_an_early_step_is_rewound_to_as_it_was():
    """Those after three steps of a training that goes on for twelve."""
    found = weights(trained(f"lottery_ticket({FREE},rewind=3)").network)
    seen = []
    watch = lambda trainee: seen.append(weights(trainee.network)) if trainee.steps == 3 else None  # noqa: E731
    tiny.fitted(callbacks=(watch,))
    assert torch.equal(seen[0][found != 0], found[found != 0])


def test_the_contrast_has_the_ticket_s_mask_and_other_weights():
    """Where nothing is trained after the mask, the masks are the same and no weight is."""
    ticket, other = (weights(trained(f"{name}({FREE},rewind=3)").network) for name in NAMES)
    assert torch.equal(ticket == 0, other == 0)
    assert not (ticket[ticket != 0] == other[ticket != 0]).any()


def test_one_round_prunes_what_training_made_small():
    """The mask is that of the trained network, not of the first weights."""
    found = weights(trained("lottery_ticket(sparsity=0.5,rounds=1,rewind=0,epochs=0)").network)
    whole = weights(tiny.fitted().network).abs()
    assert whole[found == 0].max() <= whole[found != 0].min()


class Recording:
    """A tuner whose training moves every weight, restores what is held and keeps which weights are zero then."""

    def __init__(self, recipe):
        self.recipe, self.splits, self.seed, self.device, self.zeros = recipe, recipe.data(), 0, "cpu", []

    def hold(self, constraint):
        self.held = constraint

    @torch.no_grad()
    def train(self, network, *, epochs):
        assert epochs == 3
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight))
        self.held.restore(network)
        self.zeros.append(weights(network) == 0)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_pruned_stays_pruned(name):
    """Two rounds to 75 percent: a half, and a half of the rest beside it."""
    recipe = composed(f"{name}(sparsity=0.75,rounds=2,rewind=0,epochs=6)")
    tuner = Recording(recipe)
    recipe.finish(loop.built(recipe, 0), tuner)
    first, second = tuner.zeros
    assert (round(0.5 * len(first)), round(0.75 * len(first))) == (int(first.sum()), int(second.sum()))
    assert bool((second | ~first).all())


def test_first_weights_leave_the_random_numbers_of_other_accelerators_alone(monkeypatch):
    """Saving those of all GPUs wakes each of them, and torch warns where there are several."""
    asked = []

    def fork_rng(**options):
        asked.append(options)
        return nullcontext()

    monkeypatch.setattr(torch.random, "fork_rng", fork_rng)
    monkeypatch.setattr(torch.accelerator, "current_device_index", lambda: 1)
    tuner = Recording(tiny.recipe())
    tuner.device = "cuda:1"
    tickets.first_weights(tuner)
    assert [{"devices": (1,), "device_type": "cuda"}] == asked


@pytest.mark.parametrize("name", NAMES)
def test_the_control_trains_for_as_many_epochs_and_rounds_run_at_the_full_rate(name):
    """Of all rounds together."""
    assert "extra_epochs(epochs=6)" == REGISTRY.control(REGISTRY.resolve(f"{name}(rounds=3,epochs=6)")).name
    recipe = composed(f"{name}(rounds=3,epochs=6,sparsity=0.5,rewind=2)")
    assert recipe.learning_rate == recipe.fine_tune_learning_rate
    assert 3 + 6 == len(trained(f"{name}(rounds=3,epochs=6,rewind=2)").epochs)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sparsity=1.0", r"sparsity must be in \[0, 1\), got 1.0"),
        ("rounds=0", "rounds must be 1 or more, got 0"),
        ("rewind=-1", "rewind, a number of steps, must be 0 or more, got -1"),
        ("epochs=-4", "epochs must be 0 or more, got -4"),
        ("rounds=3,epochs=4", "epochs, of all 3 rounds together, must divide by them, got 4"),
    ],
)
def test_values_out_of_range_are_errors(name, given, said):
    """Before anything is trained."""
    with pytest.raises(UsageError, match=f"{name}: {said}"):
        composed(f"{name}({given})")


def test_a_step_behind_the_end_cannot_be_rewound_to():
    """Unavailable, before anything is trained, and not in silence from the first step."""
    with pytest.raises(UnavailableError, match="rewind=13 is beyond the 12 steps"):
        trained("lottery_ticket(rewind=13)")


def test_a_network_that_lost_channels_cannot_be_rewound():
    """Its early weights have other shapes."""
    with pytest.raises(UnavailableError, match="were changed after it was built"):
        trained("low_rank(rank=2,epochs=0)+lottery_ticket(rewind=2)")


def test_two_runs_agree_to_the_last_bit():
    """New weights are the seed's too."""
    for name in NAMES:
        runs = [trained(f"{name}(sparsity=0.5,rounds=2,rewind=2,epochs=2)") for _ in range(2)]
        assert tiny.equal_states(*(tiny.state(run.network) for run in runs))
