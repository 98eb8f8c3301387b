"""One network at several widths: the narrow ones are its first channels, with norms of their own.

Slimmable networks, Yu et al. 2019, https://arxiv.org/abs/1812.08928, and how they are trained: the sandwich rule and
in-place distillation, Yu & Huang 2019, https://arxiv.org/abs/1903.05134. A narrow weight is the corner of the wide one
in the shape that the model gives it at that width.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm  # what all batch norms have in common

from suite.core.errors import UnavailableError
from suite.training.surgery.rebuilding import Several, Taught

NORMS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
BETWEEN = 2  # random widths that a step trains beside the smallest and the largest


class Slimmable(nn.Module):
    """Trains at ``widths``, which grow and end with 1; answers at ``width``. Outputs are class scores."""

    def __init__(self, model: Callable[..., nn.Module], widths: tuple[float, ...], width: float) -> None:
        super().__init__()
        self.width, self.whole = width, model(width=widths[-1])
        # a tuple, so that their weights are not registered: only their norms are their own
        self.narrow = tuple((width, model(width=width)) for width in widths[:-1])
        self.norms = nn.ModuleList(nn.ModuleList(_norms(network).values()) for _, network in self.narrow)
        for _, network in self.narrow:
            _shared(self.whole, network)  # raises now where weights are no corners

    def train(self, mode: bool = True) -> Slimmable:  # noqa: FBT001, FBT002  # torch's signature
        for _, network in self.narrow:
            network.train(mode)
        super().train(mode)
        return self

    def forward(self, x: Any) -> Any:
        if self.training:
            return self._sandwich(x)
        chosen = dict(self.narrow).get(self.width)
        return self.whole(x) if chosen is None else _call(self.whole, chosen, x)

    def _sandwich(self, x: Any) -> Several:
        """The whole network, which labels teach, and the smallest and some others, which it teaches."""
        whole = self.whole(x)
        others = [0, *(1 + torch.randperm(len(self.narrow) - 1)[:BETWEEN]).tolist()]
        narrow = (_call(self.whole, self.narrow[place][1], x) for place in others)
        return Several((whole, *(Taught(answer, whole.detach()) for answer in narrow)), (1.0,) * (1 + len(others)))

    @torch.no_grad()
    def extracted(self) -> nn.Module:
        """A plain network of ``width`` with its own copy of the weights."""
        chosen = dict(self.narrow).get(self.width)
        if chosen is None:
            return self.whole
        weights = _shared(self.whole, chosen)
        found = copy.deepcopy(chosen).to(next(iter(weights.values())).device)
        found.load_state_dict(weights, strict=False)  # its norms are there
        return found


def _call(whole: nn.Module, narrow: nn.Module, x: Any) -> Any:
    return functional_call(narrow, _shared(whole, narrow), (x,))


def _shared(whole: nn.Module, narrow: nn.Module) -> dict[str, Tensor]:
    """The corners of the whole network's tensors that stand for the narrow one's, but for its norms."""
    own = tuple(f"{name}." for name in _norms(narrow))
    tensors = {**dict(whole.named_parameters()), **dict(whole.named_buffers())}
    wanted = {**dict(narrow.named_parameters()), **dict(narrow.named_buffers())}
    return {name: _corner(name, tensors, found) for name, found in wanted.items() if not name.startswith(own)}


def _corner(name: str, tensors: dict[str, Tensor], narrow: Tensor) -> Tensor:
    wide = tensors.get(name)
    if wide is None or wide.dim() != narrow.dim() or any(a < b for a, b in zip(wide.shape, narrow.shape, strict=True)):
        raise UnavailableError(f"{name} of the narrow network is no part of the same tensor of the whole one")
    return wide[tuple(slice(size) for size in narrow.shape)]


def _norms(network: nn.Module) -> dict[str, nn.Module]:
    return {name: module for name, module in network.named_modules() if isinstance(module, NORMS)}
