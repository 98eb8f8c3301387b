"""The network that section 5 of the article prints, as printed and repaired: counts and bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from suite.claims.facts.declare import fact

if TYPE_CHECKING:
    from torch import nn

    from suite.claims.programs.network import ArticleCNN

INPUTS = {"printed": 9216, "repaired": 1600}  # of fc1; two poolings leave 64 * 5 * 5
PIXELS = 224  # of an image; parameters do not depend on it


def simple_cnn(form: str) -> ArticleCNN:
    """The article's SimpleCNN, untrained: ``printed`` (its forward fails) or ``repaired``."""
    import torch

    from suite.claims.programs.network import ArticleCNN

    torch.manual_seed(0)
    return ArticleCNN(INPUTS[form])


def _pruned(network: nn.Module) -> nn.Module:
    """20 % of each convolution's weights masked by magnitude, as section 5 does."""
    from torch import nn
    from torch.nn.utils import prune

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            prune.l1_unstructured(module, name="weight", amount=0.2)
    return network


def _quantized(network: nn.Module) -> nn.Module:
    """Dynamic int8 of Linear and Conv2d, as section 5 asks for it."""
    import warnings

    import torch
    from torch import nn

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated
        made: nn.Module = torch.ao.quantization.quantize_dynamic(network, {nn.Linear, nn.Conv2d}, dtype=torch.qint8)
    return made


MADE: dict[str, Callable[[nn.Module], nn.Module]] = {
    "plain": lambda network: network,
    "pruned": _pruned,
    "int8": _quantized,
}


def _made(form: str, treatment: str) -> nn.Module:
    return MADE[treatment](simple_cnn(form))


@fact
def article_numel(form: str, treatment: str) -> float:
    """What the article's size table counts, numel() of parameters(): of a ``plain``, ``pruned`` or ``int8`` network."""
    return float(sum(parameter.numel() for parameter in _made(form, treatment).parameters()))


@fact
def article_tensor_bytes(form: str, treatment: str) -> float:
    """Bytes of all tensors of the state, masks and packed weights included; without the file's own."""
    import torch

    def size(value: object) -> int:
        if isinstance(value, torch.Tensor):
            return value.numel() * value.element_size() if not value.is_quantized else value.numel()
        return sum(map(size, value)) if isinstance(value, tuple | list) else 0

    return float(sum(size(value) for value in _made(form, treatment).state_dict().values()))


@fact
def article_masked_share(form: str) -> float:
    """The share of all weights that 20 % of each convolution's are."""
    network = _made(form, "pruned")
    masked = sum(int((mask == 0).sum()) for name, mask in network.named_buffers() if name.endswith("mask"))
    return masked / sum(weight.numel() for weight in network.parameters())


@fact
def article_float_convolutions(form: str) -> float:
    """Convolutions that dynamic quantization leaves in float32."""
    from torch import nn

    return float(sum(type(module) is nn.Conv2d for module in _made(form, "int8").modules()))


@fact
def article_macs(form: str) -> float:
    """Multiply-accumulates of one 28 x 28 image."""
    import torch

    from suite.measure.macs import macs_of

    found = macs_of(simple_cnn(form).eval(), torch.zeros(1, 1, 28, 28))
    return float("nan") if found is None else float(found)


@fact
def article_linear_macs_share() -> float:
    """The share of the repaired network's multiply-accumulates that its Linear layers do."""
    linear = INPUTS["repaired"] * 128 + 128 * 10
    return linear / article_macs("repaired")


@fact
def article_flattened() -> float:
    """Values that the two convolutions and poolings leave of a 28 x 28 image."""
    import torch

    return float(simple_cnn("repaired").flattened(torch.zeros(1, 1, 28, 28)).numel())


@fact
def article_separate_parameters() -> float:
    """Parameters of two of the networks as printed, one for each of two tasks of ten classes."""
    return 2 * article_numel("printed", "plain")


@fact
def article_shared_parameters() -> float:
    """Parameters of one of them with a second last layer for the second task."""
    return article_numel("printed", "plain") + 129 * 10


@fact
def mnist_statistic(name: str) -> float:
    """The ``mean`` or ``deviation`` of the pixels of the 5,000 MNIST digits at hand, in [0, 1]."""
    from suite.catalog.datasets import mnist5k

    pixels = mnist5k.load()[0].double() / 255
    return float({"mean": pixels.mean(), "deviation": pixels.std()}[name])


@fact
def published_parameters(name: str) -> float:
    """Parameters of a torchvision network, counted."""
    from suite.claims.torchvision.counts import count

    return float(count(name, PIXELS).parameters)
