"""A network of a model hub in the form that the suite calls; see `suite.training.surgery.adapting`. Loads torch."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import register_pytree_node  # no public name holds it

from suite.training.devices import own_random_numbers
from suite.training.forms import Form, fields_of, is_plain, spread
from suite.training.recipe import Recipe


class Answers(dict[str, Any]):
    """Outputs by name, which are attributes too, and by place as a tuple's are: ``logits`` is ``answers[0]``."""

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"the network answered with {', '.join(self)}, and no {name!r}")

    def __getitem__(self, key: Any) -> Any:
        return tuple(self.values())[key] if isinstance(key, int | slice) else super().__getitem__(key)


def _unflattened(values: Iterable[Any], names: Any) -> Answers:
    return Answers(zip(names, values, strict=True))


register_pytree_node(
    Answers, lambda found: (list(found.values()), list(found)), _unflattened,
    serialized_type_name="suite.training.surgery.adapted.Answers",
)  # fmt: skip


class Adapted(nn.Module):
    """``network`` taking one tree and answering with one; what it lacks itself is the network's own."""

    def __init__(self, network: nn.Module, way: str, *, renames: bool) -> None:
        super().__init__()
        self.network, self.way, self.renames = network, way, renames

    def forward(self, inputs: Any) -> Any:
        """The outputs as a tree."""
        outputs = called(self.network, inputs, self.way)
        return as_tree(outputs) if self.renames else outputs

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "network":  # while it is being made
                raise
            return getattr(super().__getattr__("network"), name)


def called(network: nn.Module, inputs: Any, way: str) -> Any:
    """What ``network`` answers to ``inputs``, passed on in that `spread`."""
    if way == "keywords":
        return network(**inputs)
    return network(*inputs) if way == "items" else network(inputs)


def as_tree(outputs: Any) -> Any:
    """Outputs without what is no tensor [B, ...]: ``None``, caches, a loss; those of a dataclass or mapping by name."""
    named = fields_of(outputs)
    if named is not None:
        found = {name: as_tree(value) for name, value in named.items()}
        return Answers({name: value for name, value in found.items() if value is not None})
    if isinstance(outputs, tuple | list):
        found_items = tuple(value for value in map(as_tree, outputs) if value is not None)
        return found_items or None
    return outputs if isinstance(outputs, Tensor) and outputs.dim() else None


def fit_in(network: nn.Module, recipe: Recipe, form: Form) -> nn.Module:
    """``network`` with its lazy layers made, wrapped where its inputs or outputs need it.

    What fails here fails again when the network is called in earnest, and is reported there.
    """
    lazy = any(is_lazy(tensor) for tensor in (*network.parameters(), *network.buffers()))
    inputs = recipe.data().train.first(1).inputs
    way = spread(network.forward, inputs)
    if lazy:
        with torch.no_grad(), suppress(Exception):
            called(network.eval(), inputs, way)
        network.train()
    if form.renames is None:
        form.renames = _renames(network, inputs, way)
    return Adapted(network, way, renames=bool(form.renames)) if way or form.renames else network


def _renames(network: nn.Module, inputs: Any, way: str) -> bool | None:
    """Whether outputs are no tree; ``None`` where the network cannot be called at all."""
    modes = {module: module.training for module in network.modules()}
    try:
        with torch.no_grad(), own_random_numbers("cpu"):
            return not is_plain(called(network.eval(), inputs, way))
    except Exception:  # noqa: BLE001  # a user's network may raise anything
        return None
    finally:
        for module, mode in modes.items():
            module.training = mode
