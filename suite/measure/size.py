"""Size: what ships, what it compresses to, and what it computes."""

from __future__ import annotations

import lzma

import torch
from torch import nn

from suite.metrics import measured
from suite.records import Cell, Measurement
from suite.training.devices import autocast, place
from suite.training.loop import Trained
from suite.training.serving import Served


def size(cell: Cell, trained: Trained, served: Served) -> list[Measurement]:
    """Parameters of the trained network, bytes of the served artefact, multiply-accumulates of one input."""
    artefact, exact = serialized(served)
    tier = "exact" if exact else "portable"
    return [
        measured(cell, "parameters", parameters(trained.network)),
        measured(cell, "nonzero_parameters", nonzero_parameters(trained.network)),
        measured(cell, "artefact_bytes", len(artefact), tier=tier),
        measured(cell, "entropy_bytes", len(lzma.compress(artefact))),
        measured(cell, "macs", macs(trained)),
    ]


def parameters(network: nn.Module) -> int:
    """Weights of a network; a tensor that several modules share counts once."""
    return sum(parameter.numel() for parameter in network.parameters())


def nonzero_parameters(network: nn.Module) -> int:
    """Weights that are not exactly zero."""
    return sum(int(torch.count_nonzero(parameter)) for parameter in network.parameters())


def serialized(served: Served) -> tuple[bytes, bool]:
    """The artefact, and whether its length is the same on every machine.

    By default the state dictionary in the safetensors format, whose length depends on names and shapes alone
    (``torch.save`` adds records that change with torch's version).
    """
    if served.recipe.serialize is not None:
        return served.recipe.serialize(served.network), False
    from safetensors.torch import save

    return save(_unshared(served.network)), True


def _unshared(network: nn.Module) -> dict[str, torch.Tensor]:
    """The state dictionary on the CPU, contiguous, tensors that share memory once (the format refuses aliases)."""
    seen: set[tuple[int, int]] = set()
    tensors = {}
    for name, tensor in network.state_dict().items():
        key = (tensor.data_ptr(), tensor.numel())
        if key not in seen or tensor.numel() == 0:
            seen.add(key)
            tensors[name] = tensor.detach().cpu().contiguous().clone()
    return tensors


def macs(trained: Trained) -> int:
    """Multiply-accumulates of one input through the network before quantization: quantized kernels go uncounted."""
    from torch.utils.flop_counter import FlopCounterMode

    recipe = trained.recipe
    inputs = place(recipe.data().train.inputs[:1].to(trained.device), recipe.layout)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad(), autocast(recipe.precision, trained.device):
        trained.network(inputs)
    return int(counter.get_total_flops()) // 2
