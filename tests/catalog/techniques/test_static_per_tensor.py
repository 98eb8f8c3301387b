"""One scale for all weights of a layer, in the format that has int8 kernels."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest
import technique_samples as samples
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import CompositionError, UnavailableError
from suite.training.surgery.static_quantization import quantizable, quantized


def test_it_is_no_precision_of_its_own_and_excludes_other_quantizers():
    """What composes every technique with int8 takes the one with scales per channel."""
    with pytest.raises(CompositionError, match="use one of them"):
        composed("static_int8_per_tensor+static_int8")
    with pytest.raises(CompositionError, match="cannot be combined with compiled"):
        composed("static_int8_per_tensor+compiled")


@pytest.mark.system  # torchao takes seconds to import
def test_all_channels_have_the_scale_of_the_largest_and_kernels_stay_per_channel():
    """As many scales as there are channels, all alike; the contrast has different ones, its largest the same."""
    pytest.importorskip("torchao")
    plain, inputs, scales = samples.head_first(), torch.randn(16, 6), []
    for name in ("static_int8", "static_int8_per_tensor"):
        torch.manual_seed(0)
        network = composed(name, plain).quantize(plain.model().eval(), inputs)
        found = [node for node in network.graph.nodes if "dequantize_per_channel" in str(node.target)]
        assert 3 == len(found)
        scales.append([network.get_buffer(node.args[1].target) for node in found])
    for several, one in zip(*scales, strict=True):
        assert len(several) == len(one)
        assert 1 == len(one.unique()) < len(several.unique())
        torch.testing.assert_close(several.max(), one[0])


@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated")
def test_a_weight_that_a_hook_computes_is_unavailable_with_what_works():
    """It is no parameter, so that the quantizer finds no weight of the layer."""
    network = nn.Sequential(nn.ReLU(), nn.utils.weight_norm(nn.Linear(3, 2)))
    with pytest.raises(
        UnavailableError, match=r"a hook computes the weight of 1 .* torch\.nn\.utils\.parametrizations"
    ):
        quantized(network, torch.ones(2, 3))


def case_of(network):
    return SimpleNamespace(workload=SimpleNamespace(plain=lambda _seed: SimpleNamespace(model=lambda: network)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_weights_of_another_type_are_unavailable_before_anything_trains(dtype):
    """The observers take float32 alone."""
    said = quantizable(case_of(nn.Linear(4, 2).to(dtype)))
    assert f"weight is {str(dtype)[6:]}, and the observers take float32 alone" in said


def test_a_plain_network_is_quantizable():
    assert quantizable(case_of(nn.Linear(4, 2))) is None
