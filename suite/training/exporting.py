"""torch.export of a network for any number of items, and the bytes of the exported program."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_unflatten  # no public name holds it

from suite.core.errors import UnavailableError
from suite.training.trees import tree_map

DEBUG_KEYS = ("stack_trace", "nn_module_stack", "source_fn_stack", "from_node", "torch_fn")  # hold paths


def export(network: nn.Module, example: Any, *, largest: int | None = None) -> torch.export.ExportedProgram:
    """``network`` traced with ``example``, a tree of two or more items. Raises `UnavailableError` where it cannot be.

    The program takes any number of items, or up to ``largest``: some engines plan their memory for a bound.
    Strict tracing: one ReLU module that is called several times stays one node for each call, as quantizers need.
    """
    items = torch.export.Dim.DYNAMIC if largest is None else torch.export.Dim("items", min=1, max=largest)
    shapes = (tree_map(lambda _: {0: items}, example),)
    try:
        return torch.export.export(network, (example,), dynamic_shapes=shapes, strict=True)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UnavailableError(f"torch.export cannot trace this network ({said})") from error


def exported_bytes(network: nn.Module) -> bytes:
    """An exported network without its debugging metadata, whose length depends on the suite's folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = export(network, _example(network))
        for node in program.graph.nodes:
            for key in DEBUG_KEYS:
                node.meta.pop(key, None)
        file = io.BytesIO()
        torch.export.save(program, file)
        return file.getbuffer().tobytes()


def _example(network: nn.Module) -> Any:
    """Zeros [2, ...] in the form, shapes and types of the inputs that ``network`` was traced with."""
    graph: Any = network.graph
    found = [node.meta["val"] for node in graph.nodes if node.op == "placeholder"]
    zeros = [torch.zeros(2, *map(int, value.shape[1:]), dtype=value.dtype, device=value.device) for value in found]
    (inputs,), _ = tree_unflatten(zeros, graph._codegen.pytree_info.in_spec)  # noqa: SLF001  # what its forward unpacks
    return inputs


def aoti_package(network: nn.Module, example: Any) -> bytes:
    """``network`` compiled ahead of time for any number of items: a shared library and its weights in one archive.

    Raises `UnavailableError` where ``network`` cannot be exported with ``example``, a tree of two or more items.
    """
    program = export(network, example)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = str(Path(folder) / "network.pt2")
        torch._inductor.aoti_compile_and_package(  # noqa: SLF001  # documented under this name
            program, package_path=path, inductor_configs={"freezing": True}
        )
        return Path(path).read_bytes()


def load_aoti(package: bytes) -> Any:
    """What a package of `aoti_package` computes: a function of one input tree."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.pt2"
        path.write_bytes(package)
        return torch._inductor.aoti_load_package(str(path))  # noqa: SLF001  # documented under this name


def saved_bytes(network: nn.Module) -> bytes:
    """The state dictionary as ``torch.save`` writes it: for weights in types that safetensors has no name for."""
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()
