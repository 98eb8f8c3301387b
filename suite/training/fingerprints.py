"""Whether a network's weights are those that they were: digests, and values that stayed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def fingerprint(network: nn.Module, *others: str) -> str:
    """A digest of all weights and buffers, and of ``others``."""
    found = hashlib.blake2b(digest_size=16)
    for name, tensor in _tensors(network):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(_bytes(tensor))
    for text in others:
        found.update(text.encode())
    return found.hexdigest()


def values(network: nn.Module) -> Mapping[str, Tensor]:
    """Copies of all weights and buffers on the host, by name; without those that have no plain values."""
    found = {name: _on_host(tensor) for name, tensor in _tensors(network)}
    return {name: value for name, value in found.items() if value is not None}


def moved(before: Mapping[str, Tensor], network: nn.Module) -> str | None:
    """The first weight or buffer that holds other values than ``before``; ``None`` if none does.

    Zeros are no other values (masks), nor are roundings to a type, nor what has another name or shape now.
    """
    return next((name for name, now in values(network).items() if name in before and _moved(before[name], now)), None)


def _moved(before: Tensor, now: Tensor) -> bool:
    if before.shape != now.shape:
        return False
    stayed = (now == before.to(now.dtype)) | (now == 0) | (now != now)  # noqa: PLR0124  # what is no number
    return not bool(stayed.all())


def plain(tensor: Tensor) -> Tensor:
    """``tensor`` itself; of one that the ranks hold in parts all of it, for which all of them must ask at once."""
    gather = getattr(tensor, "full_tensor", None)  # torch's DTensor, whose module takes a second to import
    return tensor if gather is None else gather()


def _tensors(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    from torch.nn.parameter import is_lazy  # launches are declared before torch is imported

    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if not is_lazy(tensor):
            yield name, tensor


def _on_host(tensor: Tensor) -> Tensor | None:
    try:
        return plain(tensor).detach().to("cpu", copy=True)
    except (RuntimeError, TypeError, NotImplementedError):  # a subclass that has no values of its own
        return None


def _bytes(tensor: Tensor) -> bytes:
    import torch

    try:
        return plain(tensor).detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    except (RuntimeError, TypeError, NotImplementedError):
        return b""
