"""The products that ExecuTorch executes: sizes of the operators in the program, kernels of one traced call.

A program calls delegates, whose operators XNNPACK computes, and the engine's own kernels for what no delegate took.
XNNPACK chooses its kernels when a program is loaded. So they are read off a trace of one call, whose names hold the
types that are multiplied, such as ``Convolution (NHWC, QS8, QC8W) IGEMM #1``. Sizes are those of the program, whose
tensors have the shapes of its largest batch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from suite.training.executed import (
    UNKNOWN,
    ExecutedProduct,
    Shape,
    attention,
    convolution,
    product,
    transposed_convolution,
)

DELEGATE, OWN = "XNNPACK", "CPU"
KERNEL = re.compile(r"(Convolution|Deconvolution|Fully Connected|Batch Matrix Multiply|Scaled Dot-Product Attention)")
TYPES = re.compile(r"\(([^)]*)\)")
STATIC = 0  # of a tensor's shape
DTYPES = {
    "BYTE": "uint8", "CHAR": "int8", "SHORT": "int16", "INT": "int32", "LONG": "int64", "HALF": "float16",
    "FLOAT": "float32", "DOUBLE": "float64", "BOOL": "bool", "BFLOAT16": "bfloat16",
}  # fmt: skip
SCALARS = {"FLOAT": "fp32", "HALF": "fp16", "BFLOAT16": "bf16", "DOUBLE": "fp64", "CHAR": "int8", "BYTE": "int8"}


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A program as the engine reads it.

    ``products`` are the products of the delegates in the order of the calls, and ``own`` those of the engine's kernels.
    ``delegated`` counts the operators of the delegates, and ``left`` names each call of another kernel. ``items`` is
    the largest batch, and ``fixed`` says that no other is served. ``inputs`` are shapes and types of the largest batch.
    """

    products: Sequence[tuple[str, int]]
    own: Sequence[ExecutedProduct]
    delegated: int
    left: Sequence[str]
    items: int
    fixed: bool
    inputs: Sequence[tuple[Shape, torch.dtype]]

    def executed(self, kernels: Iterable[str]) -> list[ExecutedProduct]:
        """All products, each of a delegate in the types of its kernel; ``kernels`` are the names in a trace.

        A trace that has other kernels than the program has products tells nothing: their precision is unknown.
        """
        traced = [name for name in kernels if KERNEL.match(name)]
        if [KERNEL.match(name)[1] for name in traced] != [kind for kind, _ in self.products]:  # type: ignore[index]
            traced = [""] * len(self.products)
        ran = (
            ExecutedProduct(precision=precision_of_kernel(name), device=DELEGATE, macs=macs // self.items)
            for name, (_, macs) in zip(traced, self.products, strict=True)
        )
        return [*ran, *self.own]

    def __str__(self) -> str:
        names = ", ".join(sorted(set(self.left)))
        return f"{self.delegated} operators by {DELEGATE}, {len(self.left)} not" + (f" ({names})" if names else "")


def precision_of_kernel(name: str) -> str:
    """The precision that a kernel of XNNPACK multiplies in: ``int8`` if its activations have 8 bits."""
    types = TYPES.search(name)
    for kind in types[1].replace(" ", "").split(",") if types else ():
        if re.fullmatch(r"P?Q[SUDP]8", kind) or kind in ("QC8", "QS8W"):
            return "int8"
        if plain := re.fullmatch(r"P?(F32|F16|BF16)", kind):
            return {"F32": "fp32", "F16": "fp16", "BF16": "bf16"}[plain[1]]
    return UNKNOWN


def read(content: bytes) -> Lowered:
    """A program of one method. Raises whatever the engine's reader does for bytes that are none."""
    from executorch.exir._serialize import _deserialize_pte_binary  # no public name reads one

    program = _deserialize_pte_binary(content).program
    plan = program.execution_plan[0]
    given = [plan.values[index].val for index in plan.inputs]
    items = int(given[0].sizes[0])
    calls = [one.instr_args for one in plan.chains[0].instructions]
    graphs = [_graph(_payload(program, plan, call.delegate_index)) for call in calls if hasattr(call, "delegate_index")]
    kernels = [(_name(plan.operators[call.op_index]), call.args) for call in calls if hasattr(call, "op_index")]
    return Lowered(
        products=[found for graph in graphs for found in _delegated(graph)],
        own=[one for name, args in kernels for one in _own(name, [plan.values[index].val for index in args], items)],
        delegated=sum(len(graph["xnodes"]) for graph in graphs), left=[name for name, _ in kernels], items=items,
        fixed=int(given[0].shape_dynamism) == STATIC,
        inputs=[(one.sizes, getattr(torch, DTYPES[one.scalar_type.name])) for one in given],
    )  # fmt: skip


def _name(operator: Any) -> str:
    return f"{operator.name}.{operator.overload}" if operator.overload else str(operator.name)


def _payload(program: Any, plan: Any, number: int) -> bytes:
    delegate = plan.delegates[number]
    return bytes(program.backend_delegate_data[delegate.processed.index].data)


def _graph(payload: bytes) -> Mapping[str, Any]:
    """XNNPACK's graph in the bytes of a delegate, by the schema that the engine ships."""
    from importlib.resources import files

    from executorch.backends.xnnpack.serialization.xnnpack_graph_serialize import XNNHeader
    from executorch.exir._serialize._flatbuffer import _flatc_decompile

    header = XNNHeader.from_bytes(payload[: XNNHeader.EXPECTED_LENGTH])
    start = header.flatbuffer_offset
    with TemporaryDirectory() as folder:
        schema, packed = Path(folder) / "schema.fbs", Path(folder) / "graph.bin"
        schema.write_bytes(files("executorch.backends.xnnpack.serialization").joinpath("schema.fbs").read_bytes())
        packed.write_bytes(payload[start : start + header.flatbuffer_size])
        _flatc_decompile(folder, str(schema), str(packed), ["--raw-binary"])
        text = (Path(folder) / "graph.json").read_text("utf-8")
    graph: Mapping[str, Any] = json.loads(re.sub(r"(?<=[:\[,\s])-?(inf|nan)\b", "0", text))  # no JSON; bounds of clamps
    return graph


def _delegated(graph: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The kind of kernel and the multiply-accumulates of the largest batch, of each product of one delegate."""
    tensors = [one["xvalue_union"] for one in graph["xvalues"]]
    tensors = [one.get("tensor_value", one) for one in tensors]
    shapes = {one["id_out"]: one["dims"] for one in tensors}
    for node in graph["xnodes"]:
        if (kind := node["xnode_union_type"]) in MACS:
            name, count = MACS[kind]
            yield name, count(node["xnode_union"], shapes)


Node = Mapping[str, Any]
Shapes = Mapping[int, Shape]


def _convolution(node: Node, shapes: Shapes) -> int:
    inside = node["kernel_height"] * node["kernel_width"] * node["group_input_channels"]
    return product(shapes[node["output_id"]], inside)


def _transposed(node: Node, shapes: Shapes) -> int:
    inside = node["kernel_height"] * node["kernel_width"] * node["group_output_channels"]
    return product(shapes[node["input1_id"]], inside)


def _contracted(node: Node, shapes: Shapes) -> int:
    return product(shapes[node["output_id"]], shapes[node["input1_id"]][-1])


def _attention(node: Node, shapes: Shapes) -> int:
    return attention(*(shapes[node[f"{name}_id"]] for name in ("query", "key", "value")))


MACS: Mapping[str, tuple[str, Callable[[Node, Shapes], int]]] = {
    "XNNConv2d": ("Convolution", _convolution),
    "XNNDepthwiseConv2d": ("Convolution", _convolution),
    "XNNConvTranspose2d": ("Deconvolution", _transposed),
    "XNNFullyConnected": ("Fully Connected", _contracted),
    "XNNBatchMatrixMultiply": ("Batch Matrix Multiply", _contracted),
    "XNNScaledDotProductAttention": ("Scaled Dot-Product Attention", _attention),
}
"""By kind of node, what a trace calls its kernel, and its multiply-accumulates."""


def _own(name: str, values: Sequence[Any], items: int) -> Iterator[ExecutedProduct]:
    """The product of a call of the engine's own kernel, if it is one; its last value is its output."""
    if (kind := name.partition(".")[0]) in OWN_MACS:
        macs, scalar = OWN_MACS[kind](values), values[0].scalar_type.name
        yield ExecutedProduct(precision=SCALARS.get(scalar, scalar.lower()), device=OWN, macs=macs // items)


def _own_convolution(values: Sequence[Any]) -> int:
    given, weights, output = values[0].sizes, values[1].sizes, values[-1].sizes
    return transposed_convolution(given, weights) if values[6].bool_val else convolution(output, weights)


def _own_product(first: int) -> Callable[[Sequence[Any]], int]:
    return lambda values: prod(values[-1].sizes) * int(values[first].sizes[-1])


OWN_MACS: Mapping[str, Callable[[Sequence[Any]], int]] = {
    "aten::convolution": _own_convolution,
    "aten::linear": _own_product(0),
    "aten::mm": _own_product(0),
    "aten::bmm": _own_product(0),
    "aten::addmm": _own_product(1),
}
"""By operator of the engine's own kernels, the multiply-accumulates of a call."""
