"""Weights that several layers share (tied weights): they count once, ship once and stay tied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from suite.core.errors import UnavailableError

ALIAS = "same:"  # before the name of a tensor in an artefact that ships under another one


def ties(network: nn.Module) -> list[tuple[str, ...]]:
    """The names of each weight that has several."""
    names: dict[int, list[str]] = defaultdict(list)
    for name, weight in network.named_parameters(remove_duplicate=False):
        names[id(weight)].append(name)
    return [tuple(found) for found in names.values() if len(found) > 1]


def uses(network: nn.Module) -> Counter[int]:
    """How many names each weight has, by its id."""
    return Counter(id(weight) for _, weight in network.named_parameters(remove_duplicate=False))


def own_layers(network: nn.Module, kind: type[nn.Module], technique: str) -> list[str]:
    """Names of the layers of exactly that kind whose weight no other layer reads; others would be untied.

    Raises `UnavailableError` in the name of ``technique`` where there is none.
    """
    count = uses(network)
    found = [name for name, layer in network.named_modules() if type(layer) is kind]
    own = [name for name in found if count[id(network.get_submodule(name).weight)] <= 1]
    if not own:
        why = "with a weight of its own: they are tied" if found else "in it"
        raise UnavailableError(f"{technique}: the network has no {kind.__name__} layer {why}")
    return own


def check_tied(before: Iterable[tuple[str, ...]], network: nn.Module, technique: str) -> None:
    """Raise `UnavailableError` where names that shared one weight ``before`` have weights of their own now."""
    names = next((names for names in before if is_untied(names, network)), None)
    if names is not None:
        raise UnavailableError(
            f"{technique}: it gives {' and '.join(names[:2])} weights of their own, which the network ties"
        )


def is_untied(names: Iterable[str], network: nn.Module) -> bool:
    """Whether names that shared one weight have several now; what is gone does not count."""
    now = dict(network.named_parameters(remove_duplicate=False))
    return len({id(now[name]) for name in names if name in now}) > 1


def once(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """``state`` with every tensor under its first name alone, and that name for each of the others."""
    first: dict[tuple[object, ...], str] = {}
    kept: dict[str, Tensor] = {}
    same: dict[str, str] = {}
    for name, tensor in state.items():
        key = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())
        if tensor.numel() and key in first:
            same[name] = first[key]
        else:
            first[key], kept[name] = name, tensor
    return kept, same


def check_smaller(artefact: bytes, state: Mapping[str, Tensor]) -> None:
    """Raise `UnavailableError` for an artefact that is longer than the tensors that it codes, stored as they are."""
    from safetensors.torch import save

    plain = len(save({name: tensor.clone() for name, tensor in state.items()}))
    if len(artefact) > plain:
        raise UnavailableError(
            f"its artefact takes {len(artefact)} bytes and the weights as they are {plain}: they are too few, or of a "
            "type that codes do not shorten"
        )


def spelt(same: Mapping[str, str]) -> dict[str, Tensor]:
    """Other names as tensors of an artefact."""
    return {f"{ALIAS}{name}": torch.tensor(list(first.encode()), dtype=torch.uint8) for name, first in same.items()}


def read(parts: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors ``found`` in an artefact, and those that ``parts`` of it only name."""
    same = {name.removeprefix(ALIAS): part for name, part in parts.items() if name.startswith(ALIAS)}
    return {**found, **{name: found[bytes(part.tolist()).decode()] for name, part in same.items()}}
