"""The products that an ONNX Runtime session executes: kernels, shapes and providers of one profiled call.

The profile tells each kernel that ran, with the provider that ran it and the types and shapes of its inputs; weights
that were packed for a kernel are no inputs any more, so their shapes come from the optimized graph.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from suite.training.executed import ExecutedProduct, attention, convolution, product, recurrent, transposed_convolution

ITEMS = 2  # of the profiled call: some exporters take a size of one for a fixed one
KERNEL_TIME = "_kernel_time"
PROVIDERS = {"CPUExecutionProvider": "CPU", "CUDAExecutionProvider": "CUDA", "TensorrtExecutionProvider": "TensorRT"}
INT8 = frozenset(
    {
        *("QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger", "MatMulIntegerToFloat"),
        *("DynamicQuantizeMatMul", "QAttention", "DynamicQuantizeLSTM"),
    }
)
FLOATS = frozenset(
    {
        *("Conv", "FusedConv", "ConvTranspose", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "Einsum"),
        *("Attention", "MultiHeadAttention", "LSTM", "GRU", "RNN"),
    }
)
TYPES = {"float": "fp32", "float16": "fp16", "bfloat16": "bf16", "double": "fp64"}
WEIGHTS = {"Conv": 1, "FusedConv": 1, "ConvTranspose": 1, "ConvInteger": 1, "QLinearConv": 3}
"""By operator, the input that holds the weights of a convolution."""
RECURRENT = frozenset({"LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"})
SUMS_LAST = frozenset(
    {
        *("Gemm", "FusedGemm", "MatMul", "FusedMatMul", "QLinearMatMul", "QGemm"),
        *("MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"),
    }
)
SIDE_BY_SIDE = 3  # sizes of heads that lie side by side: items, length, width
Shapes = list[list[int]]
Event = Mapping[str, Any]


def executed_products(session: Any, graph: Any, fallback: str) -> list[ExecutedProduct]:
    """The products of one call of ``session``, which was made with profiling; profiling ends with it.

    ``graph`` is the optimized one. Inputs that are zeros may be refused by a network; then the operators of the graph
    are known, and their multiply-accumulates and device are not: it is the ``fallback``.
    """
    events = _profiled(session)
    if events is None:
        kinds = [_graph_precision(node.op_type) for node in graph.node]
        return [ExecutedProduct(precision=kind, device=fallback, macs=None) for kind in kinds if kind]
    nodes = {node.name: node for node in graph.node}
    weights = {one.name: list(one.dims) for one in graph.initializer}
    items = next((one.shape[0] for one in session.get_inputs() if one.shape), 1)
    items = items if isinstance(items, int) else ITEMS
    return [found for one in events if (found := _product(one, nodes, weights, items)) is not None]


def _profiled(session: Any) -> list[Event] | None:
    """The kernels of one call with zeros; ``None`` if the network refuses them."""
    try:
        session.run(None, {one.name: _zeros(one) for one in session.get_inputs()})
    except Exception:  # noqa: BLE001  # whatever a network says of zeros
        return None
    finally:
        path = Path(session.end_profiling())
    events = json.loads(path.read_text("utf-8"))
    return [one for one in events if one.get("cat") == "Node" and one["name"].endswith(KERNEL_TIME)]


def _zeros(given: Any) -> np.ndarray[Any, Any]:
    kind = given.type.removeprefix("tensor(").removesuffix(")")
    shape = [ITEMS if not isinstance(size, int) else size for size in given.shape]
    return np.zeros(shape, {"float": "float32", "double": "float64"}.get(kind, kind))


def _graph_precision(operator: str) -> str | None:
    return "int8" if operator in INT8 else "fp32" if operator in FLOATS else None


def _product(
    event: Event, nodes: Mapping[str, Any], weights: Mapping[str, list[int]], items: int
) -> ExecutedProduct | None:
    told = event["args"]
    operator = told["op_name"]
    if operator not in INT8 | FLOATS:
        return None
    given, kinds = _shapes(told["input_type_shape"])
    made, _ = _shapes(told["output_type_shape"])
    node = nodes.get(event["name"].removesuffix(KERNEL_TIME))
    precision = "int8" if operator in INT8 else TYPES.get(kinds[0], kinds[0])
    device = PROVIDERS.get(told["provider"], told["provider"])
    total = _macs(operator, given, made, lambda number: _initializer(node, weights, number))
    return ExecutedProduct(precision=precision, device=device, macs=total if total is None else total // items)


def _shapes(told: Sequence[Mapping[str, list[int]]]) -> tuple[Shapes, list[str]]:
    pairs = [(shape, kind) for one in told for kind, shape in one.items()]
    return [shape for shape, _ in pairs], [kind for _, kind in pairs]


def _initializer(node: Any, weights: Mapping[str, list[int]], number: int) -> list[int] | None:
    """The shape of a constant input of a node of the optimized graph."""
    return weights.get(node.input[number]) if node is not None and len(node.input) > number else None


def _macs(operator: str, given: Shapes, made: Shapes, constant: Callable[[int], list[int] | None]) -> int | None:
    """Of the profiled call; ``None`` for an operator whose shapes do not tell."""
    if operator in WEIGHTS:
        number = WEIGHTS[operator]
        weights = constant(number) or (given[number] if number < len(given) else None)
        return _convolution(operator, given[0], made[0], weights) if weights else None
    if operator in SUMS_LAST:
        return product(made[0], given[0][-1])
    if operator in RECURRENT:
        inputs, states = constant(1), constant(2)
        return recurrent(given[0], inputs, states) if inputs and states else None
    if operator == "MultiHeadAttention" and {len(one) for one in given[:3]} == {SIDE_BY_SIDE}:
        return attention(*given[:3])
    return None


def _convolution(operator: str, given: list[int], made: list[int], weights: list[int]) -> int:
    if operator == "ConvTranspose":
        return transposed_convolution(given, weights)
    return convolution(made, weights)
