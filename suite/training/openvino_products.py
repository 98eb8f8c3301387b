"""The products that OpenVINO executes: precisions of the compiled graph's kernels, sizes of the operators in the file.

A kernel of the compiled graph names the operators of the file that it was made of, and its precision; it may be a
product with what follows it, or a whole attention. How much an operator multiplies is a matter of its shapes in the
file, read with one item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from suite.training.executed import (
    UNKNOWN,
    ExecutedProduct,
    Shape,
    attention,
    convolution,
    product,
    recurrent,
    transposed_convolution,
)

NAMES = {"f32": "fp32", "bf16": "bf16", "f16": "fp16", "u8": "int8", "i8": "int8"}
KERNELS = frozenset(
    {
        *("Convolution", "FullyConnected", "MatMul", "Deconvolution", "RNNSeq", "RNNCell", "MHA", "Subgraph"),
        *("ScaledDotProductAttention", "ScaledDotProductAttentionWithKVCache", "QKVProjection", "LLMMLP"),
    }
)
"""Kinds of kernels that multiply; a subgraph is code that was made for several operators, an attention among them."""
SUFFIXES = ("/DequantizationMultiply", "/fq_output_0")  # of what quantizing adds behind an operator
FOLLOWED = 8  # operators after a product that its kernel may be named for: a bias, a scale, an activation
Count = Callable[[Any], int | None]


def executed_products(compiled: Any, model: Any) -> list[ExecutedProduct]:
    """The products of ``model``, each in the precision of the kernel of the ``compiled`` graph that runs it.

    Without their multiply-accumulates where the model does not take one item.
    """
    precisions = dict(_kernels(compiled.get_runtime_model()))
    device = ", ".join(compiled.get_property("EXECUTION_DEVICES"))
    single = model.clone()
    try:
        single.reshape({one: _one_item(one) for one in single.inputs})
        counts = MACS
    except Exception:  # noqa: BLE001  # whatever a graph says of one item
        single, counts = model, dict.fromkeys(MACS, _unknown)
    return [
        ExecutedProduct(precision=_precision(operator, precisions), device=device, macs=counts[kind](operator))
        for operator in single.get_ordered_ops()
        if (kind := operator.get_type_name()) in MACS and not _is_folded(operator)
    ]


def _unknown(_operator: Any) -> None:
    return None


def _one_item(given: Any) -> list[Any]:
    return [1 if size.is_dynamic else size.get_length() for size in given.get_partial_shape()]


def _kernels(graph: Any) -> Iterator[tuple[str, str]]:
    """By the name of an operator of the file, the precision of its kernel."""
    for node in graph.get_ops():
        told = node.get_rt_info()
        if str(told["layerType"].astype(str)) not in KERNELS:
            continue
        kind = str(told["runtimePrecision"].astype(str)).lower()
        for full in str(told["originalLayersNames"].astype(str)).split(","):
            yield full.removesuffix(SUFFIXES[0]).removesuffix(SUFFIXES[1]), NAMES.get(kind, kind)


def _precision(operator: Any, precisions: Mapping[str, str]) -> str:
    """That of the kernel named for the operator, or for what follows it: names are lost where operators are merged."""
    for _ in range(FOLLOWED):
        name = operator.get_friendly_name()
        if name in precisions:
            return precisions[name]
        after = [target.get_node() for target in operator.output(0).get_target_inputs()]
        if len(after) != 1:
            break
        operator = after[0]
    return UNKNOWN


def _is_folded(operator: Any) -> bool:
    """Whether a product is of constants alone, which is computed once and not at each call."""
    return all(one.get_source_output().get_node().get_type_name() == "Constant" for one in operator.inputs())


def _shape(port: Any) -> Shape:
    return list(port.get_shape())


def _convolution(operator: Any) -> int:
    return convolution(_shape(operator.output(0)), _shape(operator.input(1)))


def _grouped(operator: Any) -> int:
    """Weights [groups, out / groups, in / groups, ...]."""
    return convolution(_shape(operator.output(0)), _shape(operator.input(1))[1:])


def _transposed(operator: Any) -> int:
    return transposed_convolution(_shape(operator.input(0)), _shape(operator.input(1)))


def _transposed_grouped(operator: Any) -> int:
    """Weights [groups, in / groups, out / groups, ...]."""
    return transposed_convolution(_shape(operator.input(0)), _shape(operator.input(1))[1:])


def _matmul(operator: Any) -> int:
    turned = operator.get_attributes()["transpose_a"]
    given = _shape(operator.input(0))
    return product(_shape(operator.output(0)), given[-2 if turned and len(given) > 1 else -1])


def _attention(operator: Any) -> int:
    return attention(*(_shape(operator.input(number)) for number in range(3)))


def _recurrent(first: int) -> Count:
    """Of all steps of a sequence; the weights of inputs and of states are inputs ``first`` and the next."""

    def macs(operator: Any) -> int:
        weights = (_shape(operator.input(number)) for number in (first, first + 1))
        return recurrent(_shape(operator.input(0)), *weights)

    return macs


MACS: Mapping[str, Count] = {
    "Convolution": _convolution,
    "GroupConvolution": _grouped,
    "ConvolutionBackpropData": _transposed,
    "GroupConvolutionBackpropData": _transposed_grouped,
    "MatMul": _matmul,
    "ScaledDotProductAttention": _attention,
    "LSTMSequence": _recurrent(4),
    "GRUSequence": _recurrent(3),
    "RNNSequence": _recurrent(3),
}
