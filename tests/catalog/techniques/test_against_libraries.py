"""Techniques against a library that has the same one: to the last digit, or to the rounding of another order.

What has a file of its own is compared there: masks of each layer, smoothed labels, the best factors of a rank, the
cubic ramp, checkpointed gradients, 8-bit moments, stochastic weight averaging, criteria that stop training.
"""
# the expected value stands on the left

import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from technique_samples import composed, trained
from torch import nn
from torch.ao.quantization.observer import PerChannelMinMaxObserver
from torch.nn.utils import prune
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel
from torchvision.models import mobilenetv2

from suite.training.distilling import soft_loss
from suite.training.serving import serve
from suite.training.surgery.bottlenecks import InvertedResidual

LAYERS = ("conv.0", "conv.2", "fc1", "fc2")
PEAK = 0.4


@pytest.mark.parametrize("decay", [0.5, 0.9])
def test_ema_is_the_average_of_torchs_averaged_model(decay):
    """With the warm-up of the decay, ``(1 + n) / (10 + n)``, which timm and TensorFlow have, too."""
    averaged = []

    def watch(trainee):
        if not averaged:
            averaged.append(AveragedModel(trainee.network, avg_fn=blended, use_buffers=True))
        averaged[0].update_parameters(trainee.network)

    def blended(mean, value, count):
        kept = min(decay, (2 + int(count)) / (11 + int(count)))  # torch counts the first update as none
        return kept * mean + (1 - kept) * value

    found = tiny.fitted(composed(f"ema(decay={decay})", tiny.recipe(callbacks=(watch,))))
    torch.testing.assert_close(tiny.state(averaged[0].module), tiny.state(found.network))


@pytest.mark.parametrize("sparsity", [0.3, 0.8])
def test_magnitude_pruning_masks_what_torchs_global_pruning_masks(sparsity):
    """One threshold over all layers."""
    fitted = tiny.fitted()
    found = trained(f"magnitude_pruning(sparsity={sparsity},epochs=0)", fitted=fitted).network
    reference = tiny.Net()
    reference.load_state_dict(fitted.network.state_dict())
    pruned = [(reference.get_submodule(name), "weight") for name in LAYERS]
    prune.global_unstructured(pruned, pruning_method=prune.L1Unstructured, amount=sparsity)
    for name in LAYERS:
        assert torch.equal(reference.get_submodule(name).weight, found.get_submodule(name).weight), name


@given(temperature=st.floats(0.5, 20), seed=st.integers(0, 99))
def test_distillation_is_torchs_divergence_of_the_teacher_from_the_student(temperature, seed):
    """In this order, and as a mean over items."""
    torch.manual_seed(seed)
    student, teacher = torch.randn(5, 7), torch.randn(5, 7)
    expected = nn.KLDivLoss(reduction="batchmean")(
        (student / temperature).log_softmax(1), (teacher / temperature).softmax(1)
    )
    torch.testing.assert_close(expected, soft_loss(student, teacher, temperature))


SCHEDULES = {
    "one_cycle": lambda made, steps: lr_scheduler.OneCycleLR(made, PEAK, total_steps=steps),
    "cosine": lr_scheduler.CosineAnnealingLR,
    "warm_restarts(cycles=2,growth=2)": lambda made, steps: lr_scheduler.CosineAnnealingWarmRestarts(
        made, steps // 3, 2
    ),
    "constant_lr": lambda made, steps: lr_scheduler.ConstantLR(made, factor=1.0, total_iters=steps),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_have_the_rates_of_torchs_own(name):
    """Step by step, from the recipe's peak."""

    def rates(made_by):
        made = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=PEAK, momentum=0.9)
        schedule = made_by(made)
        found = []
        for _ in range(30):
            found.append(made.param_groups[0]["lr"])
            made.step()
            schedule.step()
        return found

    ours = rates(lambda made: composed(name).schedule(made, PEAK, 30))
    assert pytest.approx(rates(lambda made: SCHEDULES[name](made, 30))) == ours


def test_weight_only_int8_rounds_no_worse_than_torchs_observer_of_each_channel():
    """Symmetric steps of each row's largest weight."""
    fitted = tiny.fitted()
    weight = fitted.network.fc1.weight.detach()
    observer = PerChannelMinMaxObserver(ch_axis=0, dtype=torch.qint8, qscheme=torch.per_channel_symmetric)
    observer(weight)
    scales, zeros = observer.calculate_qparams()
    expected = torch.fake_quantize_per_channel_affine(weight, scales, zeros.int(), 0, -127, 127)
    found = trained("weight_only_int8", fitted=fitted)
    rounded = serve(found).network.fc1.weight.dequantize()
    assert float((rounded - weight).abs().max()) <= 1.01 * float((expected - weight).abs().max())


@given(channels=st.integers(1, 6), expansion=st.sampled_from((2, 6)), seed=st.integers(0, 99))
@settings(max_examples=20)
def test_an_inverted_residual_is_torchvisions(channels, expansion, seed):
    """The same layers in the same order, so the same answers from the same weights."""
    torch.manual_seed(seed)
    reference = mobilenetv2.InvertedResidual(channels, channels, stride=1, expand_ratio=expansion).eval()
    ours = InvertedResidual(channels, expansion).eval()
    ours.load_state_dict(dict(zip(ours.state_dict(), reference.state_dict().values(), strict=True)))
    inputs = torch.randn(2, channels, 5, 5)
    assert torch.equal(reference(inputs), ours(inputs))
