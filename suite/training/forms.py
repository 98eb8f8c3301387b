"""How a network takes its inputs and answers; loads no torch by itself."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Form:
    """How a workload's networks answer: ``renames`` whether outputs are to be made named tensors, once known."""

    renames: bool | None = None


def spread(forward: Callable[..., Any], inputs: Any) -> str:
    """How ``forward`` takes ``inputs``: "keywords" of a dictionary, "items" of a tuple, or "" for the tree itself."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):  # some callables tell no signature
        return ""
    named = {one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    needed = [one for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    if isinstance(inputs, Mapping):
        others = any(one.kind is one.VAR_KEYWORD for one in parameters)
        fits = {one.name for one in needed} <= set(inputs) and (others or set(inputs) <= named)
        return "keywords" if fits else ""
    return "items" if isinstance(inputs, tuple | list) and len(needed) > 1 else ""


def is_plain(outputs: Any) -> bool:
    """Whether outputs are a tree as the suite has them: tensors [B, ...] in tuples, lists or plain dictionaries."""
    from torch import Tensor

    if isinstance(outputs, Tensor):
        return outputs.dim() > 0
    if isinstance(outputs, tuple | list):
        return all(is_plain(value) for value in outputs)
    return type(outputs) is dict and all(is_plain(value) for value in outputs.values())


def fields_of(outputs: Any) -> dict[str, Any] | None:
    """The named parts of a dataclass or a mapping; ``None`` for anything else."""
    if isinstance(outputs, Mapping):
        return {str(name): value for name, value in outputs.items()}
    if dataclasses.is_dataclass(outputs) and not isinstance(outputs, type):
        return {one.name: getattr(outputs, one.name) for one in dataclasses.fields(outputs)}
    return None
