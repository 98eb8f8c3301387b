"""What an answer is computed from: a copy must read its own weights at every call, and nothing outside its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from suite.bench.preflight.moved import named
from suite.core.errors import UsageError
from suite.measure.artefacts import Held
from suite.training.copying import copied, storages
from suite.training.forms import spread
from suite.training.surgery.adapted import as_tree, called
from suite.training.trees import Tree, leaves

SHOWN = 3  # names
TORCHS = ("_parameters", "_buffers", "_modules")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A network's answer, as tensors, and what torch read for it beside the inputs, by the address of its memory."""

    network: nn.Module
    answer: list[Tensor]
    found: Mapping[int, Tensor]

    @classmethod
    def of(cls, network: nn.Module, inputs: Tree) -> Reading:
        """One call."""
        with Held(inputs) as watching:
            answer = answered(network, inputs)
        return cls(network=network, answer=_tensors(answer), found=watching.found)

    def names(self, network: nn.Module) -> list[str]:
        """Weights and buffers of ``network`` that were read."""
        return [name for address, name in storages(network).items() if address in self.found]


def check_reading(network: nn.Module, inputs: Tree) -> list[str]:
    """Raise `UsageError` if copies of ``network``, as the user's model built it, do not compute with their weights.

    Returns what they read that no ``state_dict`` holds. The network itself is not called.
    """
    first = Reading.of(copied(network), inputs)
    check_own_weights(network, first)
    second = Reading.of(copied(first.network), inputs)
    check_nothing_kept(first, second, inputs)
    return outside(first, second)


def check_own_weights(network: nn.Module, of_copy: Reading) -> None:
    """Raise `UsageError` if a copy of ``network`` reads the original's weights."""
    names = of_copy.names(network)
    if names:
        raise UsageError(
            f"a copy of it computes with the original's weights ({named(tuple(names))}){_replaced(network)}: "
            "techniques would change weights that are not used; define forward in the class, and remove hooks first "
            "(accelerate: remove_hook_from_module)"
        )


def _replaced(network: nn.Module) -> str:
    """The place at which ``forward`` was set on an instance, if it was."""
    for name, module in network.named_modules():
        forward = vars(module).get("forward")
        if forward is not None:
            code = getattr(forward, "__code__", None)
            place = f" at {code.co_filename}:{code.co_firstlineno}" if code is not None else ""
            return f", since forward of {name or 'the network'} was replaced on the instance{place}"
    return ""


def check_nothing_kept(first: Reading, again: Reading, inputs: Tree) -> None:
    """Raise `UsageError` if ``again``, a copy of the network after its first call, answers from what that call kept.

    Weights that the first call read and this one does not are drawn anew: the answer has to change, if they are read
    in a way that torch does not see.
    """
    kept = _no_longer_read(first, again)
    if not kept:
        return
    for weight in kept.values():
        weight.data.normal_()
    if _equal(_tensors(answered(again.network, inputs)), again.answer):
        raise UsageError(
            f"the copy answers from what it kept: other values of {named(tuple(kept))} leave its answer to the same "
            "inputs as it was, so no technique would show; keep no outputs by input (a dictionary, functools.cache)"
        )


def _no_longer_read(first: Reading, again: Reading) -> dict[str, nn.Parameter]:
    """Floating-point weights; all of them if no call reads any."""
    before, after = set(first.names(first.network)), set(again.names(again.network))
    weights = {name: weight for name, weight in again.network.named_parameters() if weight.is_floating_point()}
    left = before - after if before or after else set(weights)
    return {name: weight for name, weight in weights.items() if name in left}


def outside(first: Reading, again: Reading) -> list[str]:
    """Floating-point tensors that answers are computed from and that are neither weights nor buffers, with shapes."""
    own = storages(first.network)
    read = {a: t for a, t in first.found.items() if a not in own and t.is_floating_point() and t.numel() > 1}
    names = {_address(tensor): name for name, tensor in attributes(first.network)}
    shared = {address for address in read if address in again.found}  # a copy does not copy globals
    return [
        f"{names.get(address, 'a tensor outside the network')} {list(tensor.shape)}"
        for address, tensor in read.items()
        if address in names or address in shared
    ]


def attributes(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Tensors that modules hold as plain attributes, or in lists, tuples and dictionaries of them, by name."""
    for name, module in network.named_modules():
        for key, value in vars(module).items():
            if key not in TORCHS and not key.endswith("_hooks"):
                yield from _inside(f"{name}.{key}" if name else key, value)


def _inside(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, nn.Module):
        yield from ((f"{name}.{key}", tensor) for key, tensor in value.state_dict().items())
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _inside(f"{name}[{key!r}]", item)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _inside(f"{name}[{place}]", item)


def told_outside(names: list[str]) -> str:
    """What a run says of tensors that no ``state_dict`` holds."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (
        f"its answers are computed from tensors that are not in its state_dict ({', '.join(names[:SHOWN])}{more}): "
        "no technique changes, moves or counts them; use register_buffer, nn.Parameter or nn.ModuleList"
    )


def answered(network: nn.Module, inputs: Tree) -> Any:
    """The answer of a network as its user wrote it, as a tree; ``None`` if it holds no tensor."""
    return as_tree(called(network, inputs, spread(network.forward, inputs)))


def _tensors(tree: Any) -> list[Tensor]:
    """Copies of an answer's tensors: a network may write the next one into the same memory."""
    return [] if tree is None else [leaf.clone() for leaf in leaves(tree)]


def _equal(first: list[Tensor], second: list[Tensor]) -> bool:
    return len(first) == len(second) and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def _address(tensor: Tensor) -> int:
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # a tensor that is made of others
        return 0
