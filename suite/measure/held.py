"""Bytes that stay held between calls: weights, buffers, packed weights, gradients, optimizer state.

What a technique saves here (int8 weights, a smaller optimizer state) no peak of one call shows. Each storage counts
once and as a whole, however many tensors look at it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

SPARSE_PARTS: Mapping[torch.layout, tuple[str, ...]] = {
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}


def held_bytes(*trees: object) -> int:
    """Bytes of all tensors and NumPy arrays that can be reached from ``trees``.

    Modules with whatever hangs on them (parameters, buffers, plain attributes, packed int8 weights, gradients),
    optimizers, containers, objects of users' own classes, and functions that close over any of these. Copies that a
    compiler or a runtime keeps inside itself cannot be reached and are not counted.
    """
    walk = _walked(*trees)
    return sum(walk.storages.values()) + sum(walk.arrays.values())


def held_arrays(*trees: object) -> list[np.ndarray[Any, Any]]:
    """The NumPy arrays that can be reached from ``trees``: what is computed with them torch does not see."""
    return [found for found in _walked(*trees).seen.values() if isinstance(found, np.ndarray)]


def _walked(*trees: object) -> _Walk:
    walk = _Walk()
    for tree in trees:
        walk.visit(tree)
    return walk


class _Walk:
    """Every object once; ``storages`` holds bytes by the address of the memory."""

    def __init__(self) -> None:
        self.storages: dict[object, int] = {}
        self.arrays: dict[int, int] = {}  # of NumPy, by the address of their memory
        self.seen: dict[int, object] = {}  # the objects themselves: an address must not be used again meanwhile

    def visit(self, root: object) -> None:
        waiting = [root]  # a stack of its own: networks may be nested deeper than Python calls
        while waiting:
            found = waiting.pop()
            if id(found) not in self.seen:
                self.seen[id(found)] = found
                waiting.extend(self._inside(found))

    def _inside(self, found: object) -> Iterable[object]:
        if isinstance(found, Tensor):
            return self._tensor(found)
        if isinstance(found, np.ndarray):
            self.arrays[found.__array_interface__["data"][0]] = found.nbytes
            return ()
        known = next((parts(found) for kind, parts in PARTS.items() if isinstance(found, kind)), None)
        return known if known is not None else _of_users(found)

    def _tensor(self, tensor: Any) -> Iterable[object]:
        """Count a tensor, or name those that it is made of; a leaf brings its gradient, a subclass its attributes."""
        further = [*vars(tensor).values(), tensor.grad if tensor.is_leaf else None]
        if is_traceable_wrapper_subclass(tensor):
            names, _ = tensor.__tensor_flatten__()
            return [*further, *(getattr(tensor, name) for name in names)]
        if tensor.layout in SPARSE_PARTS:
            return [*further, *(getattr(tensor.detach(), name)() for name in SPARSE_PARTS[tensor.layout])]
        self._count(tensor)
        return further

    def _count(self, tensor: Tensor) -> None:
        if tensor.layout != torch.strided:  # a library's own format, which has no storage to ask
            self.storages[id(tensor)] = tensor.numel() * tensor.element_size()
            return
        storage = tensor.untyped_storage()
        with suppress(RuntimeError):  # it only pretends to have one
            self.storages[tensor.device, storage.data_ptr()] = storage.nbytes() if tensor.device.type != "meta" else 0


LIBRARIES = frozenset({*sys.stdlib_module_names, "suite", "torch", "torchao", "torchvision", "numpy"})


def _of_users(found: object) -> Iterable[object]:
    """What an object of a class outside of the libraries keeps: packed weights may be in one."""
    if type(found).__module__.partition(".")[0] in LIBRARIES:
        return ()
    slots = [getattr(found, name, None) for kind in type(found).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*getattr(found, "__dict__", {}).values(), *slots]


def _of_function(function: Any) -> list[object]:
    cells = (cell for cell in function.__closure__ or ())
    return [cell.cell_contents for cell in cells if not _is_empty(cell)]


def _is_empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is _is_empty
    except ValueError:
        return True


def _of_packed(packed: Any) -> list[object]:
    """The tensors that a ``torch.ScriptObject`` is pickled as: what it packs has no other way out."""
    with warnings.catch_warnings(), suppress(RuntimeError):  # some objects of C++ cannot be pickled
        warnings.simplefilter("ignore")  # torch deprecates the quantized tensors that it makes itself here
        return [packed.__getstate__()]
    return []


PARTS: Mapping[type, Callable[[Any], Iterable[object]]] = {
    nn.Module: lambda module: vars(module).values(),
    torch.optim.Optimizer: lambda optimizer: (optimizer.state, optimizer.param_groups),
    torch.ScriptObject: _of_packed,
    Mapping: lambda mapping: mapping.values(),
    list: list,
    tuple: list,
    set: list,
    partial: lambda call: (call.func, call.args, call.keywords),
    FunctionType: _of_function,
    MethodType: lambda method: (method.__self__, method.__func__),
}
