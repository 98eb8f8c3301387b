"""What a training depends on beside sources: the recipe's values, its data, and the files that users' code read."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from suite.measure.integrity.outputs import bits
from suite.registry import modules
from suite.registry.opened import digests, watching
from suite.training.trees import leaves

if TYPE_CHECKING:
    from suite.registry import Workload
    from suite.training.recipe import Recipe, Splits

DEEP = 8  # levels of closures, containers and partials


def inputs_of(workloads: Sequence[Workload]) -> dict[str, str]:
    """By workload, a digest of its recipe's values, data and files; a workload that cannot be read has none.

    Data with a digest of their own (`Workload.digest`) are not read again.
    """
    found = {}
    for workload in workloads:
        try:
            with watching() as names:
                recipe = workload.recipe(0)
                splits = recipe.data()
            data = "" if workload.digest else of_data(splits)
        except Exception:  # noqa: BLE001, S112  # what fails here fails again in its own cell, and is reported there
            continue
        found[workload.name] = digest(of_recipe(recipe), data, json.dumps(digests({**modules.FILES, **names})))
    return found


def of_recipe(recipe: Recipe) -> str:
    """A digest of the values of a recipe: numbers and texts, also those that its functions hold on to."""
    return digest(*(f"{field.name}={'|'.join(_values(getattr(recipe, field.name)))}" for field in fields(recipe)))


def of_data(splits: Splits) -> str:
    """A digest of all tensors of the data."""
    parts = [part for part in (splits.train, splits.validation, splits.test) if part is not None]
    tensors = [leaf for part in parts for tree in (part.inputs, part.targets) for leaf in leaves(tree)]
    return digest(*(piece for tensor in tensors for piece in of_tensor(tensor)))


def of_tensor(tensor: Tensor) -> tuple[str, bytes]:
    """Type and shape of a tensor, and its bytes."""
    return f"{tensor.dtype} {tuple(tensor.shape)}", bits(tensor.detach().cpu()).numpy().tobytes()


def digest(*parts: str | bytes) -> str:
    """Of several texts or bytes, each with its length."""
    found = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        found.update(len(content).to_bytes(8, "little") + content)
    return found.hexdigest()[:32]


def _values(value: Any, depth: int = DEEP) -> Iterator[str]:
    """The plain values that an object holds, in order; what is neither plain nor a function has its type alone."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | Path | torch.dtype):
        yield repr(value)
    elif depth == 0:
        yield "..."
    elif isinstance(value, FunctionType):
        yield from _held(value, depth - 1)
    else:
        parts = _parts(value)
        yield getattr(value, "__qualname__", type(value).__qualname__)
        for part in parts:
            yield from _values(part, depth - 1)


def _parts(value: Any) -> Iterable[Any]:
    """What a container, a bound function or a record holds; nothing of anything else."""
    if isinstance(value, Mapping):
        return [part for item in value.items() for part in item]
    if isinstance(value, list | tuple | set | frozenset):
        return value if isinstance(value, list | tuple) else sorted(value, key=repr)
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if is_dataclass(value) and not isinstance(value, type):
        return [part for field in fields(value) for part in (field.name, getattr(value, field.name))]
    return []


def _held(function: FunctionType, depth: int) -> Iterator[str]:
    """Defaults, closed-over variables and plain globals of a function."""
    yield function.__qualname__
    yield from _values([function.__defaults__, function.__kwdefaults__], depth)
    for cell in function.__closure__ or ():
        try:
            yield from _values(cell.cell_contents, depth)
        except ValueError:  # not filled yet
            yield "empty"
    held = {name: function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__}
    yield from _values({name: v for name, v in held.items() if isinstance(v, bool | int | float | str)}, depth)
