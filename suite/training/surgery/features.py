"""What a layer of a network puts out while the network is called: forward hooks that are there for the call alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from suite.core.errors import UnavailableError, UsageError

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class WatchedFeatures:
    """Calls ``forward``, a network's prepared form, and keeps what the network's layer ``name`` put out last.

    Features have channels last: [B, ..., C], so that layers of any dimension compare alike.
    """

    def __init__(self, network: nn.Module, name: str, forward: Callable[[Any], Any] | None = None) -> None:
        self.layer = network.get_submodule(name)
        self.forward = forward or network
        self.features: Tensor | None = None

    def __call__(self, inputs: Any) -> Any:
        self.features = None
        hook = self.layer.register_forward_hook(self._keep)
        try:
            return self.forward(inputs)
        finally:
            hook.remove()

    def _keep(self, layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        self.features = output if isinstance(layer, nn.Linear) else output.movedim(1, -1)

    def seen(self) -> Tensor:
        """The features of the last call. Raises `UnavailableError` where the layer was not called."""
        if self.features is None:
            raise UnavailableError("the layer to take features from was not called; name another one")
        return self.features


def named_layer(technique: str, network: nn.Module, name: str) -> str:
    """``name`` where it is a Linear or convolution of the network; for "" the middle one of the hidden ones.

    Raises `UsageError` for another name, `UnavailableError` for a network with fewer than two such layers.
    """
    names = [found for found, module in network.named_modules() if isinstance(module, LAYERS)]
    if name and name not in names:
        raise UsageError(f"{technique}: layer must be one of {', '.join(names)}, got {name!r}")
    if len(names) <= 1:
        raise UnavailableError(f"{technique}: the network has no hidden Linear layer or convolution to take hints from")
    return name or names[(len(names) - 1) // 2]


def hint_loss(student: Tensor, teacher: Tensor, regressor: nn.Module) -> Tensor:
    """Mean squared error of regressed features [B, ..., C], over the mean square of the teacher's: no unit is left."""
    error: Tensor = regressor(student) - teacher
    return error.square().mean() / teacher.square().mean().clamp(min=torch.finfo().tiny)


def regressor(student: Tensor, teacher: Tensor) -> nn.Module:
    """A linear map from the student's channels to the teacher's, at each place of an image or a sequence for itself."""
    return nn.Linear(student.shape[-1], teacher.shape[-1]).to(student.device)
