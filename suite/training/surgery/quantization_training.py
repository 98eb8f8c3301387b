"""Quantization-aware training to real int8 (PT2E, TorchInductor on x86): fake quantization, then codes.

Jacob et al. 2018, https://arxiv.org/abs/1712.05877: batch normalisation is folded into the rounded weights while
training, and late in training ranges and statistics are frozen, so that weights settle for what will be served.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from suite.training.exporting import export
from suite.training.surgery.static_quantization import check_quantizable, without_float_weights
from suite.training.trees import take

TRAINING = 5  # place of batch_norm's argument


class FakeQuantized(nn.Module):
    """An exported network with rounding in its graph. Ranges are observed in training mode alone, until `freeze`.

    Inputs and outputs are the network's; weights are its own tensors. ``source`` are the network and two items of the
    example that it was exported with: exported graphs cannot be pickled, so another process exports it again.
    """

    def __init__(self, graph: nn.Module, source: tuple[nn.Module, Any]) -> None:
        super().__init__()
        self.graph, self.source, self.frozen = graph, source, False  # a tuple: its weights are not registered twice

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (*self.source, self.state_dict(), self.frozen, self.training)

    def __deepcopy__(self, memo: dict[int, Any]) -> FakeQuantized:
        made = FakeQuantized(copy.deepcopy(self.graph, memo), copy.deepcopy(self.source, memo))
        made.frozen, made.training = self.frozen, self.training
        return made

    def forward(self, x: Any) -> Any:
        return self.graph(x)

    def train(self, mode: bool = True) -> FakeQuantized:  # noqa: FBT001, FBT002  # torch's signature
        from torchao.quantization import pt2e

        if mode != self.training:  # rewrites the graph
            (pt2e.move_exported_model_to_train if mode else pt2e.move_exported_model_to_eval)(self.graph)
        self.training = mode
        self.graph.apply(pt2e.enable_observer if mode and not self.frozen else pt2e.disable_observer)
        if self.frozen:
            self._freeze_norms()
        return self

    def freeze(self) -> None:
        """Keep ranges and running statistics from now on; norms use the statistics that will be served."""
        self.frozen = True
        self.train(self.training)

    def _freeze_norms(self) -> None:
        graph: Any = self.graph
        for node in graph.graph.nodes:
            if node.target is torch.ops.aten.batch_norm.default:
                node.update_arg(TRAINING, False)
        graph.recompile()


def prepared(network: nn.Module, example: Any) -> FakeQuantized:
    """``network`` with fake quantization, whose ranges have seen ``example`` (a tree of two or more items).

    Raises `UnavailableError` where it cannot be exported, or has weights that have no codes of their own.
    """
    check_quantizable(network)
    from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e  # slow to import
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    config = x86.get_default_x86_inductor_quantization_config(is_qat=True)
    quantizer = x86.X86InductorQuantizer().set_global(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao's own deprecations
        graph = _uncounted(export(network.train(), example).module())
        found = FakeQuantized(prepare_qat_pt2e(graph, quantizer), (network, take(example, slice(2))))
        found.eval()
        _observe(found, example)
    return found


def _again(network: nn.Module, example: Any, state: dict[str, Any], frozen: bool, training: bool) -> FakeQuantized:  # noqa: FBT001  # what pickle calls
    made = prepared(network, example)
    made.load_state_dict(state)
    made.frozen = frozen
    return made.train(training)


def _uncounted(graph: nn.Module) -> nn.Module:
    """Without the batches that norms count: the exported graph would go on in evaluation."""
    found: Any = graph
    for node in list(found.graph.nodes):
        if node.target is torch.ops.aten.add_.Tensor and str(node.args[0].target).endswith("num_batches_tracked"):
            found.graph.erase_node(node)
    found.recompile()
    return graph


@torch.no_grad()
def _observe(network: FakeQuantized, example: Any) -> None:
    """First ranges: observers have no buffers before they saw anything. Statistics stay."""
    from torchao.quantization import pt2e

    network.graph.apply(pt2e.enable_observer)
    network(example)
    network.graph.apply(pt2e.disable_observer)


def frozen_after(share: float) -> Callable[[Any], None]:
    """A callback that freezes the network after a share of the epochs of a fine-tuning."""

    def freeze(trainee: Any) -> None:
        for module in trainee.network.modules():
            if isinstance(module, FakeQuantized) and not module.frozen and _past(trainee, share):
                module.freeze()

    return freeze


def _past(trainee: Any, share: float) -> bool:
    return bool(trainee.epoch >= share * trainee.recipe.epochs)


def converted(network: nn.Module) -> nn.Module:
    """The served form of a `FakeQuantized` network: int8 weights and activations; any other stays as it is."""
    if not isinstance(network, FakeQuantized):
        return network
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return without_float_weights(convert_pt2e(network.eval().graph))
