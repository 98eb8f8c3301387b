"""The mean of the last epochs' weights, with statistics of its own."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from technique_samples import composed
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.optim.swa_utils import AveragedModel, update_bn

from suite.core.errors import CompositionError, UsageError
from suite.training.schedules import HeldSchedule
from suite.training.surgery import norms


class Normed(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def ends(recipe):
    """The network and the states at the end of each epoch."""
    states = []
    watched = replace(recipe, after_epoch=(*recipe.after_epoch, lambda trainee: states.append(copy(trainee.network))))
    return tiny.fitted(watched).network, states


def copy(network):
    made = type(network)()
    made.load_state_dict(network.state_dict())
    return made


def test_what_is_kept_is_the_mean_that_torchs_own_gives():
    """torch.optim.swa_utils on the same epochs' ends, batch normalisation included."""
    recipe = composed("swa(start=0.25)", tiny.recipe(model=Normed, epochs=4))
    found, states = ends(recipe)
    averaged = AveragedModel(states[1])
    for network in states[1:]:
        averaged.update_parameters(network)
    batches = tiny.batches(tiny.splits(0).train, torch.Generator().manual_seed(0))
    update_bn([batch.inputs for batch in batches], averaged)
    for name, expected in averaged.module.state_dict().items():
        torch.testing.assert_close(expected, tiny.state(found)[name])


def test_the_rate_stays_where_the_schedule_had_brought_it():
    """Half of a cosine over eight steps, then half of the peak."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    held, rates = HeldSchedule(CosineAnnealingLR(optimizer, T_max=8), 4), []
    for _ in range(8):
        optimizer.step()
        held.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert [0.5] * 5 == pytest.approx(rates[3:])


def test_a_training_of_one_epoch_keeps_its_last_weights():
    """The mean of one."""
    recipe = composed("swa", tiny.recipe(epochs=1))
    found, (only,) = ends(recipe)
    assert tiny.equal_states(tiny.state(only), tiny.state(found))


def test_masks_hold_of_the_mean():
    """What was pruned at initialisation is zero in every term."""
    network = tiny.fitted(composed("prune_at_init(sparsity=0.5)+swa")).network
    weights = [weight for weight in network.parameters() if weight.dim() > 1]
    assert sum(int((w == 0).sum()) for w in weights) >= sum(w.numel() for w in weights) // 2


def test_it_excludes_what_keeps_other_weights_and_starts_within_the_training():
    """One of them chooses."""
    with pytest.raises(CompositionError, match="swa cannot be combined with ema"):
        composed("ema+swa")
    for start in (-0.1, 1.0):
        with pytest.raises(UsageError, match=rf"swa: start must be in \[0, 1\), got {start}"):
            composed(f"swa(start={start})")


def test_statistics_are_the_plain_mean_over_batches_and_settings_stay():
    """Two batches of means 1 and 3; momentum and mode are as they were."""
    network = nn.BatchNorm1d(1, momentum=0.3).eval()
    norms.recompute(network, [torch.tensor([[0.0], [2.0]]), torch.tensor([[2.0], [4.0]])])
    assert [2.0, 2.0, 2, 0.3] == [
        float(network.running_mean), float(network.running_var), int(network.num_batches_tracked), network.momentum
    ]  # fmt: skip
    assert not network.training


def test_a_network_without_statistics_costs_no_pass():
    """Its batches are not read."""
    norms.recompute(nn.Linear(1, 1), (pytest.fail("read") for _ in range(1)))
